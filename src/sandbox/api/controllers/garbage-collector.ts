import type { KubeObject } from '../../../cluster/index.ts'
import { withMetadata } from '../fields.ts'
import { FOREGROUND, ORPHAN } from '../deletion.ts'
import type { StoreEvent } from '../store.ts'
import { keyOf } from './ownership.ts'
import type { Controller, ControllerContext } from './runtime.ts'

interface Dependent {
	readonly storageKey: string
	readonly namespace: string | undefined
	readonly name: string
}

/**
 * Objects go when the last of their owners went; owners that are deleted in the
 * foreground wait for their dependents, orphans are let go.
 */
export function garbageCollector({ api }: ControllerContext): Controller {
	/** Dependents by the uid of their owner. */
	const byOwner = new Map<string, Map<string, Dependent>>()
	const uids = new Map<string, string>()
	const note = (event: StoreEvent): void => {
		const { namespace, name, ownerReferences = [], uid = '' } = event.object.metadata
		const id = `${event.key} ${namespace ?? ''}/${name}`
		for (const owner of event.previous?.metadata.ownerReferences ?? []) byOwner.get(owner.uid)?.delete(id)
		if (event.type === 'DELETED') {
			uids.delete(uid)
			return
		}
		uids.set(uid, event.key)
		for (const owner of ownerReferences) {
			const dependents = byOwner.get(owner.uid) ?? new Map<string, Dependent>()
			byOwner.set(owner.uid, dependents.set(id, { storageKey: event.key, namespace, name }))
		}
	}
	const dependentsOf = (uid: string): readonly (readonly [Dependent, KubeObject])[] =>
		[...(byOwner.get(uid)?.values() ?? [])].flatMap((dependent) => {
			const object = api.store.get(dependent.storageKey, dependent)
			const owned = object?.metadata.ownerReferences?.some((owner) => owner.uid === uid) === true
			return object && owned ? [[dependent, object] as const] : []
		})
	const remove = ({ storageKey }: Dependent, object: KubeObject, propagation?: 'Foreground'): void => {
		const resource = api.catalog.stored(storageKey)
		if (resource && object.metadata.deletionTimestamp === undefined)
			api.delete(resource, keyOf(object), { propagation })
	}
	const release = (
		storageKey: string,
		object: KubeObject,
		change: (live: KubeObject) => KubeObject,
	): void => {
		const resource = api.catalog.stored(storageKey)
		if (resource) api.amend(resource, keyOf(object), change)
	}
	const ownerGone = (uid: string): void => {
		for (const [dependent, object] of dependentsOf(uid)) {
			const left = (object.metadata.ownerReferences ?? []).filter((owner) => uids.has(owner.uid))
			if (left.length === 0) remove(dependent, object)
			else release(dependent.storageKey, object, (live) => withMetadata(live, { ownerReferences: left }))
		}
		byOwner.delete(uid)
	}
	const finish = (storageKey: string, object: KubeObject): void => {
		const { uid = '', finalizers = [] } = object.metadata
		const without = (finalizer: string) => (live: KubeObject) =>
			withMetadata(live, {
				finalizers: (live.metadata.finalizers ?? []).filter((each) => each !== finalizer),
			})
		if (finalizers.includes(ORPHAN)) {
			for (const [dependent, child] of dependentsOf(uid)) {
				release(dependent.storageKey, child, (live) =>
					withMetadata(live, {
						ownerReferences: (live.metadata.ownerReferences ?? []).filter((owner) => owner.uid !== uid),
					}),
				)
			}
			release(storageKey, object, without(ORPHAN))
		} else if (finalizers.includes(FOREGROUND)) {
			const dependents = dependentsOf(uid)
			for (const [dependent, child] of dependents) remove(dependent, child, 'Foreground')
			const blocking = dependentsOf(uid).some(([, child]) =>
				child.metadata.ownerReferences?.some(
					(owner) => owner.uid === uid && owner.blockOwnerDeletion === true,
				),
			)
			if (!blocking) release(storageKey, object, without(FOREGROUND))
		}
	}
	const work = new Map<string, () => void>()
	return {
		affected: (event) => {
			note(event)
			const { uid = '', ownerReferences = [], deletionTimestamp } = event.object.metadata
			const keys: { readonly name: string }[] = []
			const plan = (name: string, run: () => void): void => {
				work.set(name, run)
				keys.push({ name })
			}
			if (event.type === 'DELETED') plan(`gone ${uid}`, () => ownerGone(uid))
			else if (deletionTimestamp !== undefined)
				plan(`ending ${uid}`, () => finishLive(event.key, event.object))
			for (const owner of ownerReferences) {
				if (event.type === 'DELETED' || event.type === 'ADDED')
					plan(`owner ${owner.uid}`, () => checkOwner(owner.uid))
			}
			return keys
		},
		reconcile: ({ name }) => {
			const run = work.get(name)
			work.delete(name)
			run?.()
		},
	}

	function finishLive(storageKey: string, object: KubeObject): void {
		const live = api.store.get(storageKey, keyOf(object))
		if (live?.metadata.deletionTimestamp !== undefined) finish(storageKey, live)
	}

	/** After a dependent came or went: its owner may be gone already, or wait for it. */
	function checkOwner(uid: string): void {
		const storageKey = uids.get(uid)
		if (storageKey === undefined) {
			ownerGone(uid)
			return
		}
		const owner = api.store.list(storageKey).find((object) => object.metadata.uid === uid)
		if (owner?.metadata.deletionTimestamp !== undefined) finish(storageKey, owner)
	}
}
