import type { IncomingHttpHeaders } from 'node:http'
import type { Waiting } from './retry.ts'

export type RequestBody = Uint8Array | (() => AsyncIterable<Uint8Array>)

/** Milliseconds. */
export interface Timeouts {
	/** Until the connection stands, TLS and proxy included. */
	readonly connect: number
	/** From the end of the request to the head of the answer. */
	readonly headers: number
	/** Between two pieces of a body, either way. */
	readonly idle: number
}

export type RequestHeaders = Readonly<Record<string, string>>

export interface HttpRequest {
	readonly method: string
	readonly url: string
	readonly headers?: RequestHeaders | undefined
	/** Bytes, or a function that opens the content from its start each time it is called. */
	readonly body?: RequestBody | undefined
	/** Number of bytes of a body that is a function; without it the body goes out chunked. */
	readonly contentLength?: number | undefined
	readonly signal?: AbortSignal | undefined
	/** Default `follow`: up to ten redirects, credentials staying with their origin. */
	readonly redirect?: 'follow' | 'manual' | undefined
	/** Milliseconds for all attempts together, up to the head of the answer; default none but the client's own. */
	readonly timeout?: number | undefined
	/** Whether the request may be sent again; default: its method is idempotent. */
	readonly retry?: boolean | undefined
	/** What was waited for before, where several requests share one budget; default nothing. */
	readonly waiting?: Waiting | undefined
}

export interface HttpResponse {
	readonly method: string
	readonly status: number
	readonly headers: IncomingHttpHeaders
	/** After redirects; may carry a signed query: redact before showing it. */
	readonly url: string
	/** May be read once. One of `body`, `bytes`, `text`, `discard` must be used to free the connection. */
	readonly body: AsyncIterable<Uint8Array>
	/** @throws RemoteError `REGISTRY_PROTOCOL` when there are more than `limit` bytes */
	bytes(limit: number): Promise<Uint8Array>
	/** UTF-8. @throws RemoteError `REGISTRY_PROTOCOL` when there are more than `limit` bytes */
	text(limit: number): Promise<string>
	/** Throws the body away: read when it is short, else by closing the connection. */
	discard(): void
}
