import type { ClientRequest, IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { InternalError, RemoteError } from '../../errors/index.ts'
import { type Context, describeFailure, ProtocolChanged, SourceFailure, Stalled } from './failure.ts'
import { largeBody } from './large-body.ts'
import type { HttpResponse, RequestBody, RequestHeaders, Timeouts } from './message.ts'
import type { Route } from './transport.ts'

export interface Outgoing {
	readonly method: string
	readonly url: URL
	readonly headers: RequestHeaders
	readonly body?: RequestBody | undefined
	readonly contentLength?: number | undefined
	readonly signal?: AbortSignal | undefined
	readonly timeouts: Timeouts
}

/** Bytes above this go out in pieces, so that a slow line is told from a dead one. */
const PIECE_BYTES = 256 * 1024
/** A body shorter than this is read to keep its connection, when nobody wants it. */
const DRAIN_BYTES = 64 * 1024

/**
 * Sends one request over one route and resolves with the head of its answer.
 * Failures are Node's own or those of `failure.ts`; the caller describes them.
 */
export function exchange(route: Route, outgoing: Outgoing): Promise<HttpResponse> {
	const { signal, timeouts, body, method } = outgoing
	return new Promise((resolve, reject) => {
		if (signal?.aborted) {
			reject(signal.reason)
			return
		}
		const request = route.open(method, headersOf(outgoing))
		const watchdog = createWatchdog((stage) => request.destroy(new Stalled(stage, timeouts[stage])))
		const abort = (): void => void request.destroy(signal?.reason)
		signal?.addEventListener('abort', abort, { once: true })
		const release = (): void => {
			watchdog.disarm()
			signal?.removeEventListener('abort', abort)
		}
		// Stays for the life of the request: a late error without a listener would end the process.
		request.on('error', (error) => {
			release()
			reject(signal?.aborted ? signal.reason : error)
		})
		// Of such an answer Node.js tells in this way alone; without a listener it ends the request and says nothing.
		request.once('upgrade', (_, socket) => {
			release()
			socket.destroy()
			reject(new ProtocolChanged('the server changes to another protocol'))
		})
		request.once('response', (message) => {
			watchdog.disarm()
			const context = { method, url: outgoing.url, proxy: route.proxy }
			const response = createResponse(message, { request, context, watchdog, timeouts, signal, release })
			if (!isBodyless(message, method)) return resolve(response)
			// Nothing to read: resolve when the connection is free, so that the next request takes it.
			request.once('close', () => resolve(response))
			response.discard()
		})
		const begin = (): void => {
			if (body === undefined || body instanceof Uint8Array) {
				watchdog.arm('headers', timeouts.headers)
				if (!(body && body.byteLength > PIECE_BYTES)) return
			}
			send(request, {
				chunks: body instanceof Uint8Array ? pieces(body) : body?.(),
				watchdog,
				timeouts,
			}).catch((error: unknown) => request.destroy(new SourceFailure(error)))
		}
		whenConnected(request, () => watchdog.arm('connect', timeouts.connect), begin)
		if (body === undefined) request.end()
		else if (body instanceof Uint8Array && body.byteLength <= PIECE_BYTES) request.end(body)
		else request.flushHeaders()
	})
}

function isBodyless({ statusCode, headers }: IncomingMessage, method: string): boolean {
	return method === 'HEAD' || statusCode === 204 || statusCode === 304 || headers['content-length'] === '0'
}

function headersOf({ headers, body, contentLength }: Outgoing): Record<string, string> {
	const length = body instanceof Uint8Array ? body.byteLength : contentLength
	return { ...headers, ...(length !== undefined && { 'content-length': String(length) }) }
}

/** Calls `begin` once the connection stands; its time starts when the pool hands out a socket. */
function whenConnected(request: ClientRequest, connecting: () => void, begin: () => void): void {
	request.once('socket', (socket) => {
		const shaking = isTls(socket) && socket.getPeerFinished() === undefined
		if (!socket.connecting && !shaking) return begin()
		connecting()
		socket.once(shaking ? 'secureConnect' : 'connect', begin)
	})
}

function isTls(socket: Socket): socket is TLSSocket {
	return 'encrypted' in socket
}

interface Sending {
	readonly chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array> | undefined
	readonly watchdog: Watchdog
	readonly timeouts: Timeouts
}

async function send(request: ClientRequest, { chunks, watchdog, timeouts }: Sending): Promise<void> {
	// While the source is being read nobody waits for the other side.
	watchdog.disarm()
	let answered = false
	request.once('response', () => (answered = true))
	for await (const chunk of chunks ?? []) {
		watchdog.arm('idle', timeouts.idle)
		await written(request, chunk)
		watchdog.disarm()
		// An answer before the end of the body (401, 413) makes the rest pointless; nothing is asked for any more, as
		// that may be written over what is still on its way.
		if (request.destroyed || answered) return
	}
	if (request.destroyed || answered) return
	watchdog.arm('headers', timeouts.headers)
	request.end()
}

function* pieces(bytes: Uint8Array): Generator<Uint8Array, void, undefined> {
	for (let start = 0; start < bytes.byteLength; start += PIECE_BYTES) {
		yield bytes.subarray(start, start + PIECE_BYTES)
	}
}

/** Resolves when a chunk has gone, so that its memory may be used again, or need not go. */
function written(request: ClientRequest, chunk: Uint8Array): Promise<void> {
	return new Promise((resolve) => {
		const done = (): void => {
			request.off('close', done).off('response', done)
			resolve()
		}
		request.once('close', done).once('response', done).write(chunk, done)
	})
}

interface Watchdog {
	arm(stage: keyof Timeouts, milliseconds: number): void
	disarm(): void
}

function createWatchdog(bite: (stage: keyof Timeouts) => void): Watchdog {
	let timer: NodeJS.Timeout | undefined
	return {
		arm(stage, milliseconds) {
			clearTimeout(timer)
			timer = setTimeout(bite, milliseconds, stage)
		},
		disarm() {
			clearTimeout(timer)
			timer = undefined
		},
	}
}

interface ResponseContext {
	readonly request: ClientRequest
	readonly context: Context
	readonly watchdog: Watchdog
	readonly timeouts: Timeouts
	readonly signal: AbortSignal | undefined
	readonly release: () => void
}

function createResponse(message: IncomingMessage, using: ResponseContext): HttpResponse {
	const { request, context, watchdog, timeouts, signal, release } = using
	const finish = (): void => {
		release()
		// A connection with half a request on it cannot be used again.
		if (!message.complete || !request.writableFinished) request.destroy()
	}
	const failed = (error: unknown): unknown => {
		if (signal?.aborted) return signal.reason
		return error instanceof RemoteError
			? error
			: describeFailure(error, { ...context, status: message.statusCode })
	}
	// Errors reach whoever reads the body; without a reader there is nobody to tell.
	message.on('error', () => undefined)
	let stall: Stalled | undefined
	request.on('error', (error) => {
		if (error instanceof Stalled) stall = error
	})

	const closed = new Promise<void>((resolve) => void request.once('close', resolve))
	let used = false
	async function* read(): AsyncGenerator<Uint8Array, void, undefined> {
		if (isBodyless(message, context.method)) return
		if (used) throw new InternalError('the body of an answer was read twice')
		used = true
		const iterator: AsyncIterator<Uint8Array> = largeBody(message) ?? message[Symbol.asyncIterator]()
		try {
			for (;;) {
				watchdog.arm('idle', timeouts.idle)
				const next = await iterator.next()
				watchdog.disarm()
				if (next.done === true) {
					finish()
					// The next request then finds this connection free.
					await closed
					return
				}
				yield next.value
			}
		} catch (error) {
			throw failed(stall ?? error)
		} finally {
			finish()
		}
	}

	async function bytes(limit: number): Promise<Uint8Array> {
		const chunks: Uint8Array[] = []
		let size = 0
		for await (const chunk of read()) {
			size += chunk.byteLength
			if (size > limit) {
				throw new RemoteError(
					'REGISTRY_PROTOCOL',
					`${context.url.host} answers with more than ${limit} bytes`,
					{
						hint: 'That is not what a registry sends here. Check the address.',
						wire: { method: context.method, url: context.url.href, status: message.statusCode },
					},
				)
			}
			chunks.push(chunk)
		}
		// A copy: a small document must not keep the large piece it came in.
		return Buffer.concat(chunks)
	}

	return {
		method: context.method,
		status: message.statusCode ?? 0,
		headers: message.headers,
		url: context.url.href,
		body: { [Symbol.asyncIterator]: read },
		bytes,
		text: async (limit) => new TextDecoder().decode(await bytes(limit)),
		discard() {
			if (message.destroyed || message.readableFlowing === true) return
			used = true
			const length = Number(message.headers['content-length'] ?? Number.NaN)
			if (isBodyless(message, context.method) || length <= DRAIN_BYTES) {
				watchdog.arm('idle', timeouts.idle)
				message.once('end', finish).resume()
				return
			}
			release()
			request.destroy()
		},
	}
}
