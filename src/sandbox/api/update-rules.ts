import { isDeepStrictEqual } from 'node:util'
import type { KubeObject } from '../../cluster/index.ts'
import { at, fieldsOf, listAt, withMetadata } from './fields.ts'
import type { ServedResource } from './resource.ts'

/** Which part of an object a request changes: all but the status, or a subresource's part. */
export type Part = 'status' | 'finalize' | undefined

const NO_GENERATION = new Set([
	'/configmaps',
	'/secrets',
	'/services',
	'/namespaces',
	'/nodes',
	'/events',
	'/endpoints',
	'/serviceaccounts',
	'/persistentvolumeclaims',
	'/persistentvolumes',
	'coordination.k8s.io/leases',
])

/** Whether the API counts the changes of what is wished for, `metadata.generation`. */
export function hasGeneration(resource: ServedResource): boolean {
	return !NO_GENERATION.has(resource.storageKey) && resource.group !== 'rbac.authorization.k8s.io'
}

/** What an update cannot change. */
export function systemMetadata({ metadata }: KubeObject): Record<string, unknown> {
	const { uid, creationTimestamp, deletionTimestamp, generation, resourceVersion } = metadata
	const graceSeconds = at(metadata, 'deletionGracePeriodSeconds')
	return {
		uid,
		creationTimestamp,
		deletionTimestamp,
		generation,
		resourceVersion,
		deletionGracePeriodSeconds: graceSeconds,
	}
}

/** A subresource changes its own part only, and the main resource leaves the status alone. */
export function confined(
	resource: ServedResource,
	{
		before,
		after,
		subresource,
	}: {
		readonly before: KubeObject
		readonly after: KubeObject
		readonly subresource: Part
	},
): KubeObject {
	switch (subresource) {
		case 'status':
			return withMetadata(
				{ ...before, status: after['status'] },
				{ managedFields: after.metadata.managedFields },
			)
		case 'finalize':
			return { ...before, spec: after['spec'] }
		case undefined: {
			if (!resource.status) return after
			const { status: _, ...rest } = after
			const kept = before['status'] === undefined ? rest : { ...rest, status: before['status'] }
			return kept
		}
	}
}

export function bumpsGeneration(resource: ServedResource, before: KubeObject, after: KubeObject): boolean {
	if (!hasGeneration(resource)) return false
	const relevant = (object: KubeObject): unknown => {
		const { metadata: _, status, ...rest } = object
		return resource.custom && !resource.status ? { ...rest, status } : rest
	}
	return !isDeepStrictEqual(relevant(before), relevant(after))
}

/** For comparing: when who wrote it is not a change. */
function stripped(object: KubeObject): unknown {
	const managers = listAt(object, 'metadata', 'managedFields').map((entry) => {
		const { time: _, ...rest } = fieldsOf(entry)
		return rest
	})
	return { ...object, metadata: { ...object.metadata, managedFields: managers } }
}

/** Whether two states of an object differ in more than the times of its managed fields. */
export function isSameState(before: KubeObject, after: KubeObject): boolean {
	return isDeepStrictEqual(stripped(before), stripped(after))
}
