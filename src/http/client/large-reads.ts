import type { Agent, ClientRequestArgs } from 'node:http'
import type { OnReadOpts } from 'node:net'
import type { Duplex } from 'node:stream'
import { handedOn, isFull, ReusedMemory } from './reused-memory.ts'

/** What a connection reads into first: enough for most answers, in bytes. */
const FIRST_BYTES = 64 * 1024
/** So much of it must be free, or there is a new one. */
const FREE = 1 / 8
const received = new WeakMap<Duplex, Received>()

/** What a connection has received, where it was made {@link withLargeReads}. */
export function receivedOf(connection: Duplex): Received | undefined {
	return received.get(connection)
}

/**
 * Makes an agent's connections hand on as one piece what has come at one time. Node by itself hands on
 * 64 KiB at most, and 16 KiB under TLS, each in memory of its own: for a blob, that costs more than
 * all else that is done with it. What was handed on is not written over before it was given back.
 */
export function withLargeReads<A extends Agent>(agent: A): A {
	const create = agent.createConnection.bind(agent)
	const memory = new ReusedMemory()
	agent.createConnection = (options, callback) => {
		const incoming = new Received(memory, (piece) => socket?.emit('data', piece))
		const reading: ClientRequestArgs & { readonly onread: OnReadOpts } = {
			...options,
			onread: {
				buffer: () => incoming.room(),
				callback(bytes) {
					if (incoming.isEmpty) setImmediate(() => socket?.destroyed === false && incoming.handOn())
					incoming.add(bytes)
					return true
				},
			},
		}
		const socket: Duplex | null | undefined = create(reading, callback)
		if (socket) received.set(socket, incoming)
		// What came before the end, or a reset, is heard of before it.
		for (const event of ['end', 'error']) socket?.prependListener(event, () => incoming.handOn())
		return socket
	}
	return agent
}

/** Memory that is filled from its start on, and handed on in pieces. */
export class Received {
	/** Who gets the pieces. */
	take: (piece: Buffer) => void
	readonly #reused: ReusedMemory
	#memory = Buffer.allocUnsafeSlow(FIRST_BYTES)
	#start = 0
	#end = 0

	constructor(reused: ReusedMemory, take: (piece: Buffer) => void) {
		this.#reused = reused
		this.take = take
	}

	get isEmpty(): boolean {
		return this.#start === this.#end
	}

	/** Where to read to next. */
	room(): Buffer {
		if (this.#memory.byteLength - this.#end < this.#memory.byteLength * FREE) {
			this.handOn()
			isFull(this.#memory)
			this.#memory = this.#reused.take()
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
		handedOn(piece)
		this.take(piece)
	}
}
