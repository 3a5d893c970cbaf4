import { Readable } from 'node:stream'
import type { ByteStream } from '../content/index.ts'
import { isSystemError } from '../errors/index.ts'
import { TarFault } from './tar-fault.ts'

/** Whether Argo CD unpacks content of this type with gzip: the suffixes it looks for. */
export function isGzipType(mediaType: string): boolean {
	return mediaType.endsWith('tar+gzip') || mediaType.endsWith('tar.gzip') || mediaType.endsWith('tar+gz')
}

/**
 * A stream that may be left early without ending its producer, which can then be
 * drained: content is verified only when it is read to its end.
 */
export class Drainable implements ByteStream {
	readonly #iterator: AsyncIterator<Uint8Array>
	readonly #maxBytes: number
	#seen = 0
	/** What the producer threw, which a reader that had left already did not see. */
	#failure: { readonly error: unknown } | undefined

	/** @param maxBytes how much of the producer is read at most; it may claim to be endless */
	constructor(stream: ByteStream, maxBytes: number) {
		this.#iterator = stream[Symbol.asyncIterator]()
		this.#maxBytes = maxBytes
	}

	async #next(): Promise<Uint8Array | undefined> {
		try {
			const next = await this.#iterator.next()
			if (next.done === true) return undefined
			this.#seen += next.value.byteLength
			if (this.#seen > this.#maxBytes) throw new TarFault({ kind: 'too-large', limit: this.#maxBytes })
			return next.value
		} catch (error) {
			this.#failure = { error }
			throw error
		}
	}

	async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
		for (let chunk = await this.#next(); chunk !== undefined; chunk = await this.#next()) yield chunk
	}

	/** Reads what is left and throws what the producer throws, or threw before. */
	async drain(): Promise<void> {
		while ((await this.#next()) !== undefined);
		if (this.#failure !== undefined) throw this.#failure.error
	}

	async close(): Promise<void> {
		await this.#iterator.return?.()
	}
}

/**
 * Unpacks gzip. What the producer throws is thrown on; leaving early leaves the producer
 * where it is.
 * @throws TarFault `not-gzip`, `gzip-corrupt`, `gzip-truncated`
 */
export async function* gunzip(stream: ByteStream): AsyncGenerator<Uint8Array, void, undefined> {
	let failure: { readonly error: unknown } | undefined
	let received = 0
	let head: readonly number[] = []
	async function* guarded(): AsyncGenerator<Uint8Array, void, undefined> {
		try {
			for await (const chunk of stream) {
				if (head.length < 2) head = [...head, ...chunk.subarray(0, 2)]
				received += chunk.byteLength
				yield chunk
			}
		} catch (error) {
			failure = { error }
			throw error
		}
	}
	const { createGunzip } = await import('node:zlib')
	const source = Readable.from(guarded(), { objectMode: false })
	const unpacker = createGunzip({ chunkSize: 256 * 1024 })
	source.on('error', (error) => unpacker.destroy(error))
	source.pipe(unpacker)
	try {
		for await (const chunk of unpacker) yield chunk as Uint8Array
		if (received === 0) throw new TarFault({ kind: 'not-gzip', isEmpty: true })
	} catch (error) {
		if (failure !== undefined) throw failure.error
		if (error instanceof TarFault || !isSystemError(error)) throw error
		if (head[0] !== 0x1f || head[1] !== 0x8b)
			throw new TarFault({ kind: 'not-gzip', ...(received === 0 && { isEmpty: true }) })
		throw new TarFault({ kind: error.code === 'Z_BUF_ERROR' ? 'gzip-truncated' : 'gzip-corrupt' })
	} finally {
		source.unpipe(unpacker)
		source.destroy()
		unpacker.destroy()
	}
}
