import type { ServerRequest, ServerResponse } from '../../../http/server/index.ts'
import type { Identity } from '../access/access.ts'

/** A request under way. What is found out about it is filled in. */
export interface Exchange {
	readonly request: ServerRequest
	/** By `performance.now()`, in milliseconds. */
	readonly startedAt: number
	/** Kind of what was asked for: one of few, whatever the path. */
	route: string
	identity: Identity | undefined
}

/** A request that was answered. It holds no secret: no header but the client's name of itself, no query. */
export interface AccessEntry {
	/** ISO 8601, when the request came. */
	readonly time: string
	/** Address of the client. */
	readonly client: string
	/** Absent for whoever showed no credentials, or wrong ones. */
	readonly user?: string | undefined
	readonly method: string
	/** Without the query. */
	readonly path: string
	readonly route: string
	/** 0: the request failed without an answer. */
	readonly status: number
	readonly received: number
	readonly sent: number
	/** Milliseconds until the answer was handed over. */
	readonly ms: number
	/** The client went away, or the content turned out damaged, before the answer was complete. */
	readonly aborted?: true | undefined
	readonly agent?: string | undefined
}

export interface ExchangeEnd {
	readonly status: number
	/** Bytes of the body of the answer. */
	readonly sent: number
	readonly aborted: boolean
}

/** The same answer, and `end` called when it is complete or cut. At once where it is in memory. */
export function onAnswered(
	answer: ServerResponse,
	{ method, end }: { readonly method: string; readonly end: (end: ExchangeEnd) => void },
): ServerResponse {
	const { status, body } = answer
	if (method === 'HEAD' || body === undefined) end({ status, sent: 0, aborted: false })
	else if (typeof body === 'string') end({ status, sent: Buffer.byteLength(body), aborted: false })
	else if (body instanceof Uint8Array) end({ status, sent: body.byteLength, aborted: false })
	else return { ...answer, body: watched(body, { status, end }) }
	return answer
}

async function* watched(
	body: AsyncIterable<Uint8Array | string>,
	{ status, end }: { readonly status: number; readonly end: (end: ExchangeEnd) => void },
): AsyncGenerator<Uint8Array | string, void, undefined> {
	let sent = 0
	let isWhole = false
	try {
		for await (const chunk of body) {
			sent += typeof chunk === 'string' ? Buffer.byteLength(chunk) : chunk.byteLength
			yield chunk
		}
		isWhole = true
	} finally {
		end({ status, sent, aborted: !isWhole })
	}
}

/** One line of JSON; everything but printable ASCII is escaped, so that a terminal may show it. */
export function formatAccess(entry: AccessEntry): string {
	const json = JSON.stringify(entry)
	return `${json.replace(/[^\x20-\x7e]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)}\n`
}
