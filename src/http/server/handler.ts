import type { IncomingHttpHeaders } from 'node:http'

export interface ServerRequest {
	readonly method: string
	/** Path as sent, percent-encoded, without the query. */
	readonly path: string
	readonly query: URLSearchParams
	readonly headers: IncomingHttpHeaders
	/** The body as it arrives; reading it is the handler's business. */
	readonly body: AsyncIterable<Uint8Array>
	/** Bytes of the body that were handed out so far; `undefined` where nobody counts. */
	readonly received?: number | undefined
	/** Aborts when the client is gone or the server stops. */
	readonly signal: AbortSignal
	readonly remoteAddress: string
	/** Of the listener: `https` with TLS. */
	readonly scheme: 'http' | 'https'
	/** Who the client proved to be, where the listener asks for certificates and trusts this one. */
	readonly clientCertificate?: ClientCertificate | undefined
}

/** The names in the subject of a client certificate that was verified. */
export interface ClientCertificate {
	readonly commonName: string
	readonly organizations: readonly string[]
}

export interface ServerResponse {
	readonly status: number
	readonly headers?: Readonly<Record<string, string | number | readonly string[]>> | undefined
	/**
	 * A stream that throws half-way cuts the connection, so that the client sees a failure.
	 * It opens what it reads when it is first asked for a chunk: for `HEAD` it never is.
	 */
	readonly body?: Uint8Array | string | AsyncIterable<Uint8Array | string> | undefined
}

/**
 * A server as a function, testable without a socket. It may answer synchronously,
 * which is several times faster than a promise for answers from memory.
 */
export type Handler = (request: ServerRequest) => ServerResponse | Promise<ServerResponse>
