import { writev } from 'node:fs'
import { writeFully } from './write-fully.ts'

/** So much is collected for one write, in bytes: a trip through the thread pool for each piece that comes takes longer. */
const BATCH_BYTES = 256 * 1024

/** Appends to a file in the background: one batch is written while the next one comes and is hashed. */
export class BackgroundWriter {
	readonly #descriptor: number
	#batch: Uint8Array[] = []
	#bytes = 0
	#writing: Promise<void> | undefined

	constructor(descriptor: number) {
		this.#descriptor = descriptor
	}

	/** @returns a promise where the disk has to catch up; it may fail for what was added before */
	add(chunk: Uint8Array): Promise<void> | undefined {
		this.#batch.push(chunk)
		this.#bytes += chunk.byteLength
		return this.#bytes < BATCH_BYTES ? undefined : this.#next()
	}

	/** Resolves when all of it is written. */
	async end(): Promise<void> {
		await this.#next()
		await this.#writing
	}

	async #next(): Promise<void> {
		await this.#writing
		const [batch, bytes] = [this.#batch, this.#bytes]
		if (bytes === 0) return
		this.#batch = []
		this.#bytes = 0
		this.#writing = this.#write(batch, bytes)
		// Who waits for it next, hears of its failure.
		this.#writing.catch(() => {})
	}

	async #write(batch: readonly Uint8Array[], bytes: number): Promise<void> {
		const written = await new Promise<number>((resolve, reject) =>
			writev(this.#descriptor, batch, (error, count) => (error ? reject(error) : resolve(count))),
		)
		// What is left of a write that stopped half-way says why.
		if (written < bytes) writeFully(this.#descriptor, Buffer.concat(batch).subarray(written))
	}
}
