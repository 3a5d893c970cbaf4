import type { KubeObject } from '../../cluster/index.ts'
import { Annotation, annotation } from './annotations.ts'
import { keyOf, type ResourceKey, withMetadata } from './resource-key.ts'

/** What `argocd.argoproj.io/tracking-id` says. @see util/argo/resource_tracking.go */
export interface TrackingId extends ResourceKey {
	readonly application: string
}

/**
 * `application:group/Kind:namespace/name`. A cluster-scoped object carries the
 * namespace of the application's destination.
 */
export function formatTrackingId(id: TrackingId): string {
	return `${id.application}:${id.group}/${id.kind}:${id.namespace}/${id.name}`
}

/** `undefined` for an object no application tracks. */
export function trackingIdOf(object: KubeObject): TrackingId | undefined {
	const match = /^([^:]*):([^/:]*)\/([^/:]*):([^/]*)\/([^/]*)$/.exec(
		annotation(object, Annotation.trackingId) ?? '',
	)
	if (match === null) return undefined
	const [, application = '', group = '', kind = '', namespace = '', name = ''] = match
	return { application, group, kind, namespace, name }
}

export function withTrackingId(
	object: KubeObject,
	owner: { readonly application: string; readonly namespace: string },
): KubeObject {
	const key = keyOf(object)
	const id = formatTrackingId({
		...key,
		application: owner.application,
		namespace: key.namespace === '' ? owner.namespace : key.namespace,
	})
	return withMetadata(object, {
		annotations: { ...object.metadata.annotations, [Annotation.trackingId]: id },
	})
}

/**
 * Whether the tracking id of a live object means this very object. It does not when
 * another controller copied the annotation to an object of its own.
 * @see controller/state.go isSelfReferencedObj
 */
export function isSelfReferenced(live: KubeObject | undefined, target: KubeObject | undefined): boolean {
	if (live === undefined || target !== undefined) return true
	const id = trackingIdOf(live)
	if (id === undefined) return true
	const key = keyOf(live)
	return (
		(key.namespace === id.namespace || key.namespace === '') &&
		key.name === id.name &&
		key.group === id.group &&
		key.kind === id.kind
	)
}
