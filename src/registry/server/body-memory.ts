/** What a request may hold without a question: most of what comes whole is smaller. In bytes. */
const FREE_BYTES = 64 * 1024

/** Memory for bodies that are held until they are whole, of all requests of a registry together. */
export class BodyMemory {
	#left: number

	constructor(bytes: number) {
		this.#left = bytes
	}

	/** For the body of one request. */
	share(): BodyShare {
		return new BodyShare((bytes) => this.#take(bytes))
	}

	/** @returns whether there was so much */
	#take(bytes: number): boolean {
		if (bytes > this.#left) return false
		this.#left -= bytes
		return true
	}
}

export class BodyShare {
	readonly #take: (bytes: number) => boolean
	#held = 0
	#taken = 0

	constructor(take: (bytes: number) => boolean) {
		this.#take = take
	}

	/** So much more came. @returns whether it may be held */
	hold(bytes: number): boolean {
		const more = Math.max(0, this.#held + bytes - FREE_BYTES) - this.#taken
		if (more > 0 && !this.#take(more)) return false
		this.#held += bytes
		this.#taken += Math.max(0, more)
		return true
	}

	/** Nothing is held any more. */
	release(): void {
		this.#take(-this.#taken)
		this.#held = 0
		this.#taken = 0
	}
}
