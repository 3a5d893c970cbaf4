import { UserError } from '../../../errors/index.ts'
import { createHttpClient, headerNameFault, headerValueFault } from '../../../http/client/index.ts'
import { setTimeout as delay } from 'node:timers/promises'
import type { Log } from '../context.ts'
import type { EndpointCounts } from '../observe/metrics.ts'
import { Delivery, type EventEndpoint } from './endpoint.ts'
import { envelopeEvent, type EventSource } from './envelope.ts'
import type { EventAction, ToldEvent } from './registry-event.ts'

export interface NotifierOptions {
	readonly endpoints: readonly EventEndpoint[]
	readonly log: Log
	/** Read: proxies and certificates; see `HttpClientOptions.env`. */
	readonly env?: Readonly<Record<string, string | undefined>> | undefined
	readonly sleep?: ((milliseconds: number, signal: AbortSignal) => Promise<void>) | undefined
	/** In [0, 1). */
	readonly random?: (() => number) | undefined
}

const DEFAULT_ACTIONS: readonly EventAction[] = ['push', 'delete', 'mount']

/** Tells endpoints what happens, without anybody waiting for it. */
export class Notifier {
	readonly #deliveries: readonly { readonly actions: ReadonlySet<EventAction>; readonly delivery: Delivery }[]
	readonly #close: () => void

	constructor({ endpoints, log, env, sleep, random = Math.random }: NotifierOptions) {
		for (const endpoint of endpoints) checkHeaders(endpoint)
		const clients = endpoints.map(({ ca }) => createHttpClient({ ca, env, retry: { attempts: 1 } }))
		this.#deliveries = endpoints.flatMap((endpoint, index) => {
			const http = clients[index]
			if (!http) return []
			const wait = sleep ?? ((ms, signal) => delay(ms, undefined, { signal, ref: false }))
			const delivery = new Delivery(endpoint, { http, log, random, sleep: wait })
			return [{ actions: new Set(endpoint.actions ?? DEFAULT_ACTIONS), delivery }]
		})
		this.#close = () => {
			for (const client of clients) client.close()
		}
	}

	/** Whether anybody wants to hear of an action. */
	wants(action: EventAction): boolean {
		return this.#deliveries.some(({ actions }) => actions.has(action))
	}

	tell(event: ToldEvent, source: EventSource): void {
		if (!this.wants(event.action)) return
		const envelope = envelopeEvent(event, source)
		for (const { actions, delivery } of this.#deliveries)
			if (actions.has(event.action)) delivery.add(envelope)
	}

	get counts(): readonly EndpointCounts[] {
		return this.#deliveries.map(({ delivery }) => delivery.counts)
	}

	/** Waits so long at most for what is still to be told. */
	async close(graceMs: number): Promise<void> {
		await Promise.all(this.#deliveries.map(({ delivery }) => delivery.close(graceMs)))
		this.#close()
	}
}

/** A request that cannot be made would be tried for ever. */
function checkHeaders({ name, headers = {} }: EventEndpoint): void {
	for (const [header, value] of Object.entries(headers)) {
		const fault = headerNameFault(header) ?? headerValueFault(value)
		if (fault === undefined) continue
		throw new UserError('USAGE', `the header ${JSON.stringify(header)} of the endpoint ${name}: ${fault}`)
	}
}
