import { setTimeout as delay } from 'node:timers/promises'
import { LadingError } from '../errors/index.ts'
import { isTag } from '../oci/index.ts'
import type { PushEvent } from '../registry/server/index.ts'
import type { ClusterChoice } from './chosen-cluster.ts'
import { silentProgress } from './progress.ts'
import type { refreshFollowers } from './refresh-followers.ts'
import type { Pushed } from './refresh-in.ts'
import { UNTOLD_AGENT } from './registries.ts'
import type { Session } from './session.ts'

/** What comes within this time is told together, in milliseconds. */
const GATHER_MS = 200
/** Pushes that wait while a cluster does not answer; the oldest go first. */
const MAX_WAITING = 1000

export interface RefreshOnPushOptions {
	/** Which cluster it is now. */
	readonly choice: () => Promise<ClusterChoice>
	readonly log: (message: string) => void
	/** Default {@link refreshFollowers}. */
	readonly refresh?: typeof refreshFollowers
}

export interface PushFollower {
	/** The port of the registry: returns at once. */
	readonly onPush: (event: PushEvent) => void
	/** Gives up what is under way. */
	close(): Promise<void>
}

/** A registry starts without what talks to a cluster: most are never followed. */
const refreshLater: typeof refreshFollowers = async (...args) =>
	await (await import('./refresh-followers.ts')).refreshFollowers(...args)

/**
 * Refreshes the Applications that follow what anybody pushes into the project's registry,
 * in the project's cluster. It is a courtesy: whatever goes wrong is logged, no more.
 */
export function refreshOnPush(session: Session, options: RefreshOnPushOptions): PushFollower {
	const { choice, log, refresh = refreshLater } = options
	const stop = new AbortController()
	const { signal } = stop
	/** By repository and digest. */
	const waiting = new Map<string, Pushed>()
	let running: Promise<void> | undefined

	const tell = async (pushed: Pushed): Promise<void> => {
		try {
			const warn = (text: string): void => log(`after a push to ${pushed.reference.repository}: ${text}`)
			const told = { ...session, signal, progress: { ...silentProgress, warn } }
			const names = await refresh(told, [pushed], { ...(await choice()), demanded: false })
			if (names.length > 0)
				log(`after a push to ${pushed.reference.repository}: refreshed ${names.join(', ')}`)
		} catch (error) {
			if (signal.aborted) return
			const why = error instanceof LadingError ? error.message : String(error)
			log(`after a push to ${pushed.reference.repository}: no Application was refreshed: ${why}`)
		}
	}
	const run = async (): Promise<void> => {
		while (waiting.size > 0 && !signal.aborted) {
			await delay(GATHER_MS, undefined, { signal }).catch(() => undefined)
			const batch = [...waiting.values()]
			waiting.clear()
			for (const pushed of batch) if (!signal.aborted) await tell(pushed)
		}
		running = undefined
	}
	return {
		onPush({ repository, digest, tag, userAgent }) {
			if (tag === undefined || !isTag(tag) || userAgent === UNTOLD_AGENT) return
			const registry = session.workspace.state().registry?.endpoint.push
			if (registry === undefined) return
			const key = `${repository}@${digest}`
			const tags = [...new Set([...(waiting.get(key)?.tags ?? []), tag])]
			waiting.set(key, { reference: { registry, repository, digest }, tags, outcome: 'pushed' })
			const [oldest] = waiting.keys()
			if (waiting.size > MAX_WAITING && oldest !== undefined) waiting.delete(oldest)
			running ??= run()
		},
		async close() {
			stop.abort()
			await running
		},
	}
}
