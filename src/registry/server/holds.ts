/** What requests under way need, by how many of them. */
export class Holds<KEY extends string = string> {
	readonly #counts = new Map<KEY, number>()

	has(key: KEY): boolean {
		return this.#counts.has(key)
	}

	take(keys: Iterable<KEY>): void {
		for (const key of keys) this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1)
	}

	/** @returns those that nobody else needs */
	release(keys: Iterable<KEY>): readonly KEY[] {
		const free: KEY[] = []
		for (const key of keys) {
			const left = (this.#counts.get(key) ?? 1) - 1
			if (left > 0) this.#counts.set(key, left)
			else {
				this.#counts.delete(key)
				free.push(key)
			}
		}
		return free
	}
}
