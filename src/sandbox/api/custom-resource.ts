import type { KubeObject } from '../../cluster/index.ts'
import { at, fieldsAt, isFields, listAt, numberAt, textAt } from './fields.ts'
import {
	apiVersionOf,
	type Column,
	type CustomType,
	type ScalePaths,
	type ServedResource,
} from './resource.ts'
import type { StatusCause } from './status-error.ts'

/**
 * What an `apiextensions.k8s.io/v1 CustomResourceDefinition` makes the API serve.
 * Versions differ in their apiVersion only (conversion strategy `None`).
 */
export function customResources(definition: KubeObject): readonly ServedResource[] {
	const group = textAt(definition, 'spec', 'group') ?? ''
	const names = fieldsAt(definition, 'spec', 'names')
	const plural = textAt(names, 'plural') ?? ''
	const kind = textAt(names, 'kind') ?? ''
	const versions = listAt(definition, 'spec', 'versions')
	const storage = versions.find((version) => at(version, 'storage') === true) ?? versions[0]
	const storageVersion = textAt(storage, 'name') ?? ''
	return versions
		.filter((version) => at(version, 'served') !== false)
		.map((version) => {
			const name = textAt(version, 'name') ?? ''
			const withVersion = (wanted: string) => (object: KubeObject) => {
				const apiVersion = apiVersionOf({ group, version: wanted })
				return object.apiVersion === apiVersion ? object : { ...object, apiVersion }
			}
			return {
				group,
				version: name,
				kind,
				plural,
				singular: textAt(names, 'singular') ?? kind.toLowerCase(),
				shortNames: texts(listAt(names, 'shortNames')),
				categories: texts(listAt(names, 'categories')),
				namespaced: textAt(definition, 'spec', 'scope') !== 'Cluster',
				status: isFields(at(version, 'subresources', 'status')),
				scale: scaleOf(at(version, 'subresources', 'scale')),
				subresources: [],
				storageVersion,
				storageKey: `${group}/${plural}`,
				custom: customType(version),
				decode: withVersion(name),
				encode: withVersion(storageVersion),
			}
		})
}

function texts(values: readonly unknown[]): readonly string[] {
	return values.filter((value) => typeof value === 'string')
}

function scaleOf(scale: unknown): ScalePaths | undefined {
	const path = (name: string): string[] | undefined => textAt(scale, name)?.split('.').filter(Boolean)
	const specReplicas = path('specReplicasPath')
	const statusReplicas = path('statusReplicasPath')
	if (!specReplicas || !statusReplicas) return undefined
	return { specReplicas, statusReplicas, selector: path('labelSelectorPath') }
}

function customType(version: unknown): CustomType {
	const schema = at(version, 'schema', 'openAPIV3Schema')
	return {
		schema: isFields(schema) ? schema : undefined,
		columns: listAt(version, 'additionalPrinterColumns').map((column) => ({
			name: textAt(column, 'name') ?? '',
			type: (textAt(column, 'type') ?? 'string') as Column['type'],
			format: textAt(column, 'format'),
			description: textAt(column, 'description') ?? '',
			priority: numberAt(column, 'priority') ?? 0,
			jsonPath: textAt(column, 'jsonPath') ?? '',
		})),
	}
}

const NAME = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/

/** What is wrong with a CustomResourceDefinition. */
export function checkDefinition(definition: KubeObject): readonly StatusCause[] {
	const causes: StatusCause[] = []
	const required = (field: string): void => {
		causes.push({ reason: 'FieldValueRequired', message: 'Required value', field })
	}
	const group = textAt(definition, 'spec', 'group')
	const plural = textAt(definition, 'spec', 'names', 'plural')
	if (!group) required('spec.group')
	if (!plural) required('spec.names.plural')
	else if (!NAME.test(plural)) {
		causes.push({
			reason: 'FieldValueInvalid',
			message: `Invalid value: "${plural}"`,
			field: 'spec.names.plural',
		})
	}
	if (!textAt(definition, 'spec', 'names', 'kind')) required('spec.names.kind')
	const scope = textAt(definition, 'spec', 'scope')
	if (!scope) required('spec.scope')
	else if (scope !== 'Namespaced' && scope !== 'Cluster') {
		causes.push({
			reason: 'FieldValueNotSupported',
			message: `Unsupported value: "${scope}": supported values: "Cluster", "Namespaced"`,
			field: 'spec.scope',
		})
	}
	if (group && plural && definition.metadata.name !== `${plural}.${group}`) {
		causes.push({
			reason: 'FieldValueInvalid',
			message: `Invalid value: "${definition.metadata.name}": must be spec.names.plural+"."+spec.group`,
			field: 'metadata.name',
		})
	}
	const versions = listAt(definition, 'spec', 'versions')
	if (versions.length === 0) required('spec.versions')
	if (versions.filter((version) => at(version, 'storage') === true).length !== 1) {
		causes.push({
			reason: 'FieldValueInvalid',
			message: 'Invalid value: must have exactly one version marked as storage version',
			field: 'spec.versions',
		})
	}
	versions.forEach((version, index) => {
		if (!isFields(at(version, 'schema', 'openAPIV3Schema')))
			required(`spec.versions[${index}].schema.openAPIV3Schema`)
	})
	return causes
}
