import type { IncomingHttpHeaders } from 'node:http'

export interface ServerRequest {
	readonly method: string
	/** Path as sent, percent-encoded, without the query. */
	readonly path: string
	readonly query: URLSearchParams
	readonly headers: IncomingHttpHeaders
	/** The body as it arrives; reading it is the handler's business. */
	readonly body: AsyncIterable<Uint8Array>
	/** Aborts when the client is gone or the server stops. */
	readonly signal: AbortSignal
	readonly remoteAddress: string
	/** Of the listener: `https` with TLS. */
	readonly scheme: 'http' | 'https'
}

export interface ServerResponse {
	readonly status: number
	readonly headers?: Readonly<Record<string, string | number | readonly string[]>> | undefined
	/** A stream that throws half-way cuts the connection, so that the client sees a failure. */
	readonly body?: Uint8Array | string | AsyncIterable<Uint8Array | string> | undefined
}

/**
 * A server as a function, testable without a socket. It may answer synchronously,
 * which is several times faster than a promise for answers from memory.
 */
export type Handler = (request: ServerRequest) => ServerResponse | Promise<ServerResponse>
