import type { ServerResponse } from '../../../http/server/index.ts'
import type { Access } from '../access/access.ts'
import { plainAddress } from '../access/client-address.ts'
import type { Log, PushEvent } from '../context.ts'
import type { Exchange } from '../observe/exchange.ts'
import type { Metrics } from '../observe/metrics.ts'
import type { RecentPushes } from '../recent-pushes.ts'
import type { Route } from '../route.ts'
import type { RegistryStorage } from '../storage.ts'
import { eventsOf, type ToldEvent } from './registry-event.ts'

export interface EventSpreaderOptions {
	readonly storage: RegistryStorage
	readonly access: Access | undefined
	readonly metrics: Metrics
	readonly pushes: RecentPushes
	readonly onPush?: ((event: PushEvent) => void) | undefined
	readonly onEvent?: ((event: ToldEvent) => void) | undefined
	readonly tellPulls?: boolean | undefined
	readonly now: () => number
	readonly log: Log
}

/** Tells everybody who wants to know what a request has done, once it is done. */
export class EventSpreader {
	readonly #options: EventSpreaderOptions
	readonly #pulls: boolean

	constructor(options: EventSpreaderOptions) {
		this.#options = options
		this.#pulls = options.tellPulls === true
	}

	spread(
		exchange: Exchange,
		{ route, answer }: { readonly route: Route; readonly answer: ServerResponse },
	): void {
		const { request } = exchange
		if (!this.#pulls && (request.method === 'GET' || request.method === 'HEAD')) return
		const { storage, access, now, onEvent } = this.#options
		// Of blobs nobody else wants to know.
		if (route.kind !== 'manifest' && !onEvent) return
		for (const event of eventsOf({ request, answer, route, storage, pulls: this.#pulls })) {
			this.#tell({
				...event,
				time: now(),
				user: exchange.identity?.user,
				client: access?.addressOf(request) ?? plainAddress(request.remoteAddress),
				method: request.method,
				host: request.headers.host,
				userAgent: request.headers['user-agent'],
				scheme: request.scheme,
			})
		}
	}

	#tell(event: ToldEvent): void {
		const { metrics, pushes, onPush, onEvent, log } = this.#options
		try {
			onEvent?.(event)
			const { action, kind, repository, tag, digest, mediaType, size, user, client, userAgent, time } = event
			if (action !== 'push' || kind !== 'manifest' || digest === undefined) return
			if (mediaType === undefined || size === undefined) return
			const push = { repository, tag, digest, mediaType, size, user, client, userAgent, time }
			metrics.pushed()
			pushes.add(push)
			onPush?.(push)
		} catch (error) {
			log({ level: 'error', message: `after a ${event.action} in ${event.repository}: ${String(error)}` })
		}
	}
}
