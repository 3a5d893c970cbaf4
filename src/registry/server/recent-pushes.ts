import type { PushEvent } from './context.ts'

/** How many are remembered. */
const MAX_PUSHES = 20

/** The last pushes since the start, newest first. */
export class RecentPushes {
	readonly #pushes: PushEvent[] = []

	add(push: PushEvent): void {
		this.#pushes.unshift(push)
		if (this.#pushes.length > MAX_PUSHES) this.#pushes.pop()
	}

	/** As JSON shows them. */
	list(): readonly Readonly<Record<string, unknown>>[] {
		return this.#pushes.map(({ time, userAgent: _, ...push }) => ({
			...push,
			time: new Date(time).toISOString(),
		}))
	}
}
