/** Runs one task for each key at a time, and tasks of different keys side by side. */
export interface WorkQueue {
	/** Asks for a run of `key`; one that is asked for while it runs is run once more. */
	add(key: string): void
	/** Asks for a run some time later, just before which `whenDue` is called; the earliest time asked for counts. */
	addAfter(key: string, ms: number, whenDue?: () => void): void
	/** Resolves when nothing runs and nothing is waiting to run at once. */
	settled(): Promise<void>
}

export interface WorkQueueOptions {
	readonly run: (key: string) => Promise<void>
	readonly concurrency: number
	/** Resolves after a time, or at once when the queue is closed. */
	readonly sleep: (ms: number) => Promise<void>
	/** Milliseconds since the epoch. */
	readonly now: () => number
	readonly signal: AbortSignal
}

export function createWorkQueue(options: WorkQueueOptions): WorkQueue {
	const waiting = new Set<string>()
	const running = new Set<string>()
	const due = new Map<string, number>()
	let idle: (() => void)[] = []

	const pump = (): void => {
		for (const key of waiting) {
			if (options.signal.aborted) waiting.clear()
			if (running.size >= options.concurrency || options.signal.aborted) break
			if (running.has(key)) continue
			waiting.delete(key)
			running.add(key)
			void options.run(key).finally(() => {
				running.delete(key)
				pump()
			})
		}
		if (running.size === 0 && (waiting.size === 0 || options.signal.aborted)) {
			for (const resolve of idle) resolve()
			idle = []
		}
	}
	const add = (key: string): void => {
		waiting.add(key)
		pump()
	}
	const addWhenDue = async (
		key: string,
		plan: { readonly at: number; readonly ms: number; readonly whenDue: (() => void) | undefined },
	): Promise<void> => {
		await options.sleep(plan.ms)
		// a later plan was replaced by an earlier one
		if (due.get(key) !== plan.at || options.signal.aborted) return
		due.delete(key)
		plan.whenDue?.()
		add(key)
	}
	return {
		add,
		addAfter(key, ms, whenDue) {
			const at = options.now() + ms
			const planned = due.get(key)
			if (planned !== undefined && planned <= at) return
			due.set(key, at)
			void addWhenDue(key, { at, ms, whenDue })
		},
		settled: () =>
			new Promise((resolve) => {
				idle.push(resolve)
				pump()
			}),
	}
}
