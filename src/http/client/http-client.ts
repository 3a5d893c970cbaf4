import { RemoteError } from '../../errors/index.ts'
import { exchange } from './exchange.ts'
import { describeFailure, mayBeTls, TlsSpoken } from './failure.ts'
import type { HttpRequest, HttpResponse, RequestHeaders, Timeouts } from './message.ts'
import { redirectTarget } from './redirect.ts'
import {
	repeat,
	type Retry,
	type RetryEvent,
	type RetryPolicy,
	retryAfterOf,
	retryOfError,
	type Waiting,
} from './retry.ts'
import { createTransport, type Route, speaksTls } from './transport.ts'

export interface HttpClientOptions {
	/** PEM certificates trusted besides the system's. */
	readonly ca?: string | undefined
	/** Whether the system's roots are trusted besides `ca`, where that is given. Default: yes. */
	readonly systemRoots?: boolean | undefined
	/** Accept any certificate. */
	readonly insecure?: boolean | undefined
	/**
	 * Read: `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY`, `SSL_CERT_FILE`, `SSL_CERT_DIR`,
	 * `NODE_EXTRA_CA_CERTS`. Default: none.
	 */
	readonly env?: Readonly<Record<string, string | undefined>> | undefined
	readonly timeouts?: Partial<Timeouts> | undefined
	readonly retry?: Partial<RetryPolicy> | undefined
	readonly userAgent?: string | undefined
	/** Told once per origin and reason that requests are being repeated. */
	readonly onRetry?: ((event: RetryEvent) => void) | undefined
	readonly sleep?: ((milliseconds: number, signal?: AbortSignal) => Promise<void>) | undefined
	/** In [0, 1). */
	readonly random?: (() => number) | undefined
	/** Milliseconds since the epoch. */
	readonly now?: (() => number) | undefined
}

interface AttemptOptions {
	readonly signal?: AbortSignal | undefined
	/** Shared with requests inside that are repeated by themselves. Default: none. */
	readonly waiting?: Waiting | undefined
	/** How far the operation has come: attempts and waiting are counted anew from where that changes. */
	readonly progress?: (() => number) | undefined
}

export interface HttpClient {
	/**
	 * Sends one request and resolves with the head of its answer, whatever its
	 * status. Passing faults (408, 425, 429, 5xx but 501, resets, stalls, DNS
	 * hiccups) are repeated when the request may be.
	 * @throws RemoteError `TLS_*`, `CONNECTION_FAILED`, `TIMED_OUT`
	 */
	request(request: HttpRequest): Promise<HttpResponse>
	/**
	 * Runs several steps as one, again from the start while it throws a `RemoteError` whose `wire.retryable`
	 * is set, within the client's policy. What was repeated inside until the policy was exhausted is final.
	 */
	attempt<T>(operation: () => Promise<T>, options?: AttemptOptions): Promise<T>
	/** Closes the connections. What was still asked fails, and is not asked again. */
	close(): void
}

const MAX_REDIRECTS = 10
const IDEMPOTENT: ReadonlySet<string> = new Set(['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS'])
/** Not 507: a full disk is as full a second later. */
const RETRY_STATUS: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 524])

/** Whether an answer with this status is worth asking for again. */
export function isRetryableStatus(status: number): boolean {
	return RETRY_STATUS.has(status)
}

const DEFAULT_TIMEOUTS: Timeouts = { connect: 10_000, headers: 60_000, idle: 30_000 }
const DEFAULT_RETRY: RetryPolicy = {
	attempts: 6,
	baseDelay: 200,
	maxDelay: 8_000,
	maxRetryAfter: 60_000,
	budget: 120_000,
}

function defaultSleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
	return new Promise((resolve, reject) => {
		const abort = (): void => {
			clearTimeout(timer)
			reject(signal?.reason)
		}
		const timer = setTimeout(() => {
			signal?.removeEventListener('abort', abort)
			resolve()
		}, milliseconds)
		if (signal?.aborted) abort()
		else signal?.addEventListener('abort', abort, { once: true })
	})
}

