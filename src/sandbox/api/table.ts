import type { KubeObject } from '../../cluster/index.ts'
import { columnsOf } from './columns.ts'
import { ageOf } from './duration.ts'
import { at, type Fields } from './fields.ts'
import { jsonPathValue } from './json-path.ts'
import type { ServedResource } from './resource.ts'

export type IncludeObject = 'None' | 'Metadata' | 'Object'

interface TableOptions {
	readonly now: Date
	readonly includeObject: IncludeObject
	/** Of the list; absent in the events of a watch. */
	readonly list?: Fields | undefined
	/** Later events of a watch do not say the columns again. */
	readonly headless?: boolean | undefined
}

/**
 * Objects as a `meta.k8s.io/v1 Table`, which kubectl prints.
 * @see https://kubernetes.io/docs/reference/using-api/api-concepts/#receiving-resources-as-tables
 */
export function tableOf(
	resource: ServedResource,
	objects: readonly KubeObject[],
	options: TableOptions,
): Fields {
	const columns = definitions(resource, options.now)
	return {
		kind: 'Table',
		apiVersion: 'meta.k8s.io/v1',
		metadata: options.list ?? {},
		columnDefinitions: options.headless ? [] : columns.map(describe),
		rows: objects.map((object) => ({
			cells: columns.map((column) => column.cell(object)),
			...(options.includeObject !== 'None' && {
				object: options.includeObject === 'Object' ? object : partialMetadata(object),
			}),
		})),
	}
}

function describe({ name, type, format, description, priority }: Definition): Fields {
	return { name, type, format, description, priority }
}

/** Only the metadata, `meta.k8s.io/v1 PartialObjectMetadata`. */
export function partialMetadata(object: KubeObject): Fields {
	return { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: object.metadata }
}

interface Definition {
	readonly name: string
	readonly type: string
	readonly format: string
	readonly description: string
	readonly priority: number
	readonly cell: (object: KubeObject) => unknown
}

function definitions(resource: ServedResource, now: Date): readonly Definition[] {
	if (resource.custom && resource.custom.columns.length > 0) {
		const name: Definition = {
			name: 'Name',
			type: 'string',
			format: 'name',
			description: 'Name of the object.',
			priority: 0,
			cell: (object) => object.metadata.name,
		}
		return [
			name,
			...resource.custom.columns.map((column) => ({
				name: column.name,
				type: column.type,
				format: column.format ?? '',
				description: column.description,
				priority: column.priority,
				cell: (object: KubeObject) =>
					customCell(jsonPathValue(object, column.jsonPath), { type: column.type, now }),
			})),
		]
	}
	const key = resource.custom ? '' : resource.storageKey
	return columnsOf(key).map((column) => ({
		name: column.name,
		type: column.type ?? 'string',
		format: column.name === 'Name' ? 'name' : '',
		description: `${column.name} as the lading sandbox knows it.`,
		priority: column.wide ? 1 : 0,
		cell: (object) => column.cell(column.name === 'Name' ? object : stored(resource, object), now),
	}))
}

/** Columns read the stored form: other versions name their fields otherwise. */
function stored(resource: ServedResource, object: KubeObject): KubeObject {
	return at(object, 'apiVersion') === undefined ? object : resource.encode(object)
}

function customCell(value: unknown, { type, now }: { readonly type: string; readonly now: Date }): unknown {
	if (value === undefined || value === null) return type === 'string' ? '' : null
	switch (type) {
		case 'date':
			return ageOf(typeof value === 'string' ? value : undefined, now)
		case 'integer':
		case 'number':
			return typeof value === 'number' ? value : null
		case 'boolean':
			return typeof value === 'boolean' ? value : null
		default:
			return typeof value === 'string' ? value : JSON.stringify(value)
	}
}
