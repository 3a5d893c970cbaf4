import type { ServerResponse as NodeResponse } from 'node:http'

interface Kept {
	/** Bytes on their way. */
	readonly bytes: number
	/** What they are a piece of, where all of it is in memory. */
	readonly whole: ArrayBufferLike | undefined
}

/** What the answers of a listener that are held up keep in memory. With more than `limit` bytes the ones longest held up are cut. */
export class HeldAnswers {
	readonly #limit: number
	/** The longest held up first. */
	readonly #kept = new Map<NodeResponse, Kept>()
	/** How many answers keep it: several may be sending the same. */
	readonly #wholes = new Map<ArrayBufferLike, number>()
	#bytes = 0

	constructor(limit: number) {
		this.#limit = limit
	}

	/** Returns what tells that the answer goes on. */
	add(outgoing: NodeResponse, whole?: ArrayBufferLike): () => void {
		const kept = { bytes: outgoing.writableLength, whole }
		this.#kept.set(outgoing, kept)
		this.#bytes += kept.bytes
		if (whole) {
			const users = this.#wholes.get(whole) ?? 0
			if (users === 0) this.#bytes += whole.byteLength
			this.#wholes.set(whole, users + 1)
		}
		if (this.#bytes > this.#limit) this.#cutOthers(outgoing)
		return () => this.#release(outgoing, kept)
	}

	#cutOthers(newest: NodeResponse): void {
		for (const [outgoing, kept] of this.#kept) {
			if (this.#bytes <= this.#limit || outgoing === newest) return
			this.#release(outgoing, kept)
			outgoing.destroy()
		}
	}

	#release(outgoing: NodeResponse, kept: Kept): void {
		if (this.#kept.get(outgoing) !== kept) return
		this.#kept.delete(outgoing)
		this.#bytes -= kept.bytes
		const { whole } = kept
		if (!whole) return
		const users = (this.#wholes.get(whole) ?? 0) - 1
		if (users > 0) this.#wholes.set(whole, users)
		else {
			this.#wholes.delete(whole)
			this.#bytes -= whole.byteLength
		}
	}
}
