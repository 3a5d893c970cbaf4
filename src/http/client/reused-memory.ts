/** What a connection that brings much reads into, in bytes. */
const LARGE_BYTES = 1024 * 1024
/** So many are kept for the next time. */
const MOST_FREE = 8

interface Lease {
	readonly memory: Buffer<ArrayBuffer>
	readonly free: Buffer<ArrayBuffer>[]
	/** Bytes that were handed on and not given back. */
	out: number
	isFull: boolean
}

const leases = new WeakMap<ArrayBufferLike, Lease>()

/** Memory for what is received. The kernel gives new memory out page by page and clears each, which takes as long as to read into it. */
export class ReusedMemory {
	readonly #free: Buffer<ArrayBuffer>[] = []

	take(): Buffer<ArrayBuffer> {
		const memory = this.#free.pop() ?? Buffer.allocUnsafeSlow(LARGE_BYTES)
		leases.set(memory.buffer, { memory, free: this.#free, out: 0, isFull: false })
		return memory
	}
}

export function handedOn(piece: Uint8Array): void {
	const lease = leases.get(piece.buffer)
	if (lease) lease.out += piece.byteLength
}

/** Says that nothing more will be read into it. */
export function isFull(memory: Uint8Array): void {
	const lease = leases.get(memory.buffer)
	if (!lease) return
	lease.isFull = true
	freeAgain(lease)
}

/**
 * Says that a piece of a body is not needed any more, by whom it was handed to; what is received later may then
 * be written over it. Whoever keeps pieces does not call it, and nothing that was handed on changes.
 */
export function giveBack(piece: Uint8Array): void {
	const lease = leases.get(piece.buffer)
	if (!lease) return
	lease.out -= piece.byteLength
	freeAgain(lease)
}

function freeAgain({ memory, free, out, isFull }: Lease): void {
	if (!isFull || out > 0) return
	leases.delete(memory.buffer)
	if (free.length < MOST_FREE) free.push(memory)
}
