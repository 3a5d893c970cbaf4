import { setTimeout as delay } from 'node:timers/promises'
import type { Application } from '../argocd/index.ts'
import { RemoteError } from '../errors/index.ts'

export interface WatchApplicationPorts {
	/** The present state; `undefined` when there is none. */
	readonly get: (signal: AbortSignal | undefined) => Promise<Application | undefined>
	/** A stream that tells what there is, then every change. */
	readonly open: (signal: AbortSignal | undefined) => AsyncIterable<unknown>
	readonly parse: (message: unknown) => { readonly deleted: boolean; readonly application: Application }
	readonly signal?: AbortSignal | undefined
	readonly sleep?: ((milliseconds: number, signal: AbortSignal | undefined) => Promise<void>) | undefined
}

const FIRST_DELAY_MS = 100
const MAX_DELAY_MS = 10_000
/** A stream that says nothing for so long has nothing to tell of what there is. */
const BEGIN_MS = 2000
/** Kinds of failures that a new connection does not mend. */
const FINAL: ReadonlySet<string> = new Set(['denied', 'tls', 'usage', 'input'])

export const pause = async (milliseconds: number, signal: AbortSignal | undefined): Promise<void> =>
	await delay(milliseconds, undefined, signal ? { signal } : {})

/**
 * Follows an Application over Argo CD's stream, across reconnects. Argo CD tells what there is from a cache,
 * subscribes to changes only then, and says nothing at all of what is not there. So the state is asked for once the
 * stream has begun; events that are no newer are left out.
 * @see argo-cd server/application/application.go Watch
 */
export async function* watchApplication(
	ports: WatchApplicationPorts,
): AsyncGenerator<Application | undefined, void, undefined> {
	const { signal, sleep = pause } = ports
	let wait = FIRST_DELAY_MS
	const ended = (): boolean => signal?.aborted === true
	while (!ended()) {
		try {
			let told = 0
			for await (const application of followOnce(ports)) {
				// Only what comes by the stream shows that it works: one that breaks at once is not opened at full speed.
				if (told++ > 0) wait = FIRST_DELAY_MS
				yield application
			}
		} catch (error) {
			if (ended()) return
			if (!(error instanceof RemoteError) || FINAL.has(error.kind)) throw error
		}
		try {
			await sleep(wait, signal)
		} catch {
			return
		}
		wait = Math.min(wait * 2, MAX_DELAY_MS)
	}
}

/** One connection's worth. */
async function* followOnce({
	get,
	open,
	parse,
	signal,
	sleep = pause,
}: WatchApplicationPorts): AsyncGenerator<Application | undefined, void, undefined> {
	const stop = new AbortController()
	const both = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal
	const messages = open(both)[Symbol.asyncIterator]()
	try {
		let next = messages.next()
		const begun = next.then(noted, noted)
		let state = await get(both)
		if (state !== undefined) {
			await Promise.race([begun, sleep(BEGIN_MS, both).catch(noted)])
			state = await get(both)
		}
		let seen = versionOf(state)
		yield state
		for (let message = await next; message.done !== true; message = await next) {
			next = messages.next()
			// The failure of a message that nobody waits for any more is no news.
			next.catch(noted)
			const { deleted, application } = parse(message.value)
			const version = versionOf(application)
			if (!deleted && seen !== undefined && version !== undefined && version <= seen) continue
			seen = deleted ? undefined : version
			yield deleted ? undefined : application
		}
	} finally {
		stop.abort()
	}
}

function noted(): void {}

/** Argo CD itself compares these as numbers, to leave out what it has told already. */
function versionOf(application: Application | undefined): bigint | undefined {
	const version = application?.metadata.resourceVersion ?? ''
	return /^\d+$/.test(version) ? BigInt(version) : undefined
}
