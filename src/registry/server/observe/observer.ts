import type { ServerRequest, ServerResponse } from '../../../http/server/index.ts'
import type { Access } from '../access/access.ts'
import { plainAddress } from '../access/client-address.ts'
import { type AccessEntry, type Exchange, type ExchangeEnd, onAnswered } from './exchange.ts'
import type { Metrics } from './metrics.ts'

export interface ObserverOptions {
	readonly metrics: Metrics
	readonly access: Access | undefined
	/** Milliseconds since 1970. */
	readonly now: () => number
	/** Without it no entry is made. */
	readonly onAccess: ((entry: AccessEntry) => void) | undefined
}

const MAX_AGENT_LENGTH = 200

/** Counts every request, and writes it down where that is asked for. */
export class Observer {
	readonly #options: ObserverOptions

	constructor(options: ObserverOptions) {
		this.#options = options
	}

	begin(request: ServerRequest): Exchange {
		return { request, startedAt: performance.now(), route: 'other', identity: undefined }
	}

	answered(exchange: Exchange, answer: ServerResponse): ServerResponse {
		const { method } = exchange.request
		return onAnswered(answer, { method, end: (end) => this.#end(exchange, end) })
	}

	/** @throws the error */
	failed(exchange: Exchange, error: unknown): never {
		this.#end(exchange, { status: 0, sent: 0, aborted: true })
		throw error
	}

	#end(exchange: Exchange, end: ExchangeEnd): void {
		const { metrics, access, now, onAccess } = this.#options
		const ms = metrics.ended(exchange, end)
		if (!onAccess) return
		const { request, route, identity } = exchange
		const agent = request.headers['user-agent']?.slice(0, MAX_AGENT_LENGTH)
		onAccess({
			time: new Date(now() - ms).toISOString(),
			client: access?.addressOf(request) ?? plainAddress(request.remoteAddress),
			...(identity?.user !== undefined && { user: identity.user }),
			method: request.method,
			path: request.path,
			route,
			status: end.status,
			received: request.received ?? 0,
			sent: end.sent,
			ms: Math.round(ms * 100) / 100,
			...(end.aborted && { aborted: true }),
			...(agent !== undefined && { agent }),
		})
	}
}
