/** One or more saves that are taken together. */
export interface Save {
	/** From 1. */
	readonly number: number
	/** When the last of them was seen, on the clock of {@link FollowSavesPorts}. */
	readonly at: number
	/** Nothing was saved: what failed before is tried again. */
	readonly isRetry: boolean
	/** Aborts when a newer one is there. */
	readonly superseded: AbortSignal
}

export interface Clock {
	/** Milliseconds of a clock that never goes back. */
	now(): number
	/** Runs `task` after so many milliseconds, unless what is returned is called before. */
	after(milliseconds: number, task: () => void): () => void
}

export interface FollowSavesPorts {
	/** Opens the watch; `onHint` is told that something may have changed. */
	readonly watch: (onHint: () => void) => {
		readonly isComplete: boolean
		look(): Promise<boolean>
		close(): void
	}
	/** Works on a save; one at a time. What it throws ends it all. */
	readonly work: (save: Save) => Promise<'done' | 'retry'>
	readonly clock: Clock
	readonly signal?: AbortSignal | undefined
}

/** So long nothing must happen before a save counts as done: editors write more than once. In milliseconds. */
const QUIET_MS = 40
/** What is written without end is looked at nevertheless, after so many milliseconds. */
const LONGEST_QUIET_MS = 1000
/** Between looks that nothing gave a hint for: events get lost, and some file systems have none. */
const POLL_MS = 3000
const POLL_WITHOUT_EVENTS_MS = 500
/** A look takes a part of the time at most, however many files there are: one in so many. */
const LOOK_SHARE = 20
const FIRST_RETRY_MS = 1000
const LONGEST_RETRY_MS = 30_000

/**
 * Works on what is saved until the signal aborts: first on what is there, then on every change. What is saved during
 * work is taken together afterwards, so that the newest state wins and none is worked on twice at a time.
 * @throws what `work` throws
 */
export async function followSaves(ports: FollowSavesPorts): Promise<void> {
	const { signal } = ports
	if (signal?.aborted === true) return
	await new Promise<void>((resolve, reject) => {
		const follower = new SaveFollower(ports, (error) => {
			signal?.removeEventListener('abort', stop)
			follower.close()
			if (error === undefined) resolve()
			else reject(error)
		})
		const stop = (): void => follower.end(undefined)
		signal?.addEventListener('abort', stop, { once: true })
		follower.start()
	})
}

class SaveFollower {
	readonly #ports: FollowSavesPorts
	readonly #onEnd: (error: Error | undefined) => void
	readonly #watch: ReturnType<FollowSavesPorts['watch']>
	/** When the hints came that were not looked after yet. */
	#hinted: { readonly first: number; last: number } | undefined
	#isLooking = false
	#isEnded = false
	#number = 0
	#waiting: { readonly at: number; readonly isRetry: boolean } | undefined
	#running: AbortController | undefined
	#retryMs = FIRST_RETRY_MS
	#cancelLook = (): void => {}
	#cancelRetry = (): void => {}

	constructor(ports: FollowSavesPorts, onEnd: (error: Error | undefined) => void) {
		this.#ports = ports
		this.#onEnd = onEnd
		this.#watch = ports.watch(() => this.#hint())
	}

	start(): void {
		const at = this.#ports.clock.now()
		this.#look(at, { isFirst: true })
	}

	/** Ends all of it; work that is under way is told, and not waited for. */
	end(error: Error | undefined): void {
		if (this.#isEnded) return
		this.#isEnded = true
		this.#onEnd(error)
	}

	close(): void {
		this.#cancelLook()
		this.#cancelRetry()
		this.#watch.close()
		this.#running?.abort()
	}

	#hint(): void {
		if (this.#isEnded) return
		const now = this.#ports.clock.now()
		if (this.#hinted === undefined) this.#hinted = { first: now, last: now }
		else this.#hinted.last = now
		if (!this.#isLooking) this.#plan()
	}

	/** Plans the next look. */
	#plan(pollMs = POLL_MS): void {
		if (this.#isEnded) return
		const { clock } = this.#ports
		this.#cancelLook()
		if (this.#hinted === undefined) {
			this.#cancelLook = clock.after(pollMs, () => this.#look(clock.now()))
			return
		}
		const { first, last } = this.#hinted
		const due = Math.min(last + QUIET_MS, first + LONGEST_QUIET_MS)
		this.#cancelLook = clock.after(Math.max(0, due - clock.now()), () => this.#look(last))
	}

	#look(at: number, { isFirst = false }: { readonly isFirst?: boolean } = {}): void {
		this.#lookOnce(at, isFirst).catch((error: unknown) => this.end(asError(error)))
	}

	async #lookOnce(at: number, isFirst: boolean): Promise<void> {
		const { clock } = this.#ports
		const started = clock.now()
		this.#hinted = undefined
		this.#isLooking = true
		const isChanged = await this.#watch.look()
		this.#isLooking = false
		if (this.#isEnded) return
		if (isChanged || isFirst) this.#take({ at, isRetry: false })
		const least = this.#watch.isComplete ? POLL_MS : POLL_WITHOUT_EVENTS_MS
		this.#plan(Math.max(least, (clock.now() - started) * LOOK_SHARE))
	}

	#take(waiting: { readonly at: number; readonly isRetry: boolean }): void {
		this.#cancelRetry()
		this.#waiting = waiting
		if (this.#running === undefined) this.#work().catch((error: unknown) => this.end(asError(error)))
		else this.#running.abort()
	}

	async #work(): Promise<void> {
		while (this.#waiting !== undefined && !this.#isEnded) {
			const { at, isRetry } = this.#waiting
			this.#waiting = undefined
			if (!isRetry) this.#number++
			const running = new AbortController()
			this.#running = running
			try {
				const save = { number: this.#number, at, isRetry, superseded: running.signal }
				this.#planRetry(await this.#ports.work(save))
			} finally {
				this.#running = undefined
			}
		}
	}

	#planRetry(outcome: 'done' | 'retry'): void {
		if (outcome === 'done') {
			this.#retryMs = FIRST_RETRY_MS
			return
		}
		if (this.#waiting !== undefined || this.#isEnded) return
		const { clock } = this.#ports
		this.#cancelRetry = clock.after(this.#retryMs, () => this.#take({ at: clock.now(), isRetry: true }))
		this.#retryMs = Math.min(this.#retryMs * 2, LONGEST_RETRY_MS)
	}
}

function asError(error: unknown): Error {
	return error instanceof Error ? error : new Error(String(error))
}
