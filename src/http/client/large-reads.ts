import type { Agent, ClientRequestArgs } from 'node:http'
import type { OnReadOpts } from 'node:net'
import type { Duplex } from 'node:stream'

/** What a connection reads into first: enough for most answers, in bytes. */
const FIRST_BYTES = 64 * 1024
/** What one that brings more reads into, in bytes. */
const LARGE_BYTES = 1024 * 1024
/** So much of it must be free, or there is a new one. */
const FREE = 1 / 8

/**
 * Makes an agent's connections hand on as one piece what has come at one time. Node by itself hands on
 * 64 KiB at most, and 16 KiB under TLS, each in memory of its own: for a blob, that costs more than
 * all else that is done with it. What was handed on is never written over.
 */
export function withLargeReads<A extends Agent>(agent: A): A {
	const create = agent.createConnection.bind(agent)
	agent.createConnection = (options, callback) => {
		const received = new Received((piece) => socket?.emit('data', piece))
		const reading: ClientRequestArgs & { readonly onread: OnReadOpts } = {
			...options,
			onread: {
				buffer: () => received.room(),
				callback(bytes) {
					if (received.isEmpty) setImmediate(() => socket?.destroyed === false && received.handOn())
					received.add(bytes)
					return true
				},
			},
		}
		const socket: Duplex | null | undefined = create(reading, callback)
		// What came before the end, or a reset, is heard of before it.
		for (const event of ['end', 'error']) socket?.prependListener(event, () => received.handOn())
		return socket
	}
	return agent
}

/** Memory that is filled from its start on, and handed on in pieces. */
class Received {
	readonly #take: (piece: Buffer) => void
	#memory = Buffer.allocUnsafeSlow(FIRST_BYTES)
	#start = 0
	#end = 0

	constructor(take: (piece: Buffer) => void) {
		this.#take = take
	}

	get isEmpty(): boolean {
		return this.#start === this.#end
	}

	/** Where to read to next. */
	room(): Buffer {
		if (this.#memory.byteLength - this.#end < this.#memory.byteLength * FREE) {
			this.handOn()
			this.#memory = Buffer.allocUnsafeSlow(LARGE_BYTES)
			this.#start = this.#end = 0
		}
		return this.#memory.subarray(this.#end)
	}

	add(bytes: number): void {
		this.#end += bytes
	}

	handOn(): void {
		if (this.isEmpty) return
		const piece = this.#memory.subarray(this.#start, this.#end)
		this.#start = this.#end
		this.#take(piece)
	}
}
