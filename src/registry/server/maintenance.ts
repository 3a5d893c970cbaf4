import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { LadingError } from '../../errors/index.ts'
import type { Log } from './context.ts'
import { DEFAULT_GRACE_MS } from './prune.ts'
import type { InUse, PruneReport } from './pruning.ts'
import type { RetentionRule } from './retention.ts'
import type { ScrubReport } from './scrub-report.ts'
import type { RegistryStorage } from './storage.ts'
import type { TagPattern } from './tag-pattern.ts'

export interface MaintenanceOptions {
	readonly storage: RegistryStorage
	readonly dataDirectory: string
	readonly rules: readonly RetentionRule[]
	/** Default one hour. */
	readonly graceMs?: number | undefined
	/** Between two prunings; default one hour. `0`: none. */
	readonly pruneIntervalMs?: number | undefined
	/** Between two scrubs; default seven days. `0`: none. */
	readonly scrubIntervalMs?: number | undefined
	readonly immutable?: TagPattern | undefined
	readonly digestsInUse?: (() => Promise<readonly InUse[]>) | undefined
	/** Number of requests that were answered so far: a scrub waits while it grows. */
	readonly requests: () => number
	readonly log: Log
}

export interface Maintenance {
	/** Ends what runs. */
	readonly stop: () => Promise<void>
}

const DEFAULT_PRUNE_INTERVAL_MS = 60 * 60 * 1000
const DEFAULT_SCRUB_INTERVAL_MS = 7 * 24 * 60 * 60 * 1000
/** A registry that was never scrubbed is, so long after its start. */
const FIRST_SCRUB_MS = 10 * 60 * 1000
/** What a scrub in the background reads at most, in bytes a second. */
const SCRUB_BYTES_A_SECOND = 8 * 1024 * 1024
/** How long it steps aside while requests come, and how often before it goes on nevertheless. */
const ASIDE_MS = 50
const MAX_ASIDE = 20
const MAX_TIMER_MS = 60 * 60 * 1000
const SCRUBBED_FILE = 'scrubbed'

/** What a registry does by itself: it removes what the rules let go and nobody needs, and looks for damage. */
export function startMaintenance(options: MaintenanceOptions): Maintenance {
	const stopped = new AbortController()
	const jobs = [
		repeat(
			() => options.pruneIntervalMs ?? DEFAULT_PRUNE_INTERVAL_MS,
			() => pruneNow(options, stopped.signal),
		),
		repeat(
			() => scrubIn(options),
			() => scrubNow(options, stopped.signal),
		),
	]
	async function repeat(waitMs: () => number, job: () => Promise<void>): Promise<void> {
		while (!stopped.signal.aborted) {
			const wait = waitMs()
			if (wait === Infinity || wait === 0) return
			await delay(Math.min(wait, MAX_TIMER_MS), undefined, { signal: stopped.signal, ref: false })
			// A clock that was set, or a machine that slept: asked again.
			if (wait > MAX_TIMER_MS) continue
			await job().catch((error: unknown) => {
				if (stopped.signal.aborted) return
				const why = error instanceof Error ? error.message : String(error)
				options.log({ level: 'error', message: `the registry could not look after itself: ${why}` })
			})
		}
	}
	const ended = Promise.all(jobs.map((job) => job.catch(() => undefined)))
	return {
		async stop() {
			stopped.abort()
			await ended
		},
	}
}

async function pruneNow(options: MaintenanceOptions, signal: AbortSignal): Promise<void> {
	const { storage, graceMs = DEFAULT_GRACE_MS, immutable, log } = options
	const known = await inUseOrUndefined(options)
	const report = await storage.prune({
		// What is in use is not known: only what nothing refers to goes.
		rules: known ? options.rules : [],
		inUse: known ?? [],
		graceMs,
		immutable,
		signal,
	})
	const message = pruned(report)
	if (message !== undefined) log({ level: 'info', message })
	for (const { repository, skipped } of report.repositories)
		if (skipped !== undefined)
			log({ level: 'warning', message: `nothing of ${repository} is removed: ${skipped}` })
}

async function inUseOrUndefined({
	digestsInUse,
	rules,
	log,
}: MaintenanceOptions): Promise<readonly InUse[] | undefined> {
	if (!digestsInUse || rules.length === 0) return []
	try {
		return await digestsInUse()
	} catch (error) {
		const why = error instanceof LadingError ? error.message : String(error)
		log({
			level: 'warning',
			message: `no rule of retention was followed, as what is in use is not known: ${why}`,
		})
		return undefined
	}
}

function pruned({ repositories, freedBytes }: PruneReport): string | undefined {
	const counts = { tag: 0, manifest: 0, blob: 0 }
	for (const { removed } of repositories) for (const { kind } of removed) counts[kind]++
	if (counts.tag + counts.manifest + counts.blob === 0) return undefined
	return `removed ${counts.tag} tags, ${counts.manifest} manifests and ${counts.blob} blobs (${freedBytes} bytes)`
}

async function scrubNow(options: MaintenanceOptions, signal: AbortSignal): Promise<void> {
	const { storage, log, dataDirectory } = options
	const report = await storage.scrub({ signal, pace: slowly(options.requests, signal) })
	recordScrub(dataDirectory, Date.now())
	for (const line of damageLines(report)) log({ level: 'error', message: line })
}

/** One line for each damaged content. */
function damageLines({ damaged, healed }: ScrubReport): readonly string[] {
	return [
		...damaged.map(({ digest, what, repositories }) => {
			const where = repositories.map(({ repository, tags }) => [repository, ...tags].join(' ')).join('; ')
			return `${digest} is damaged: ${what}; needed by ${where}; push it again to mend it`
		}),
		...healed.map((digest) => `${digest} was damaged on the disk and is written again`),
	]
}

/** A pace that keeps to a rate, and lets requests go before. */
function slowly(requests: () => number, signal: AbortSignal): (bytes: number) => Promise<void> {
	return async (bytes) => {
		await delay((bytes / SCRUB_BYTES_A_SECOND) * 1000, undefined, { signal, ref: false })
		for (let waited = 0; waited < MAX_ASIDE; waited++) {
			const before = requests()
			await delay(waited === 0 ? 1 : ASIDE_MS, undefined, { signal, ref: false })
			if (requests() === before) return
		}
	}
}

/** Milliseconds until the next scrub is due. Only when the last one ended is remembered, never what it found good. */
function scrubIn({ scrubIntervalMs = DEFAULT_SCRUB_INTERVAL_MS, dataDirectory }: MaintenanceOptions): number {
	if (scrubIntervalMs === 0) return Infinity
	const last = lastScrub(dataDirectory)
	if (last === undefined) return Math.min(FIRST_SCRUB_MS, scrubIntervalMs)
	return Math.max(1, Math.min(last, Date.now()) + scrubIntervalMs - Date.now())
}

/** When the last scrub of a directory ended; `undefined` where none did. */
function lastScrub(dataDirectory: string): number | undefined {
	try {
		const text = readFileSync(join(dataDirectory, SCRUBBED_FILE), 'utf8').trim()
		return /^\d{1,15}$/.test(text) ? Number(text) : undefined
	} catch {
		return undefined
	}
}

/** A scrub has ended now. That it is not written down only makes the next one come early. */
export function recordScrub(dataDirectory: string, now: number): void {
	try {
		writeFileSync(join(dataDirectory, SCRUBBED_FILE), `${now}\n`, { mode: 0o600 })
	} catch {
		// A full disk, for one.
	}
}
