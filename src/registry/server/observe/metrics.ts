import type { LoginFailure } from '../access/access.ts'
import type { Exchange, ExchangeEnd } from './exchange.ts'

/** What is measured when somebody asks, and not counted. */
export interface Gauges {
	readonly repositories: number
	readonly tags: number
	readonly manifests: number
	readonly bytes: number
	readonly uploads: number
	/** `undefined` where the system does not tell. */
	readonly disk: { readonly free: number; readonly size: number } | undefined
	readonly ready: boolean
	/** Nothing is removed meanwhile. */
	readonly isJournalDamaged: boolean
	readonly endpoints: readonly EndpointCounts[]
}

/** Of one endpoint of events. */
export interface EndpointCounts {
	readonly name: string
	/** Waiting now. */
	readonly queued: number
	readonly delivered: number
	/** Attempts that failed. */
	readonly failures: number
	/** Events that were given up. */
	readonly dropped: number
}

const METHODS: readonly string[] = ['other', 'GET', 'HEAD', 'PUT', 'POST', 'PATCH', 'DELETE']
const METHOD_NUMBERS: ReadonlyMap<string, number> = new Map(METHODS.map((method, index) => [method, index]))
/** Above every status. */
const STATUSES = 1000
/** Upper bounds, in seconds. */
const BUCKETS: readonly number[] = [0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10, 60]

/** Of one route. */
interface RouteCounts {
	/** By the number of the method times {@link STATUSES} plus the status: a text as key would cost more than all else here. */
	readonly requests: Map<number, number>
	/** Durations: one for each of {@link BUCKETS}, and one for what is above; not yet added up. */
	readonly buckets: number[]
	/** Of all durations, in seconds. */
	seconds: number
}

/**
 * Plain counters for `/metrics`. Labels have few values each, whatever clients send.
 * @see https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
 */
export class Metrics {
	readonly #startedAt: number
	readonly #routes = new Map<string, RouteCounts>()
	readonly #failures: Record<LoginFailure, number> = { password: 0, token: 0, limited: 0 }
	#received = 0
	#sent = 0
	#aborted = 0
	#pushes = 0

	/** @param now milliseconds since 1970 */
	constructor(now: number) {
		this.#startedAt = now
	}

	ended({ request, route, startedAt }: Exchange, { status, sent, aborted }: ExchangeEnd): number {
		const ms = performance.now() - startedAt
		this.#received += request.received ?? 0
		this.#sent += sent
		if (aborted) this.#aborted++
		const counts = this.#countsOf(route)
		const key = (METHOD_NUMBERS.get(request.method) ?? 0) * STATUSES + status
		counts.requests.set(key, (counts.requests.get(key) ?? 0) + 1)
		let bucket = 0
		while (bucket < BUCKETS.length && ms > (BUCKETS[bucket] ?? 0) * 1000) bucket++
		counts.buckets[bucket] = (counts.buckets[bucket] ?? 0) + 1
		counts.seconds += ms / 1000
		return ms
	}

