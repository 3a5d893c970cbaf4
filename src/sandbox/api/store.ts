import type { KubeObject } from '../../cluster/index.ts'
import { withMetadata } from './fields.ts'

/** A change as watches and controllers see it, in the order of `revision`. */
export interface StoreEvent {
	readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'
	/** The storage key of the type, `apps/deployments`. */
	readonly key: string
	/** After the change; of a deletion the last state, with the revision of the deletion. */
	readonly object: KubeObject
	readonly previous: KubeObject | undefined
	readonly revision: number
}

/** Events kept for watches that resume; older ones answer 410. */
const EVENT_LOG_SIZE = 4096

export interface ObjectKey {
	readonly namespace?: string | undefined
	readonly name: string
}

/**
 * Every object, in memory, with one revision counter for all of them. Objects are
 * values: a change replaces them.
 */
export class Store {
	private readonly objects = new Map<string, Map<string, KubeObject>>()
	private readonly listeners = new Set<(event: StoreEvent) => void>()
	private log: StoreEvent[] = []
	private keep: (event: StoreEvent) => void = () => undefined
	private current: number
	private count = 0
	/** The revision before the first event that is still known. */
	private horizon: number

	constructor(revision = 1) {
		this.current = revision
		this.horizon = revision
	}

	get revision(): number {
		return this.current
	}

	get(key: string, { namespace, name }: ObjectKey): KubeObject | undefined {
		return this.objects.get(key)?.get(idOf(namespace, name))
	}

	/** Sorted by namespace and name. */
	list(key: string, namespace?: string): readonly KubeObject[] {
		const all = this.objects.get(key)
		if (all === undefined) return []
		const found: [string, KubeObject][] = []
		for (const entry of all) {
			if (namespace === undefined || entry[1].metadata.namespace === namespace) found.push(entry)
		}
		found.sort(([a], [b]) => (a < b ? -1 : 1))
		return found.map(([, object]) => object)
	}

	keys(): readonly string[] {
		return [...this.objects.keys()]
	}

	/** How many objects there are, of all types. */
	get size(): number {
		return this.count
	}

	/** What keeps a change before it is made; where it throws, the change is not made. */
	keepWith(keep: (event: StoreEvent) => void): void {
		this.keep = keep
	}

	put(key: string, object: KubeObject): KubeObject {
		const revision = this.current + 1
		const stored = withMetadata(object, { resourceVersion: String(revision) })
		const id = idOf(stored.metadata.namespace, stored.metadata.name)
		const previous = this.objects.get(key)?.get(id)
		const type = previous ? 'MODIFIED' : 'ADDED'
		this.commit({ type, key, object: stored, previous, revision }, () => {
			this.of(key).set(id, stored)
			if (previous === undefined) this.count++
		})
		return stored
	}

	remove(key: string, { namespace, name }: ObjectKey): KubeObject | undefined {
		const previous = this.objects.get(key)?.get(idOf(namespace, name))
		if (previous === undefined) return undefined
		const revision = this.current + 1
		const object = withMetadata(previous, { resourceVersion: String(revision) })
		this.commit({ type: 'DELETED', key, object, previous, revision }, () => {
			this.of(key).delete(idOf(namespace, name))
			this.count--
		})
		return object
	}

	/** Puts back what was kept on disk: no event, no new revision. */
	restore(key: string, object: KubeObject): void {
		this.of(key).set(idOf(object.metadata.namespace, object.metadata.name), object)
		this.count++
	}

	/** Called after each change, in order, synchronously; returns the way to end it. */
	subscribe(listener: (event: StoreEvent) => void): () => void {
		this.listeners.add(listener)
		return () => void this.listeners.delete(listener)
	}

	/** The events after a revision, or `undefined` when they are no longer known. */
	since(revision: number, key: string): readonly StoreEvent[] | undefined {
		if (revision < this.horizon) return undefined
		return this.log.filter((event) => event.revision > revision && event.key === key)
	}

	private of(key: string): Map<string, KubeObject> {
		const known = this.objects.get(key)
		if (known) return known
		const created = new Map<string, KubeObject>()
		this.objects.set(key, created)
		return created
	}

	private commit(event: StoreEvent, change: () => void): void {
		this.keep(event)
		this.current = event.revision
		change()
		this.log.push(event)
		if (this.log.length > EVENT_LOG_SIZE * 2) {
			this.log = this.log.slice(-EVENT_LOG_SIZE)
			this.horizon = (this.log[0]?.revision ?? this.current) - 1
		}
		for (const listener of this.listeners) listener(event)
	}
}

/** Sorts as (namespace, name) do: no name contains a character below `/` but `-` and `.`. */
function idOf(namespace: string | undefined, name: string): string {
	return `${namespace ?? ''}\u0000${name}`
}
