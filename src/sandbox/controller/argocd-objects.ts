import type { Cluster, KubeObject, ResourceType, WatchEvent } from '../../cluster/index.ts'

/** A set of objects kept current by a watch. */
export interface WatchedObjects {
	readonly all: ReadonlyMap<string, KubeObject>
	/** Takes in what a write answered, before the watch tells it. */
	record(object: KubeObject): void
	remove(name: string): void
	/** Resolves when the present state is known. */
	readonly ready: Promise<void>
}

export interface WatchedOptions {
	readonly cluster: Cluster
	readonly namespace: string
	readonly signal: AbortSignal
	readonly onChange?: ((name: string) => void) | undefined
	readonly onError: (error: unknown) => void
}

/** Follows the objects of one kind in one namespace. */
export function watchObjects(type: ResourceType, options: WatchedOptions): WatchedObjects {
	const all = new Map<string, KubeObject>()
	const { cluster, namespace, signal, onChange, onError } = options
	const put = (object: KubeObject): void => {
		const present = all.get(object.metadata.name)
		if (present !== undefined && isStale(object, present)) return
		all.set(object.metadata.name, object)
		onChange?.(object.metadata.name)
	}
	const remove = (name: string): void => {
		if (all.delete(name)) onChange?.(name)
	}
	const take = (event: WatchEvent): void => {
		if (event.type === 'DELETED') return remove(event.object.metadata.name)
		if (event.type !== 'RESYNCED') return put(event.object)
		const names = new Set(event.items.map((each) => each.metadata.name))
		for (const name of all.keys()) if (!names.has(name)) remove(name)
		for (const object of event.items) put(object)
	}
	const ready = new Promise<void>((resolve) => {
		const run = async (): Promise<void> => {
			for await (const event of cluster.watch(type, { namespace, signal })) {
				take(event)
				resolve()
			}
		}
		run()
			.catch((error: unknown) => {
				if (!signal.aborted) onError(error)
			})
			.finally(resolve)
	})
	return { all, record: put, remove, ready }
}

function isStale(object: KubeObject, present: KubeObject): boolean {
	const left = object.metadata.resourceVersion ?? ''
	const right = present.metadata.resourceVersion ?? ''
	if (object.metadata.uid !== present.metadata.uid || !/^\d+$/.test(left) || !/^\d+$/.test(right))
		return false
	return Number(left) <= Number(right)
}
