import type { IncomingHttpHeaders, IncomingMessage, ServerResponse as NodeResponse } from 'node:http'
import { TLSSocket } from 'node:tls'
import type { ClientCertificate, ServerRequest } from './handler.ts'

export interface RequestContext {
	readonly scheme: 'http' | 'https'
	/** A body on which nothing arrives for so long is given up, in milliseconds. */
	readonly stallMs: number
	/** Aborts when the listener stops waiting for requests under way. */
	readonly stopped: AbortSignal
	/** The client waits for `100 Continue` before it sends the body. */
	readonly expectsContinue: boolean
}

/**
 * A request of node:http seen as a {@link ServerRequest}. What a handler may not ask
 * for (query, signal, body) is made only when it does: that is most of the time
 * spent on an answer from memory.
 */
export class NodeRequest implements ServerRequest {
	readonly method: string
	readonly path: string
	readonly headers: IncomingHttpHeaders
	readonly scheme: 'http' | 'https'
	readonly #incoming: IncomingMessage
	readonly #outgoing: NodeResponse
	readonly #context: RequestContext
	readonly #search: string
	#query: URLSearchParams | undefined
	#aborter: AbortController | undefined
	#continued = false
	#received = 0

	constructor(incoming: IncomingMessage, outgoing: NodeResponse, context: RequestContext) {
		const url = incoming.url ?? '/'
		const mark = url.indexOf('?')
		this.method = incoming.method ?? 'GET'
		this.path = mark < 0 ? url : url.slice(0, mark)
		this.#search = mark < 0 ? '' : url.slice(mark + 1)
		this.headers = incoming.headers
		this.scheme = context.scheme
		this.#incoming = incoming
		this.#outgoing = outgoing
		this.#context = context
	}

	get query(): URLSearchParams {
		this.#query ??= new URLSearchParams(this.#search)
		return this.#query
	}

	get remoteAddress(): string {
		return this.#incoming.socket.remoteAddress ?? ''
	}

	get signal(): AbortSignal {
		if (this.#aborter) return this.#aborter.signal
		const aborter = new AbortController()
		const { stopped } = this.#context
		const abort = (): void => aborter.abort()
		this.#aborter = aborter
		if (stopped.aborted || this.#outgoing.destroyed) abort()
		stopped.addEventListener('abort', abort, { once: true })
		this.#outgoing.once('close', () => {
			stopped.removeEventListener('abort', abort)
			if (!this.#outgoing.writableFinished) abort()
		})
		return aborter.signal
	}

	get clientCertificate(): ClientCertificate | undefined {
		const { socket } = this.#incoming
		if (!(socket instanceof TLSSocket) || !socket.authorized) return undefined
		// Typed as one string each, but a name that occurs more than once comes as an array.
		const subject = socket.getPeerCertificate().subject as
			| Readonly<Record<string, string | string[] | undefined>>
			| undefined
		if (!subject) return undefined
		const commonName = [subject.CN ?? ''].flat()[0] ?? ''
		return { commonName, organizations: [subject.O ?? []].flat() }
	}

	/** Whether the client still waits for leave to send the body, and so may never send it. */
	get awaitsContinue(): boolean {
		return this.#context.expectsContinue && !this.#continued
	}

	get body(): AsyncIterable<Uint8Array> {
		return this.#read()
	}

	get received(): number {
		return this.#received
	}

	async *#read(): AsyncGenerator<Uint8Array, void, undefined> {
		if (this.awaitsContinue) {
			this.#continued = true
			this.#outgoing.writeContinue()
		}
		// What came in one packet with the headers is there once whoever reads it has waited for anything at all.
		await Promise.resolve()
		if (this.#incoming.complete && !this.#incoming.destroyed) {
			// All at once, as a client that goes away meanwhile takes the rest along. Node.js 26 gives one
			// chunk each time; those before it give all of them together.
			const chunks: Uint8Array[] = []
			for (let chunk = this.#next(); chunk !== null; chunk = this.#next()) chunks.push(chunk)
			for (const chunk of chunks) yield this.#count(chunk)
			return
		}
		const { socket } = this.#incoming
		const { stallMs } = this.#context
		const giveUp = (): void => void this.#incoming.destroy(new Error('the body stalled'))
		socket.once('timeout', giveUp)
		socket.setTimeout(stallMs)
		try {
			// A handler that stops reading has an answer to give: the connection stays.
			for await (const chunk of this.#incoming.iterator({ destroyOnReturn: false })) {
				// The time that the handler takes is not the client's.
				socket.setTimeout(0)
				yield this.#count(chunk as Uint8Array)
				socket.setTimeout(stallMs)
			}
		} finally {
			socket.off('timeout', giveUp)
			socket.setTimeout(0)
		}
	}

	#next(): Uint8Array | null {
		return this.#incoming.read() as Uint8Array | null
	}

	#count(chunk: Uint8Array): Uint8Array {
		this.#received += chunk.byteLength
		return chunk
	}
}
