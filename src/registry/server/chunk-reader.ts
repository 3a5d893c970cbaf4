import { readSync } from 'node:fs'
import type { ByteRange } from './storage.ts'

/** Content that is streamed is read in pieces of this size, in bytes. */
const CHUNK_BYTES = 1024 * 1024
/**
 * The last piece has memory of its own, and so is small: half of this, or up to all of it. The others are
 * no smaller than half, so that node:http has a consumer wait until one is on its way; in bytes.
 */
const LAST_BYTES = 128 * 1024
/** Kept for the next streams. */
const MAX_SPARE = 8

/**
 * Reads files in pieces, into memory that is used again: new memory for each piece costs
 * more, in page faults and garbage collection, than what is read into it.
 */
export class ChunkReader {
	readonly #spare: Buffer[] = []

	/**
	 * The bytes of a range. A piece stays as it is until the next but one is asked for, so that
	 * a consumer can hold one back; the last piece is the consumer's.
	 */
	async *read(descriptor: number, { start, end }: ByteRange): AsyncGenerator<Uint8Array, void, undefined> {
		const pair: Buffer[] = []
		let position = start
		for (let turn = 0; position + LAST_BYTES <= end; turn ^= 1) {
			const chunk = (pair[turn] ??= this.#spare.pop() ?? Buffer.allocUnsafeSlow(CHUNK_BYTES))
			const length = Math.min(CHUNK_BYTES, end + 1 - position - LAST_BYTES / 2)
			// Reading the page cache at once costs less than a trip through the thread pool.
			yield fill(descriptor, { position, into: chunk.subarray(0, length) })
			position += length
		}
		if (position <= end) yield readFully(descriptor, { position, length: end + 1 - position })
		// Not where the consumer has gone meanwhile: a piece may be on its way still.
		if (this.#spare.length < MAX_SPARE) this.#spare.push(...pair)
	}
}

/** Reads `length` bytes, or fewer where the file ends. */
export function readFully(
	descriptor: number,
	{ position, length }: { readonly position: number; readonly length: number },
): Uint8Array {
	return fill(descriptor, { position, into: Buffer.allocUnsafeSlow(length) })
}

function fill(
	descriptor: number,
	{ position, into }: { readonly position: number; readonly into: Buffer },
): Uint8Array {
	let read = 0
	while (read < into.byteLength) {
		const count = readSync(descriptor, into, read, into.byteLength - read, position + read)
		if (count === 0) return into.subarray(0, read)
		read += count
	}
	return into
}
