import { LadingError } from '../../../errors/index.ts'
import type { HttpClient } from '../../../http/client/index.ts'
import type { Log } from '../context.ts'
import type { EndpointCounts } from '../observe/metrics.ts'
import { ENVELOPE_TYPE, type EnvelopeEvent, formatEnvelope } from './envelope.ts'
import type { EventAction } from './registry-event.ts'

/** Where events are posted. */
export interface EventEndpoint {
	/** For metrics and the log. */
	readonly name: string
	readonly url: string
	/** Sent with each request, and never shown. */
	readonly headers?: Readonly<Record<string, string>> | undefined
	/** PEM certificates trusted besides the system's. */
	readonly ca?: string | undefined
	/** For one attempt, in milliseconds. Default 5 s. */
	readonly timeoutMs?: number | undefined
	/** Default: push, delete and mount. */
	readonly actions?: readonly EventAction[] | undefined
	/** Events kept while it does not take them; the oldest go first. Default 1000. */
	readonly queue?: number | undefined
}

export interface DeliveryOptions {
	readonly http: HttpClient
	readonly log: Log
	readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>
	/** In [0, 1). */
	readonly random: () => number
}

const DEFAULT_TIMEOUT_MS = 5000
const DEFAULT_QUEUE = 1000
/** Events of one envelope at most. */
const MAX_BATCH = 100
const FIRST_DELAY_MS = 1000
const MAX_DELAY_MS = 60_000
/** What says that this very content is not wanted, so that it will not be wanted later either. */
const REFUSED: ReadonlySet<number> = new Set([400, 413, 415, 422])

type Attempt = { readonly kind: 'taken' } | { readonly kind: 'refused' | 'failed'; readonly why: string }

/**
 * Posts events to one endpoint, in their order, one request at a time, again until it
 * takes them: at least once, for as long as the process runs and the queue has room.
 */
export class Delivery {
	readonly #endpoint: EventEndpoint
	readonly #options: DeliveryOptions
	readonly #stop = new AbortController()
	#queue: EnvelopeEvent[] = []
	/** How many at the start of the queue are on their way, and stay there. */
	#sending = 0
	#running: Promise<void> | undefined
	#delivered = 0
	#failures = 0
	#dropped = 0
	#isTroubled = false

	constructor(endpoint: EventEndpoint, options: DeliveryOptions) {
		this.#endpoint = endpoint
		this.#options = options
	}

	add(event: EnvelopeEvent): void {
		if (this.#stop.signal.aborted) return void this.#dropped++
		this.#queue.push(event)
		if (this.#queue.length > (this.#endpoint.queue ?? DEFAULT_QUEUE) + this.#sending) {
			this.#queue.splice(this.#sending, 1)
			this.#drop(1, 'its queue is full')
		}
		this.#running ??= this.#run().finally(() => {
			this.#running = undefined
		})
	}

	get counts(): EndpointCounts {
		const { name } = this.#endpoint
		const [queued, delivered, failures, dropped] = [
			this.#queue.length,
			this.#delivered,
			this.#failures,
			this.#dropped,
		]
		return { name, queued, delivered, failures, dropped }
	}

	/** Waits until the queue is empty, for so long at most; what is left then is given up. */
	async close(graceMs: number): Promise<void> {
		const timer = setTimeout(() => this.#stop.abort(), graceMs)
		await this.#running
		clearTimeout(timer)
		this.#stop.abort()
		if (this.#queue.length > 0) this.#drop(this.#queue.length, 'the registry stops')
		this.#queue = []
	}

	async #run(): Promise<void> {
		// What comes in one go goes in one request.
		await Promise.resolve()
		let attempts = 0
		let most = MAX_BATCH
		while (this.#queue.length > 0 && !this.#stop.signal.aborted) {
			this.#sending = Math.min(this.#queue.length, most)
			const attempt = await this.#post(this.#queue.slice(0, this.#sending))
			const sent = this.#sending
			this.#sending = 0
			if (attempt.kind === 'taken') {
				this.#queue.splice(0, sent)
				this.#delivered += sent
				this.#recovered()
				attempts = 0
				most = MAX_BATCH
			} else if (attempt.kind === 'refused' && sent > 1) {
				// One of them may be the reason.
				most = 1
			} else if (attempt.kind === 'refused') {
				this.#queue.splice(0, 1)
				this.#failures++
				this.#drop(1, attempt.why)
			} else {
				this.#failed(attempt.why)
				await this.#pause(attempts++)
			}
		}
	}

	async #post(events: readonly EnvelopeEvent[]): Promise<Attempt> {
		const { url, headers, timeoutMs = DEFAULT_TIMEOUT_MS } = this.#endpoint
		try {
			const response = await this.#options.http.request({
				method: 'POST',
				url,
				headers: { ...headers, 'content-type': ENVELOPE_TYPE },
				body: Buffer.from(formatEnvelope(events)),
				signal: AbortSignal.any([this.#stop.signal, AbortSignal.timeout(timeoutMs)]),
				// To follow would show the headers to whomever it names.
				redirect: 'manual',
				retry: false,
			})
			response.discard()
			const { status } = response
			if (status >= 200 && status < 300) return { kind: 'taken' }
			return { kind: REFUSED.has(status) ? 'refused' : 'failed', why: `it answers with status ${status}` }
		} catch (error) {
			if (error instanceof LadingError) return { kind: 'failed', why: error.message }
			return { kind: 'failed', why: `it does not answer within ${timeoutMs} ms` }
		}
	}

	async #pause(attempts: number): Promise<void> {
		const delay = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** attempts)
		const { random, sleep } = this.#options
		await sleep(delay * (0.75 + random() / 2), this.#stop.signal).catch(() => undefined)
	}

	#failed(why: string): void {
		this.#failures++
		if (this.#isTroubled) return
		this.#isTroubled = true
		const { name } = this.#endpoint
		this.#options.log({
			level: 'warning',
			message: `events to ${name} are not taken: ${why}; it is tried again`,
		})
	}

	#recovered(): void {
		if (!this.#isTroubled) return
		this.#isTroubled = false
		this.#options.log({ level: 'info', message: `events to ${this.#endpoint.name} are taken again` })
	}

	#drop(count: number, why: string): void {
		const isFirst = this.#dropped === 0
		this.#dropped += count
		// Each one would drown the log; the metrics have them all.
		if (!isFirst && this.#dropped % 1000 >= count) return
		const message = `${this.#dropped} events to ${this.#endpoint.name} were given up so far: ${why}`
		this.#options.log({ level: 'error', message })
	}
}
