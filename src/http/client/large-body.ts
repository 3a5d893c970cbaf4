import type { IncomingMessage } from 'node:http'
import { type Received, receivedOf } from './large-reads.ts'

/** As much is still to come where a new connection for the next request takes less time than the way through node:http, in bytes. */
const LARGE = 16 * 1024 * 1024
/** So much waits for its reader before nothing more is received, in bytes. */
const MOST_WAITING = 2 * 1024 * 1024

/**
 * The body of an answer of which much is still to come, past node:http, which copies each piece into new memory.
 * Node.js does not learn that the answer is complete, so that its connection cannot be used again.
 * Nothing of the body may have been read.
 * @returns `undefined` where it is to be read from the message
 */
export function largeBody(message: IncomingMessage): AsyncGenerator<Uint8Array, void, undefined> | undefined {
	const received = receivedOf(message.socket)
	const length = Number(message.headers['content-length'])
	// Of one that has failed already, node:http tells.
	if (received === undefined || message.destroyed || message.headers['transfer-encoding'] !== undefined)
		return undefined
	return length - message.readableLength >= LARGE ? read(message, { received, length }) : undefined
}

async function* read(
	message: IncomingMessage,
	{ received, length }: { readonly received: Received; readonly length: number },
): AsyncGenerator<Uint8Array, void, undefined> {
	const { socket } = message
	const pieces: Uint8Array[] = []
	let waiting = 0
	let missing = length
	let failure: Error | undefined
	let wake = (): void => {}
	const add = (piece: Uint8Array): void => {
		// What is more than was promised goes with the connection.
		const taken = piece.subarray(0, missing)
		if (taken.byteLength === 0) return
		missing -= taken.byteLength
		waiting += taken.byteLength
		pieces.push(taken)
		if (waiting >= MOST_WAITING) socket.pause()
		wake()
	}
	const fail = (error?: Error): void => {
		failure ??= error ?? Object.assign(new Error('closed'), { code: 'ECONNRESET' })
		wake()
	}
	message.once('error', fail).once('close', fail)
	received.take = add
	// What had come with the head is with the message.
	for (let piece: unknown = message.read(); piece instanceof Uint8Array; piece = message.read()) add(piece)
	for (;;) {
		const piece = pieces.shift()
		if (piece) {
			waiting -= piece.byteLength
			if (waiting < MOST_WAITING) socket.resume()
			yield piece
		} else if (missing === 0) return
		else if (failure) throw failure
		else await new Promise<void>((resolve) => (wake = resolve))
	}
}
