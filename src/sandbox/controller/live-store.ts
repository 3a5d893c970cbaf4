import type { Cluster, KubeObject, ResourceType, WatchEvent } from '../../cluster/index.ts'
import { groupOf } from './object-fields.ts'
import { keyOf, keyText, type ResourceKey } from './resource-key.ts'
import { isSelfReferenced, trackingIdOf } from './tracking.ts'

/** The tracked objects of the kinds in use, kept current by one watch for each kind. */
export interface LiveStore {
	/** Starts following a kind; resolves when its present state is known. */
	follow(type: ResourceType): Promise<void>
	/** Every object an application tracks, of the kinds followed. */
	trackedBy(application: string): readonly KubeObject[]
	get(key: ResourceKey): KubeObject | undefined
	/** Takes in what a write answered, before the watch tells it. */
	record(object: KubeObject): void
	forget(key: ResourceKey): void
}

export interface LiveStoreOptions {
	readonly cluster: Cluster
	readonly signal: AbortSignal
	/** Something an application tracks has changed. */
	readonly onChange: (application: string) => void
	/** A watch ended by a fault that reconnecting cannot mend. */
	readonly onError: (error: unknown) => void
}

export function createLiveStore(options: LiveStoreOptions): LiveStore {
	const objects = new Map<string, KubeObject>()
	const kinds = new Map<string, Promise<void>>()

	const put = (object: KubeObject): void => {
		const key = keyText(keyOf(object))
		const present = objects.get(key)
		if (present !== undefined && isOlder(object, present)) return
		const before = present && trackingIdOf(present)?.application
		const after = isOwned(object) ? undefined : trackingIdOf(object)?.application
		if (after === undefined) objects.delete(key)
		else objects.set(key, object)
		for (const application of new Set([before, after])) {
			if (application !== undefined) options.onChange(application)
		}
	}
	const remove = (key: string): void => {
		const present = objects.get(key)
		if (present === undefined) return
		objects.delete(key)
		const application = trackingIdOf(present)?.application
		if (application !== undefined) options.onChange(application)
	}
	const take = (event: WatchEvent, kind: string): void => {
		if (event.type === 'DELETED') return remove(keyText(keyOf(event.object)))
		if (event.type !== 'RESYNCED') return put(event.object)
		const present = new Set(event.items.map((each) => keyText(keyOf(each))))
		for (const key of objects.keys()) {
			if (key.startsWith(kind) && !present.has(key)) remove(key)
		}
		for (const object of event.items) put(object)
	}
	const follow = (type: ResourceType, kind: string): Promise<void> =>
		new Promise((resolve) => {
			const run = async (): Promise<void> => {
				for await (const event of options.cluster.watch(type, { signal: options.signal })) {
					take(event, kind)
					resolve()
				}
			}
			run()
				.catch((error: unknown) => {
					kinds.delete(kind)
					if (!options.signal.aborted) options.onError(error)
				})
				.finally(resolve)
		})

	return {
		follow(type) {
			const kind = `${groupOf(type.apiVersion)}/${type.kind}/`
			const started = kinds.get(kind) ?? follow(type, kind)
			kinds.set(kind, started)
			return started
		},
		trackedBy: (application) =>
			[...objects.values()].filter((each) => trackingIdOf(each)?.application === application),
		get: (key) => objects.get(keyText(key)),
		record: put,
		forget: (key) => remove(keyText(key)),
	}
}

/** Made by another object's controller, with annotations copied from it: not the application's own. */
function isOwned(object: KubeObject): boolean {
	return (
		object.metadata.ownerReferences?.some((each) => each.controller === true) === true &&
		!isSelfReferenced(object, undefined)
	)
}

/** Only a server that counts its versions up, as the sandbox does, lets them be compared. */
function isOlder(object: KubeObject, than: KubeObject): boolean {
	const left = object.metadata.resourceVersion ?? ''
	const right = than.metadata.resourceVersion ?? ''
	if (object.metadata.uid !== than.metadata.uid || !/^\d+$/.test(left) || !/^\d+$/.test(right)) return false
	return Number(left) < Number(right)
}
