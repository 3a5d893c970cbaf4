import { LadingError } from '../../errors/index.ts'
import type { Digest, PinnedReference } from '../../oci/index.ts'
import type { ConnectedCluster } from '../clusters.ts'
import { type Progress, silentProgress } from '../progress.ts'
import { push, type PushOptions, type PushResult } from '../push.ts'
import type { Session } from '../session.ts'
import type { VersionChanges } from './changes.ts'
import type { DevEvent } from './event.ts'
import type { Save } from './follow-saves.ts'
import type { ParsableManifests } from './parsable-manifests.ts'
import { rollOut, type RolloutOptions } from './rollout.ts'

export interface WorkOptions extends RolloutOptions {
	readonly push: PushOptions
	readonly manifests: ParsableManifests
	readonly changes: VersionChanges
	readonly onEvent: (event: DevEvent) => void
}

/** Warnings that are remembered, so that each is told once. */
const MAX_WARNINGS = 1000

/** Packs, checks and pushes what is saved, and waits until it runs. One of it works on all saves, one after the other. */
export class SaveWorker {
	readonly #session: Session
	readonly #target: ConnectedCluster
	readonly #options: WorkOptions
	readonly #warned = new Set<string>()
	#isDeployed = false
	/** Pushed last. */
	#pushed: Digest | undefined
	/** Seen Healthy, and nothing was pushed since. */
	#settled: Digest | undefined
	/** What failed last, so that it is told once. */
	#failed: string | undefined

	constructor(session: Session, target: ConnectedCluster, options: WorkOptions) {
		this.#session = session
		this.#target = target
		this.#options = options
	}

	get pushed(): Digest | undefined {
		return this.#pushed
	}

	/** @throws what is no fault of registry, cluster or directory; and everything once the session is aborted */
	async work(save: Save): Promise<'done' | 'retry'> {
		const { onEvent } = this.#options
		const { number } = save
		if (!save.isRetry) {
			this.#failed = undefined
			onEvent({ event: 'saved', save: number })
		}
		// Signals of this save only: what listens to them goes with them.
		const whole = linked(this.#session.signal)
		const wait = linked(whole.signal, save.superseded)
		try {
			return await this.#try(save, { whole: whole.signal, wait: wait.signal })
		} catch (error) {
			this.#session.signal?.throwIfAborted()
			if (error instanceof LadingError && error.kind === 'bug') throw error
			if (save.superseded.aborted) {
				onEvent({ event: 'superseded', save: number })
				return 'done'
			}
			if (error instanceof LadingError) return this.#fail(save, error)
			throw error
		} finally {
			whole.unlink()
			wait.unlink()
		}
	}

	async #try(
		save: Save,
		signals: { readonly whole: AbortSignal; readonly wait: AbortSignal },
	): Promise<'done' | 'retry'> {
		const { number } = save
		const { clock, onEvent } = this.#options
		const session: Session = { ...this.#session, signal: signals.whole, progress: this.#progress(number) }
		const since = (): number => clock.now() - save.at
		// A push is finished also when a newer save is there: that takes less time than to begin anew.
		const { reference, outcome, files, sentBytes } = await this.#push(session)
		const { digest } = reference
		if (outcome === 'pushed') {
			onEvent({ event: 'pushed', save: number, digest, files, sentBytes, ms: since() })
		} else if (digest === this.#pushed && !save.isRetry) {
			onEvent({ event: 'unchanged', save: number, digest })
		}
		this.#pushed = digest
		if (digest === this.#settled && outcome === 'unchanged') return 'done'
		this.#settled = undefined
		save.superseded.throwIfAborted()
		const [rolled, told] = await Promise.allSettled([
			rollOut({ ...session, signal: signals.wait }, this.#target, {
				...this.#options,
				digest,
				isDeployed: this.#isDeployed,
				onProgress: distinct((text) => {
					this.#isDeployed = true
					onEvent({ event: 'progress', save: number, text })
				}),
				onSynced: () => onEvent({ event: 'synced', save: number, digest, ms: since() }),
				onUnhealthy: (resources) => onEvent({ event: 'unhealthy', save: number, resources }),
			}),
			this.#tellChanges(session, save, reference),
		])
		for (const each of [rolled, told]) if (each.status === 'rejected') throw each.reason
		this.#settled = digest
		this.#failed = undefined
		onEvent({ event: 'healthy', save: number, digest, ms: since() })
		return 'done'
	}

	async #push(session: Session): Promise<PushResult> {
		const { push: options, changes, manifests } = this.#options
		await manifests.require(session)
		if (this.#pushed === undefined) await changes.begin(session, options.reference)
		return await push(session, options)
	}

	async #tellChanges(session: Session, save: Save, reference: PinnedReference): Promise<void> {
		try {
			const changes = await this.#options.changes.next(session, reference)
			if (changes) this.#options.onEvent({ event: 'changes', save: save.number, ...changes })
		} catch (error) {
			if (!(error instanceof LadingError)) throw error
			session.progress.warn(`what has changed cannot be told: ${error.message}`, error.hint)
		}
	}

	#fail(save: Save, error: LadingError): 'done' | 'retry' {
		// Written while it was read: the next look finds it as it is then.
		if (error.code === 'FILE_CHANGED' && !save.isRetry) return 'retry'
		const isRefused = error.kind === 'input' || error.code === 'ARTIFACT_REFUSED'
		const text = [error.code, error.message, ...error.details].join('\n')
		if (text !== this.#failed)
			this.#options.onEvent({ event: isRefused ? 'refused' : 'failed', save: save.number, error })
		this.#failed = text
		this.#isDeployed = false
		// These go away by themselves: somebody starts the registry again, or a pod runs at last.
		const mayPass = error.kind === 'unavailable' || error.kind === 'timeout'
		return mayPass || error.code === 'APPLICATION_DEGRADED' ? 'retry' : 'done'
	}

	/** What the flows say of their steps becomes events. */
	#progress(save: number): Progress {
		const { onEvent } = this.#options
		const tell = distinct((text: string) => onEvent({ event: 'progress', save, text }))
		return {
			...silentProgress,
			step(title) {
				tell(title)
				return silentProgress.step(title)
			},
			warn: (message, hint) => {
				if (this.#warned.has(message)) return
				if (this.#warned.size >= MAX_WARNINGS) this.#warned.clear()
				this.#warned.add(message)
				onEvent({ event: 'warning', message, hint })
			},
		}
	}
}

/** Tells what is another than the time before. */
function distinct(tell: (text: string) => void): (text: string) => void {
	let last: string | undefined
	return (text) => {
		if (text !== last) tell(text)
		last = text
	}
}

/** A signal that aborts with any of others, and can be taken off them: they live longer. */
function linked(...signals: readonly (AbortSignal | undefined)[]): {
	readonly signal: AbortSignal
	readonly unlink: () => void
} {
	const controller = new AbortController()
	const abort = (): void => controller.abort()
	for (const signal of signals) {
		if (signal?.aborted === true) abort()
		signal?.addEventListener('abort', abort, { once: true })
	}
	return {
		signal: controller.signal,
		unlink() {
			for (const signal of signals) signal?.removeEventListener('abort', abort)
		},
	}
}
