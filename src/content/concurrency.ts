/** Runs tasks, at most `limit` of them at once, in the order they came. */
export type Limiter = <T>(task: () => Promise<T>) => Promise<T>

export function createLimiter(limit: number): Limiter {
	let running = 0
	const waiting: (() => void)[] = []
	return async (task) => {
		if (running >= limit) await new Promise<void>((resolve) => waiting.push(resolve))
		else running++
		try {
			return await task()
		} finally {
			const next = waiting.shift()
			if (next) next()
			else running--
		}
	}
}

/** As `Promise.all`, but waits for the others to end before it throws: nothing runs on behind an error. */
export async function allSettledOrThrow(tasks: readonly Promise<unknown>[]): Promise<void> {
	const results = await Promise.allSettled(tasks)
	const failed = results.find((result) => result.status === 'rejected')
	if (failed) throw failed.reason
}
