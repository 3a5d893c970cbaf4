import { type ByteStream, type ContentSource, verified } from '../../content/index.ts'

/** Opens content from a byte on. It is verified as a whole, and so read from its start. */
export async function* contentFrom(
	source: ContentSource,
	{ offset, signal }: { readonly offset: number; readonly signal: AbortSignal | undefined },
): AsyncGenerator<Uint8Array, void, undefined> {
	const { descriptor, bytes } = source
	if (bytes) {
		yield bytes.subarray(offset)
		return
	}
	let skip = offset
	const opened = source.open(signal ? { signal } : {})
	for await (const chunk of source.isVerified === true ? opened : verified(descriptor, opened)) {
		const fresh = chunk.subarray(Math.min(skip, chunk.byteLength))
		skip -= chunk.byteLength - fresh.byteLength
		if (fresh.byteLength > 0) yield fresh
	}
}

/** Content in pieces of one size, from any offset; read once as long as the offsets follow one another. */
export class Pieces {
	readonly #open: (offset: number) => ByteStream
	readonly #size: number
	#pieces: AsyncIterator<Uint8Array, unknown> | undefined
	#offset = 0

	constructor(open: (offset: number) => ByteStream, size: number) {
		this.#open = open
		this.#size = size
	}

	/** The piece that begins at an offset; `undefined` at the end. */
	async at(offset: number): Promise<Uint8Array | undefined> {
		if (!this.#pieces || offset !== this.#offset) {
			await this.close()
			this.#pieces = inPieces(this.#open(offset), this.#size)
			this.#offset = offset
		}
		const next = await this.#pieces.next()
		if (next.done === true) return undefined
		this.#offset += next.value.byteLength
		return next.value
	}

	async close(): Promise<void> {
		await this.#pieces?.return?.()
		this.#pieces = undefined
	}
}

async function* inPieces(stream: ByteStream, pieceSize: number): AsyncGenerator<Uint8Array, void, undefined> {
	let held: Uint8Array[] = []
	let size = 0
	for await (const chunk of stream) {
		let rest = chunk
		while (rest.byteLength > 0) {
			const part = rest.subarray(0, pieceSize - size)
			held.push(part)
			size += part.byteLength
			rest = rest.subarray(part.byteLength)
			if (size < pieceSize) continue
			yield Buffer.concat(held)
			held = []
			size = 0
		}
	}
	if (size > 0) yield Buffer.concat(held)
}
