import type { KubeObject } from '../../cluster/index.ts'
import type { Fields } from './fields.ts'
import { matcher, type ListRequest } from './listing.ts'
import type { ObjectApi } from './object-api.ts'
import type { ServedResource } from './resource.ts'
import { StatusError } from './status-error.ts'
import type { StoreEvent } from './store.ts'

/** A frame of a watch, before it is put into the form the client asked for. */
export type WatchFrame =
	| { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: KubeObject }
	| { readonly type: 'BOOKMARK'; readonly revision: number; readonly initialEventsEnd: boolean }
	| { readonly type: 'ERROR'; readonly status: Fields }

export interface WatchRequest extends ListRequest {
	/** Absent or `0`: the present objects first. */
	readonly resourceVersion?: string | undefined
	readonly sendInitialEvents?: boolean | undefined
	readonly bookmarks: boolean
	readonly timeoutMs: number
	readonly signal: AbortSignal
}

/** A client that reads slower than so many events is cut off and lists again. */
const MAX_QUEUE = 20_000
const BOOKMARK_MS = 30_000

/**
 * Watches a resource from the moment of the call. Ends with the signal, the time-out,
 * or when its client does not keep up.
 */
export function openWatch(
	api: ObjectApi,
	resource: ServedResource,
	request: WatchRequest,
): AsyncIterable<WatchFrame> {
	const matches = matcher(resource, request)
	const queue = new FrameQueue()
	const push = (event: StoreEvent): void => {
		const frame = event.key === resource.storageKey ? frameOf(event, matches) : undefined
		if (frame) queue.push({ ...frame, object: resource.decode(frame.object) })
	}
	const from = request.resourceVersion ?? ''
	const initial = request.sendInitialEvents ?? (from === '' || from === '0')
	if (initial) {
		for (const object of api.list(resource, { ...request, limit: undefined, continue: undefined }).items) {
			queue.push({ type: 'ADDED', object })
		}
		if (request.sendInitialEvents && request.bookmarks) {
			queue.push({ type: 'BOOKMARK', revision: api.store.revision, initialEventsEnd: true })
		}
	} else {
		const revision = /^\d+$/.test(from) ? Number(from) : Number.NaN
		const missed = revision <= api.store.revision ? api.store.since(revision, resource.storageKey) : undefined
		if (missed === undefined) {
			const status = new StatusError('Expired', `too old resource version: ${from} (${api.store.revision})`)
				.status
			queue.push({ type: 'ERROR', status })
			queue.end()
			return queue
		}
		for (const event of missed) push(event)
	}
	const stops = [api.store.subscribe(push)]
	if (request.bookmarks) {
		const timer = setInterval(() => {
			queue.push({ type: 'BOOKMARK', revision: api.store.revision, initialEventsEnd: false })
		}, BOOKMARK_MS)
		stops.push(() => clearInterval(timer))
	}
	const timer = setTimeout(() => queue.end(), request.timeoutMs)
	const abort = (): void => queue.end()
	request.signal.addEventListener('abort', abort, { once: true })
	stops.push(
		() => clearTimeout(timer),
		() => request.signal.removeEventListener('abort', abort),
	)
	queue.onEnd(() => {
		for (const stop of stops) stop()
	})
	if (request.signal.aborted) queue.end()
	return queue
}

function frameOf(
	event: StoreEvent,
	matches: (object: KubeObject) => boolean,
): (WatchFrame & { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' }) | undefined {
	const before = event.previous !== undefined && matches(event.previous)
	const after = event.type !== 'DELETED' && matches(event.object)
	if (before && after) return { type: 'MODIFIED', object: event.object }
	if (after) return { type: 'ADDED', object: event.object }
	return before ? { type: 'DELETED', object: event.object } : undefined
}

class FrameQueue implements AsyncIterable<WatchFrame> {
	private frames: WatchFrame[] = []
	private wake: (() => void) | undefined
	private ended = false
	private readonly endings: (() => void)[] = []

	push(frame: WatchFrame): void {
		if (this.ended) return
		if (this.frames.length >= MAX_QUEUE) {
			this.frames = []
			this.end()
			return
		}
		this.frames.push(frame)
		this.wake?.()
	}

	end(): void {
		if (this.ended) return
		this.ended = true
		for (const ending of this.endings) ending()
		this.wake?.()
	}

	onEnd(ending: () => void): void {
		this.endings.push(ending)
	}

	async *[Symbol.asyncIterator](): AsyncGenerator<WatchFrame> {
		try {
			while (true) {
				const frames = this.frames
				this.frames = []
				for (const frame of frames) yield frame
				if (this.frames.length > 0) continue
				if (this.ended) return
				await new Promise<void>((resolve) => {
					this.wake = resolve
				})
			}
		} finally {
			this.end()
		}
	}
}
