import type { KubeObject } from '../../cluster/index.ts'
import { numberAt, textAt } from './fields.ts'
import type { ServedResource } from './resource.ts'
import { conflict, type StatusError } from './status-error.ts'

export interface DeleteRequest {
	readonly dryRun?: boolean | undefined
	readonly propagation?: 'Foreground' | 'Background' | 'Orphan' | undefined
	readonly graceSeconds?: number | undefined
	readonly uid?: string | undefined
	readonly resourceVersion?: string | undefined
}

/** The last state of the object, and whether it is gone or only marked. */
export interface Deleted {
	readonly object: KubeObject
	readonly gone: boolean
}

export const FOREGROUND = 'foregroundDeletion'
export const ORPHAN = 'orphan'

/** @throws StatusError `Conflict` when the object is not the one that is meant */
export function checkPreconditions(
	resource: ServedResource,
	{ metadata }: KubeObject,
	{ uid, resourceVersion }: DeleteRequest,
): void {
	if (uid !== undefined && uid !== metadata.uid) throw staleUid(resource, { metadata, uid })
	if (resourceVersion === undefined || resourceVersion === metadata.resourceVersion) return
	const why = `ResourceVersion in precondition: ${resourceVersion}, ResourceVersion in object meta: ${metadata.resourceVersion ?? ''}`
	throw conflict(resource, metadata.name, `Precondition failed: ${why}`)
}

/** The answer to a request for an object that has been replaced by another of its name. */
export function staleUid(
	resource: ServedResource,
	{ metadata, uid }: { readonly metadata: KubeObject['metadata']; readonly uid: string },
): StatusError {
	const why = `UID in precondition: ${uid}, UID in object meta: ${metadata.uid ?? ''}`
	return conflict(resource, metadata.name, `Precondition failed: ${why}`)
}

/** The finalizers after a request to delete. */
export function finalizersFor(
	finalizers: readonly string[],
	propagation: DeleteRequest['propagation'],
): readonly string[] {
	if (propagation === undefined) return finalizers
	const others = finalizers.filter((finalizer) => finalizer !== FOREGROUND && finalizer !== ORPHAN)
	if (propagation === 'Background') return others
	return [...others, propagation === 'Foreground' ? FOREGROUND : ORPHAN]
}

/** Seconds that an object has to end: only pods that run on a node end gracefully. */
export function graceOf(resource: ServedResource, object: KubeObject, asked: number | undefined): number {
	if (resource.storageKey !== '/pods' || textAt(object, 'spec', 'nodeName') === undefined) return 0
	const phase = textAt(object, 'status', 'phase')
	if (phase === 'Succeeded' || phase === 'Failed') return 0
	return asked ?? numberAt(object, 'spec', 'terminationGracePeriodSeconds') ?? 30
}
