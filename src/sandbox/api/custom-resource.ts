import type { KubeObject } from '../../cluster/index.ts'
import { at, fieldsAt, isFields, listAt, numberAt, textAt } from './fields.ts'
import {
	apiVersionOf,
	type Column,
	type CustomType,
	type ScalePaths,
	type ServedResource,
} from './resource.ts'

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
