import type { Catalog } from './catalog.ts'
import type { Fields } from './fields.ts'
import { typeOf } from './managed-fields.ts'
import type { TypeSchema } from '../../schema/index.ts'
import { apiVersionOf, type ServedResource } from './resource.ts'

/** Deep enough for what people ask `kubectl explain`; recursive types end there. */
const MAX_DEPTH = 14

function pathOf(resource: { readonly group: string; readonly version: string }): string {
	return resource.group === '' ? `api/${resource.version}` : `apis/${resource.group}/${resource.version}`
}

/** `/openapi/v3`: which documents there are. */
export function openApiIndex(catalog: Catalog): Fields {
	const paths = new Map(
		catalog.all().map((resource) => {
			const path = pathOf(resource)
			return [path, { serverRelativeURL: `/openapi/v3/${path}?hash=${catalog.generation}` }] as const
		}),
	)
	return { paths: Object.fromEntries(paths) }
}

/** `/openapi/v3/apis/GROUP/VERSION`: the types, and which parameters writing them takes. */
export function openApiDocument(
	catalog: Catalog,
	wanted: { readonly group: string; readonly version: string },
): Fields | undefined {
	const resources = catalog
		.all()
		.filter(({ group, version }) => group === wanted.group && version === wanted.version)
	if (resources.length === 0) return undefined
	return {
		openapi: '3.0.0',
		info: { title: 'lading sandbox', version: 'v1.37.2+sandbox' },
		paths: Object.fromEntries(resources.flatMap(pathsOf)),
		components: {
			schemas: Object.fromEntries(
				resources.map((resource) => [schemaName(resource), schemaDocument(resource)]),
			),
		},
	}
}

function schemaName(resource: ServedResource): string {
	return [
		...(apiVersionOf(resource).split('/')[0]?.split('.').reverse() ?? []),
		resource.version,
		resource.kind,
	].join('.')
}

function pathsOf(resource: ServedResource): readonly (readonly [string, Fields])[] {
	const home = `/${pathOf(resource)}${resource.namespaced ? '/namespaces/{namespace}' : ''}/${resource.plural}`
	const kind = { group: resource.group, version: resource.version, kind: resource.kind }
	const parameters = ['dryRun', 'fieldManager', 'fieldValidation'].map((name) => ({
		name,
		in: 'query',
		schema: { type: 'string', uniqueItems: true },
	}))
	const reference = { $ref: `#/components/schemas/${schemaName(resource)}` }
	const answer = { 200: { description: 'OK', content: { 'application/json': { schema: reference } } } }
	const operation = (action: string): Fields => ({
		'x-kubernetes-action': action,
		'x-kubernetes-group-version-kind': kind,
		parameters,
		responses: answer,
	})
	return [
		[home, { get: operation('list'), post: operation('post') }],
		[
			`${home}/{name}`,
			{
				get: operation('get'),
				put: operation('put'),
				patch: operation('patch'),
				delete: operation('delete'),
			},
		],
	]
}

function schemaDocument(resource: ServedResource): Fields {
	const kind = { group: resource.group, version: resource.version, kind: resource.kind }
	const own = resource.custom?.schema ?? jsonSchema(typeOf(resource), 0)
	return { ...own, 'x-kubernetes-group-version-kind': [kind] }
}

function jsonSchema(schema: TypeSchema, depth: number): Fields {
	if (depth > MAX_DEPTH) return {}
	switch (schema.kind) {
		case 'untyped':
			return { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }
		case 'scalar': {
			const type = schema.type === 'int-or-string' || schema.type === 'quantity' ? 'string' : schema.type
			return { type, ...(schema.format !== undefined && { format: schema.format }) }
		}
		case 'list':
			return { type: 'array', items: jsonSchema(schema.items, depth + 1) }
		case 'map':
			return {
				type: 'object',
				...(schema.fields.size > 0 && {
					properties: Object.fromEntries(
						[...schema.fields].map(([name, field]) => [name, jsonSchema(field.schema, depth + 1)]),
					),
				}),
				...(schema.required.length > 0 && { required: schema.required }),
				...(schema.values && { additionalProperties: jsonSchema(schema.values, depth + 1) }),
			}
	}
}
