import type { PushEvent } from './context.ts'
import type { PastPush } from './storage.ts'

/** How many are remembered. */
export const MAX_PUSHES = 20

/** The last pushes, newest first: since the start with who pushed, of before as far as the storage tells. */
export class RecentPushes {
	readonly #pushes: (PastPush | PushEvent)[]

	constructor(before: readonly PastPush[]) {
		this.#pushes = before.slice(0, MAX_PUSHES)
	}

	add({ userAgent: _, ...push }: PushEvent): void {
		this.#pushes.unshift(push)
		if (this.#pushes.length > MAX_PUSHES) this.#pushes.pop()
	}

	/** As JSON shows them. */
	list({ showsWho }: { readonly showsWho: boolean }): readonly Readonly<Record<string, unknown>>[] {
		return this.#pushes.map(({ time, ...push }) => ({
			...push,
			...(!showsWho && { user: undefined, client: undefined }),
			time: new Date(time).toISOString(),
		}))
	}
}
