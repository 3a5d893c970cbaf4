import { createHash } from 'node:crypto'
import { InternalError } from '../../../errors/index.ts'
import type { KubeObject, OwnerReference } from '../../../cluster/index.ts'
import { fieldsAt, listAt, textAt, textsAt, withMetadata, type Fields } from '../fields.ts'
import type { ObjectApi } from '../object-api.ts'
import type { ServedResource } from '../resource.ts'
import type { ObjectKey, StoreEvent } from '../store.ts'

export const PODS = '/pods'
export const NODE = 'lading-sandbox'
/** Pods made in one go: what a typing error asks for must not fill the memory at once. */
export const MAX_PODS = 500

/** A built-in resource in its storage version. */
export function builtIn(api: ObjectApi, storageKey: string): ServedResource {
	const resource = api.catalog.stored(storageKey)
	if (resource === undefined) throw new InternalError(`${storageKey} is not served`)
	return resource
}

export function keyOf({ metadata: { namespace, name } }: KubeObject): ObjectKey {
	return { namespace, name }
}

function controllerOf(object: KubeObject): OwnerReference | undefined {
	return object.metadata.ownerReferences?.find((owner) => owner.controller === true)
}

/** The objects of a type that `owner` controls. */
export function ownedBy(api: ObjectApi, storageKey: string, owner: KubeObject): readonly KubeObject[] {
	return api.store
		.list(storageKey, owner.metadata.namespace)
		.filter((object) => controllerOf(object)?.uid === owner.metadata.uid)
}

export function ownerReference(owner: KubeObject): OwnerReference {
	const { name, uid = '' } = owner.metadata
	return {
		apiVersion: owner.apiVersion,
		kind: owner.kind,
		name,
		uid,
		controller: true,
		blockOwnerDeletion: true,
	}
}

/** The keys affected when an object of `own`, or of `children` with an owner of this kind, changes. */
export function ownOrChild(
	event: StoreEvent,
	{ own, kind, children }: { readonly own: string; readonly kind: string; readonly children: string },
): readonly ObjectKey[] {
	if (event.key === own) return [keyOf(event.object)]
	if (event.key !== children) return []
	const owner = controllerOf(event.object)
	return owner?.kind === kind ? [{ namespace: event.object.metadata.namespace, name: owner.name }] : []
}

/** A pod after the template of its owner. */
export function podFrom(
	owner: KubeObject,
	template: unknown,
	{ metadata, spec }: { readonly metadata: Fields; readonly spec?: Fields },
): Fields {
	return {
		apiVersion: 'v1',
		kind: 'Pod',
		metadata: {
			annotations: fieldsAt(template, 'metadata', 'annotations'),
			...metadata,
			namespace: owner.metadata.namespace,
			labels: { ...textsAt(template, 'metadata', 'labels'), ...fieldsAt(metadata, 'labels') },
			ownerReferences: [ownerReference(owner)],
		},
		spec: { ...fieldsAt(template, 'spec'), ...spec },
	}
}

/** Ten characters in Kubernetes' alphabet for hashes. */
export function templateHash(template: unknown): string {
	const alphabet = 'bcdfghjklmnpqrstvwxz2456789'
	const digest = createHash('sha256').update(canonical(template)).digest()
	return [...digest.subarray(0, 10)].map((byte) => alphabet[byte % alphabet.length] ?? 'x').join('')
}

/** JSON with sorted keys, so that equal templates are equal texts. */
export function canonical(value: unknown): string {
	return JSON.stringify(value, (_, child: unknown) =>
		typeof child === 'object' && child !== null && !Array.isArray(child)
			? Object.fromEntries(Object.entries(child).sort(([a], [b]) => (a < b ? -1 : 1)))
			: child,
	)
}

export function hasCondition(object: KubeObject, type: string): boolean {
	return listAt(object, 'status', 'conditions').some(
		(condition) => textAt(condition, 'type') === type && textAt(condition, 'status') === 'True',
	)
}

export function isReady(pod: KubeObject): boolean {
	return pod.metadata.deletionTimestamp === undefined && hasCondition(pod, 'Ready')
}

/** Whether a pod counts for its owner: neither ending nor ended. */
export function isActive(pod: KubeObject): boolean {
	const phase = textAt(pod, 'status', 'phase')
	return pod.metadata.deletionTimestamp === undefined && phase !== 'Succeeded' && phase !== 'Failed'
}

export interface Condition {
	readonly type: string
	readonly status: 'True' | 'False' | 'Unknown'
	readonly reason?: string | undefined
	readonly message?: string | undefined
}

/** The conditions with one set; times move only with what they stand for. */
export function setCondition(
	conditions: readonly unknown[],
	condition: Condition,
	{ time, updates = false }: { readonly time: string; readonly updates?: boolean },
): readonly unknown[] {
	const old = conditions.find((each) => textAt(each, 'type') === condition.type)
	const same =
		textAt(old, 'status') === condition.status &&
		textAt(old, 'reason') === condition.reason &&
		textAt(old, 'message') === condition.message
	if (old !== undefined && same) return conditions
	const transition =
		old !== undefined && textAt(old, 'status') === condition.status ? textAt(old, 'lastTransitionTime') : time
	const renewed = {
		...condition,
		...(updates && { lastUpdateTime: time }),
		lastTransitionTime: transition ?? time,
	}
	return old === undefined
		? [...conditions, renewed]
		: conditions.map((each) => (each === old ? renewed : each))
}

/** Sets the status of an object as its controller does. */
export function setStatus(
	api: ObjectApi,
	resource: ServedResource,
	{ object, status }: { readonly object: KubeObject; readonly status: Fields },
): void {
	api.amend(resource, keyOf(object), (live) => ({ ...live, status }))
}

export function withAnnotations(
	object: KubeObject,
	annotations: Readonly<Record<string, string>>,
): KubeObject {
	return withMetadata(object, { annotations: { ...object.metadata.annotations, ...annotations } })
}