/** A client with kept connections: one for each combination of trust that a command needs. */
export function createHttpClient(options: HttpClientOptions = {}): HttpClient {
	const timeouts = { ...DEFAULT_TIMEOUTS, ...options.timeouts }
	const transport = createTransport({
		ca: options.ca,
		systemRoots: options.systemRoots ?? true,
		insecure: options.insecure,
		env: options.env ?? {},
		connectTimeout: timeouts.connect,
	})
	const now = options.now ?? Date.now
	const closing = new AbortController()
	const said = new Set<string>()
	const onRetry = (event: RetryEvent): void => {
		const key = `${event.origin} ${event.reason}`
		if (said.has(key)) return
		said.add(key)
		options.onRetry?.(event)
	}
	const repeatOptions = {
		policy: { ...DEFAULT_RETRY, ...options.retry },
		sleep: options.sleep ?? defaultSleep,
		closing: closing.signal,
		random: options.random ?? Math.random,
		now,
		onRetry,
	}

	/** Origins that have spoken plain HTTP, and so need no probe for TLS. */
	const plainOrigins = new Set<string>()

	async function spokeTls(url: URL, route: Route, sign: unknown): Promise<boolean> {
		if (url.protocol !== 'http:' || route.proxy !== undefined || plainOrigins.has(url.origin)) return false
		if (sign instanceof Error ? mayBeTls(sign) : sign === 400) return speaksTls(url, timeouts.connect)
		return false
	}

	async function sendOnce(request: HttpRequest, url: URL, headers: RequestHeaders): Promise<HttpResponse> {
		const { method, body, contentLength, signal } = request
		for (;;) {
			const route = await transport.route(url)
			try {
				const answer = await exchange(route, { method, url, headers, body, contentLength, signal, timeouts })
				if (await spokeTls(url, route, answer.status)) {
					answer.discard()
					throw new TlsSpoken()
				}
				plainOrigins.add(url.origin)
				return answer
			} catch (error) {
				if (signal?.aborted) throw signal.reason
				if (await transport.widenTrust(route, error)) continue
				const cause = (await spokeTls(url, route, error)) ? new TlsSpoken() : error
				throw describeFailure(cause, { method, url, proxy: route.proxy })
			}
		}
	}

	async function follow(request: HttpRequest): Promise<HttpResponse> {
		let url = new URL(request.url)
		let headers: RequestHeaders = { 'user-agent': options.userAgent ?? 'lading', ...request.headers }
		for (let hops = 0; ; hops++) {
			const response = await sendOnce(request, url, headers)
			if (request.redirect === 'manual') return response
			const target = redirectTarget(response, { method: request.method, from: url, headers })
			if (target === undefined) return response
			response.discard()
			if (hops === MAX_REDIRECTS) {
				throw new RemoteError('REGISTRY_PROTOCOL', `${url.host} redirects more than ${MAX_REDIRECTS} times`, {
					hint: 'It goes round in circles, as before a login page. Check the address of the registry.',
					wire: { method: request.method, url: request.url, status: response.status },
				})
			}
			;({ url, headers } = target)
		}
	}

	async function request(request: HttpRequest): Promise<HttpResponse> {
		if (request.timeout !== undefined) return withTimeout(request, request.timeout)
		if (!(request.retry ?? IDEMPOTENT.has(request.method))) return follow(request)
		return repeat(() => follow(request), {
			...repeatOptions,
			signal: request.signal,
			waiting: request.waiting,
			retryOf: (outcome) => {
				if (!outcome.ok) return retryOfError(outcome.error)
				const { status, headers } = outcome.value
				if (!isRetryableStatus(status)) return undefined
				const retry: Retry = {
					reason: `status ${status}`,
					origin: new URL(outcome.value.url).origin,
					retryAfter: retryAfterOf(headers['retry-after'], now()),
				}
				return retry
			},
			discard: (response) => response.discard(),
		})
	}

	async function withTimeout(limited: HttpRequest, milliseconds: number): Promise<HttpResponse> {
		const { timeout: _, ...rest } = limited
		const controller = new AbortController()
		const timer = setTimeout(() => {
			const { host } = new URL(limited.url)
			controller.abort(
				new RemoteError('TIMED_OUT', `${host} did not answer within ${milliseconds / 1000} s`, {
					wire: { method: limited.method, url: limited.url },
				}),
			)
		}, milliseconds)
		const signal = limited.signal ? AbortSignal.any([limited.signal, controller.signal]) : controller.signal
		try {
			return await request({ ...rest, signal })
		} finally {
			clearTimeout(timer)
		}
	}

	return {
		request,
		attempt: (operation, attemptOptions = {}) =>
			repeat(operation, {
				...repeatOptions,
				...attemptOptions,
				retryOf: (outcome) => (outcome.ok ? undefined : retryOfError(outcome.error)),
			}),
		close() {
			closing.abort()
			transport.close()
		},
	}
}
