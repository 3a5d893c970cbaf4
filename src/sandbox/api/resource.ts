import type { KubeObject } from '../../cluster/index.ts'
import type { Fields } from './fields.ts'

/** Where a custom resource keeps its scale; built-in workloads use the defaults. */
export interface ScalePaths {
	readonly specReplicas: readonly string[]
	readonly statusReplicas: readonly string[]
	readonly selector?: readonly string[] | undefined
}

/** A column of `kubectl get`; `priority` over 0 is shown with `-o wide` only. */
export interface Column {
	readonly name: string
	readonly type: 'string' | 'integer' | 'number' | 'boolean' | 'date'
	readonly format?: string | undefined
	readonly description: string
	readonly priority: number
}

/** What a custom resource's definition adds. */
export interface CustomType {
	/** `spec.versions[].schema.openAPIV3Schema`. */
	readonly schema: Fields | undefined
	readonly columns: readonly (Column & { readonly jsonPath: string })[]
}

/** One type in one version, as the API serves it. */
export interface ServedResource {
	readonly group: string
	readonly version: string
	readonly kind: string
	readonly plural: string
	readonly singular: string
	readonly shortNames: readonly string[]
	readonly categories: readonly string[]
	readonly namespaced: boolean
	readonly status: boolean
	readonly scale: ScalePaths | undefined
	/** Subresources beyond `status` and `scale`, such as `log`. */
	readonly subresources: readonly string[]
	/** Versions of a type share their objects: those are kept as this version. */
	readonly storageVersion: string
	/** Objects of this type live under `group/plural` of their home, which may be another group (events). */
	readonly storageKey: string
	readonly custom: CustomType | undefined
	/** From the stored object, and back. */
	readonly decode: (stored: KubeObject) => KubeObject
	readonly encode: (object: KubeObject) => KubeObject
}

export function apiVersionOf({
	group,
	version,
}: {
	readonly group: string
	readonly version: string
}): string {
	return group === '' ? version : `${group}/${version}`
}