	#countsOf(route: string): RouteCounts {
		const known = this.#routes.get(route)
		if (known) return known
		const buckets = Array.from({ length: BUCKETS.length + 1 }, () => 0)
		const counts: RouteCounts = { requests: new Map(), buckets, seconds: 0 }
		this.#routes.set(route, counts)
		return counts
	}

	loginFailed(kind: LoginFailure): void {
		this.#failures[kind]++
	}

	pushed(): void {
		this.#pushes++
	}

	/** The text format of Prometheus, version 0.0.4. */
	format(gauges: Gauges): string {
		const { disk, endpoints } = gauges
		return [
			...family('requests_total', 'counter', 'Requests that were answered.', this.#requestSamples()),
			...family(
				'request_duration_seconds',
				'histogram',
				'Time until an answer was handed over.',
				this.#durationSamples(),
			),
			...single('received_bytes_total', 'counter', 'Bytes of request bodies.', this.#received),
			...single('sent_bytes_total', 'counter', 'Bytes of answer bodies.', this.#sent),
			...single('aborted_answers_total', 'counter', 'Answers that were cut half-way.', this.#aborted),
			...single('pushes_total', 'counter', 'Manifests stored and tags set.', this.#pushes),
			...family(
				'login_failures_total',
				'counter',
				'Wrong passwords and tokens, and clients that had to wait after too many.',
				Object.entries(this.#failures).map(([kind, count]) => [`{kind="${kind}"}`, count]),
			),
			...single('repositories', 'gauge', 'Repositories.', gauges.repositories),
			...single('tags', 'gauge', 'Tags over all repositories.', gauges.tags),
			...single('manifests', 'gauge', 'Manifests over all repositories.', gauges.manifests),
			...single('storage_bytes', 'gauge', 'All content together, each stored once.', gauges.bytes),
			...single('uploads', 'gauge', 'Uploads begun and not ended.', gauges.uploads),
			...(disk
				? [
						...single('disk_free_bytes', 'gauge', 'Free space where the content is.', disk.free),
						...single('disk_size_bytes', 'gauge', 'Size of that file system.', disk.size),
					]
				: []),
			...single('ready', 'gauge', '1 while /readyz says yes.', gauges.ready ? 1 : 0),
			...single(
				'journal_damaged',
				'gauge',
				'1 while lines of the journal are damaged: what they named is not served, and nothing is removed.',
				gauges.isJournalDamaged ? 1 : 0,
			),
			...endpointFamilies(endpoints),
			...single(
				'start_time_seconds',
				'gauge',
				'When the server started, since 1970.',
				this.#startedAt / 1000,
			),
			...single('resident_memory_bytes', 'gauge', 'Memory of the process.', process.memoryUsage.rss()),
			'',
		].join('\n')
	}

	#requestSamples(): Sample[] {
		return [...this.#routes].flatMap(([route, { requests }]) =>
			[...requests].map(([key, count]): Sample => {
				const method = METHODS[Math.floor(key / STATUSES)] ?? ''
				return [`{method="${method}",route="${route}",status="${key % STATUSES}"}`, count]
			}),
		)
	}

	#durationSamples(): Sample[] {
		return [...this.#routes].flatMap(([route, { buckets, seconds }]) => {
			let total = 0
			const samples = buckets.map((count, index): Sample => {
				total += count
				return [`_bucket{route="${route}",le="${BUCKETS[index] ?? '+Inf'}"}`, total]
			})
			return [
				...samples,
				[`_sum{route="${route}"}`, seconds],
				[`_count{route="${route}"}`, total],
			] satisfies Sample[]
		})
	}
}

/** What follows the name of a metric, and its value. */
type Sample = readonly [string, number]

const PREFIX = 'lading_registry_'

function family(
	name: string,
	type: 'counter' | 'gauge' | 'histogram',
	help: string,
	samples: readonly Sample[],
): string[] {
	if (samples.length === 0) return []
	const full = `${PREFIX}${name}`
	return [
		`# HELP ${full} ${help}`,
		`# TYPE ${full} ${type}`,
		...samples.map(([labels, value]) => `${full}${labels} ${value}`),
	]
}

function single(name: string, type: 'counter' | 'gauge', help: string, value: number): string[] {
	return family(name, type, help, [['', value]])
}

function endpointFamilies(endpoints: readonly EndpointCounts[]): string[] {
	const samples = (count: (endpoint: EndpointCounts) => number): Sample[] =>
		endpoints.map((endpoint) => [`{endpoint="${endpoint.name}"}`, count(endpoint)])
	return [
		...family(
			'events_queued',
			'gauge',
			'Events that wait for an endpoint.',
			samples(({ queued }) => queued),
		),
		...family(
			'events_delivered_total',
			'counter',
			'Events that an endpoint has taken.',
			samples(({ delivered }) => delivered),
		),
		...family(
			'events_failures_total',
			'counter',
			'Attempts that failed.',
			samples(({ failures }) => failures),
		),
		...family(
			'events_dropped_total',
			'counter',
			'Events that were given up.',
			samples(({ dropped }) => dropped),
		),
	]
}
