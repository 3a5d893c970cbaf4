import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse as NodeResponse } from 'node:http'
import type { Use } from './connections.ts'
import type { ServerResponse } from './handler.ts'
import type { HeldAnswers } from './held-answers.ts'
import { cutWhenStalled, isHeldUp } from './stall.ts'

/** An unread body up to this size is read and thrown away, so that the connection can be used again, in bytes. */
const DRAIN_BYTES = 1024 * 1024
/** How much of a longer one is read, so that the client comes to read the answer, in bytes. */
const LINGER_BYTES = 16 * DRAIN_BYTES
/** A body up to this size goes out in one piece with the headers, in bytes. */
const JOINED_BYTES = 16 * 1024
/** One up to this size is written at once. A larger one goes in pieces of it, as TLS keeps a copy of what is written; in bytes. */
const PIECE_BYTES = 256 * 1024
/** How long a client that is still sending gets to read an early answer before the connection is cut. */
const LINGER_MS = 5000

export interface RespondContext {
	/** A client that takes nothing for so long is given up, in milliseconds. */
	readonly stallMs: number
	/** Those of the listener. */
	readonly held: HeldAnswers
	/** Of the connection, where somebody wants to know. */
	readonly use: Use | undefined
	/** The connection is closed after this answer. */
	readonly last: boolean
}

/** Writes an answer. Resolves when all of it is handed to the socket; `undefined` means it already is. */
export function respond(
	incoming: IncomingMessage,
	outgoing: NodeResponse,
	options: { readonly answer: ServerResponse; readonly context: RespondContext },
): Promise<void> | undefined {
	const { answer, context } = options
	const { body } = answer
	if (context.last || !canDrain(incoming)) outgoing.shouldKeepAlive = false
	if (!incoming.complete) drainAfter(incoming, outgoing)
	const bodiless = incoming.method === 'HEAD' || answer.status === 204 || answer.status === 304

	if (body === undefined || typeof body === 'string' || body instanceof Uint8Array) {
		const headers: OutgoingHttpHeaders = { ...answer.headers } as OutgoingHttpHeaders
		if (answer.status !== 204 && answer.status !== 304 && headers['content-length'] === undefined) {
			if (!hasContentLength(headers)) {
				headers['content-length'] = body === undefined ? 0 : Buffer.byteLength(body)
			}
		}
		outgoing.writeHead(answer.status, headers)
		if (bodiless || body === undefined) outgoing.end()
		else if (body instanceof Uint8Array && body.byteLength <= JOINED_BYTES)
			outgoing.end(latin1(body), 'latin1')
		else if (body.length > PIECE_BYTES) {
			const bytes = typeof body === 'string' ? Buffer.from(body) : body
			return pump(outgoing, inPieces(bytes), { ...context, whole: bytes.buffer })
		} else outgoing.end(body)
		cutIfHeldUp(outgoing, context)
		return undefined
	}
	outgoing.writeHead(answer.status, answer.headers as OutgoingHttpHeaders | undefined)
	if (bodiless) {
		outgoing.end()
		cutIfHeldUp(outgoing, context)
		return undefined
	}
	return pump(outgoing, body, context)
}

/** For an answer that is all written: most have left by now, and those cost nothing more. */
function cutIfHeldUp(outgoing: NodeResponse, context: RespondContext): void {
	if (!isHeldUp(outgoing, 2 * JOINED_BYTES)) {
		ended(context.use)
		return
	}
	const stopWatch = watchHeldUp(outgoing, context)
	outgoing.once('close', () => {
		stopWatch()
		ended(context.use)
	})
}

function ended(use: Use | undefined): void {
	if (!use) return
	use.pending--
	use.at = performance.now()
}

/** Returns what ends the watch. */
function watchHeldUp(outgoing: NodeResponse, { stallMs, held, whole }: PumpContext): () => void {
	const stopWatch = cutWhenStalled(outgoing, stallMs)
	const release = held.add(outgoing, whole)
	return () => {
		stopWatch()
		release()
	}
}

// oxlint-disable-next-line require-await -- what it is read by asks for promises
async function* inPieces(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
	for (let start = 0; start < bytes.byteLength; start += PIECE_BYTES)
		yield bytes.subarray(start, start + PIECE_BYTES)
}

interface PumpContext extends RespondContext {
	/** Memory that all of the body is in, where it is not made as it goes. */
	readonly whole?: ArrayBufferLike | undefined
}

/** Bytes as a string: node:http joins it with the headers for one write, which costs half of two. */
function latin1(bytes: Uint8Array): string {
	return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
}

function hasContentLength(headers: OutgoingHttpHeaders): boolean {
	for (const name of Object.keys(headers)) if (name.toLowerCase() === 'content-length') return true
	return false
}

async function pump(
	outgoing: NodeResponse,
	body: AsyncIterable<Uint8Array | string>,
	context: PumpContext,
): Promise<void> {
	// A stream that waits for its first chunk (a watch) shows its headers meanwhile;
	// one that has it at hand sends both in one packet.
	const flush = setImmediate(() => {
		if (!outgoing.destroyed) outgoing.flushHeaders()
	})
	const iterator = body[Symbol.asyncIterator]()
	let running = true
	try {
		for (;;) {
			const next = await unlessClosed(outgoing, iterator.next())
			clearImmediate(flush)
			if (next === undefined) return
			if (next.done === true) break
			if (!outgoing.write(next.value) && !(await drained(outgoing, context))) return
		}
		running = false
		outgoing.end()
		cutIfHeldUp(outgoing, context)
	} catch (error) {
		running = false
		throw error
	} finally {
		clearImmediate(flush)
		// Not awaited: a producer that waits for an event would hold us until it comes.
		if (running) void Promise.resolve(iterator.return?.()).catch(() => undefined)
	}
}

/** `undefined` when the client is gone first. */
function unlessClosed<T>(outgoing: NodeResponse, promise: Promise<T>): Promise<T | undefined> {
	return new Promise((resolve, reject) => {
		const onClose = (): void => resolve(undefined)
		if (outgoing.destroyed) onClose()
		else outgoing.once('close', onClose)
		promise.then(resolve, reject).finally(() => outgoing.off('close', onClose))
	})
}

/** Whether there is room again; `false` when the client is gone or takes nothing. */
async function drained(outgoing: NodeResponse, context: PumpContext): Promise<boolean> {
	const stopWatch = watchHeldUp(outgoing, context)
	const room = new Promise<true>((resolve) => outgoing.once('drain', () => resolve(true)))
	try {
		return (await unlessClosed(outgoing, room)) ?? false
	} finally {
		stopWatch()
	}
}

function canDrain(incoming: IncomingMessage): boolean {
	if (incoming.complete) return true
	const length = incoming.headers['content-length']
	return length === undefined || Number(length) <= DRAIN_BYTES
}

/**
 * Takes the rest of a body nobody read once the answer is out. Cutting the connection
 * at once would make the client's system throw the answer away with it.
 */
function drainAfter(incoming: IncomingMessage, outgoing: NodeResponse): void {
	outgoing.once('finish', () => {
		if (incoming.complete || incoming.destroyed) return
		let left = LINGER_BYTES
		const timer = setTimeout(() => incoming.socket.destroy(), LINGER_MS)
		timer.unref()
		incoming.on('data', (chunk: Uint8Array) => {
			left -= chunk.byteLength
			// Not cut yet: the client may still read the answer.
			if (left < 0) incoming.pause()
		})
		incoming.on('error', () => undefined)
		incoming.once('close', () => clearTimeout(timer))
		incoming.once('end', () => clearTimeout(timer))
		incoming.resume()
	})
}
