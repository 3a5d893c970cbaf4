import type { KubeObject, ObjectRef } from '../../cluster/index.ts'
import { groupOf, versionOf } from './object-fields.ts'

/** What names an object across versions of its kind. */
export interface ResourceKey {
	readonly group: string
	readonly kind: string
	/** Empty for cluster-scoped objects. */
	readonly namespace: string
	readonly name: string
}

export function keyOf(object: KubeObject): ResourceKey {
	return {
		group: groupOf(object.apiVersion),
		kind: object.kind,
		namespace: object.metadata.namespace ?? '',
		name: object.metadata.name,
	}
}

/** `group/Kind/namespace/name`, as Argo CD prints a key. */
export function keyText(key: ResourceKey): string {
	return `${key.group}/${key.kind}/${key.namespace}/${key.name}`
}

/** How an object is named in `status.resources` and in sync results. */
export function describe(object: KubeObject): {
	readonly group?: string
	readonly version: string
	readonly kind: string
	readonly namespace?: string
	readonly name: string
} {
	const { group, kind, namespace, name } = keyOf(object)
	return {
		...(group !== '' && { group }),
		version: versionOf(object.apiVersion),
		kind,
		...(namespace !== '' && { namespace }),
		name,
	}
}

export function withMetadata(object: KubeObject, metadata: Partial<KubeObject['metadata']>): KubeObject {
	return { ...object, metadata: { ...object.metadata, ...metadata } }
}

/** A reference the cluster port takes, from a key and a version. */
export function refFrom(key: ResourceKey, apiVersion: string): ObjectRef {
	return {
		apiVersion,
		kind: key.kind,
		name: key.name,
		...(key.namespace !== '' && { namespace: key.namespace }),
	}
}
