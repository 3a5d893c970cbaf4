import { RemoteError, type WireError } from '../../errors/index.ts'
import { Stalled } from './failure.ts'

export interface RetryPolicy {
	/** How often a request is sent at most, the first time included. */
	readonly attempts: number
	/** Milliseconds before the second attempt; doubled for each further one. */
	readonly baseDelay: number
	/** Milliseconds: no backoff is longer. */
	readonly maxDelay: number
	/** Milliseconds: a `Retry-After` beyond it ends the attempts. */
	readonly maxRetryAfter: number
	/** Milliseconds of waiting for one request: all delays together, and the time in which the other side stood still. */
	readonly budget: number
}

/** What has been waited for so far: given to several requests, one budget holds for all of them. */
export interface Waiting {
	milliseconds: number
}

export interface RetryEvent {
	/** `https://host:port` of the request. */
	readonly origin: string
	/** Such as "status 503" or "the connection was reset". */
	readonly reason: string
	/** Milliseconds until it is sent again. */
	readonly delay: number
}

/** Why something is worth repeating. */
export interface Retry {
	readonly reason: string
	readonly origin: string
	/** Milliseconds that the other side asked for. */
	readonly retryAfter?: number | undefined
	/** Whether it was given up only after a long wait. */
	readonly stalled?: boolean | undefined
}

export type Outcome<T> =
	| { readonly ok: true; readonly value: T }
	| { readonly ok: false; readonly error: unknown }

export interface RepeatOptions<T> {
	readonly policy: RetryPolicy
	readonly sleep: (milliseconds: number, signal?: AbortSignal) => Promise<void>
	readonly random: () => number
	/** Milliseconds since the epoch. */
	readonly now: () => number
	readonly onRetry: (event: RetryEvent) => void
	readonly retryOf: (outcome: Outcome<T>) => Retry | undefined
	/** Frees a value that is not returned. */
	readonly discard?: (value: T) => void
	/** Default: nothing yet. */
	readonly waiting?: Waiting | undefined
	/** How far the operation has come: attempts and waiting are counted anew from where that changes. */
	readonly progress?: (() => number) | undefined
	readonly signal?: AbortSignal | undefined
	/** Ends the repetitions too, whoever asked: the connections are gone by then. */
	readonly closing: AbortSignal
}

/** Answers and errors that a policy was exhausted with. */
const exhaustedWith = new WeakSet<object>()

/**
 * Marks an error that tells of an answer as that answer is: where its repetitions are
 * exhausted, the steps around it are not repeated either, or attempts would multiply.
 */
export function asFinalAs<E extends Error>(answer: object, error: E): E {
	if (exhaustedWith.has(answer)) exhaustedWith.add(error)
	return error
}

/** Runs `operation` until its outcome is final or the policy is exhausted; then the last outcome counts. */
export async function repeat<T>(operation: () => Promise<T>, options: RepeatOptions<T>): Promise<T> {
	const { policy, signal, closing, progress, waiting = { milliseconds: 0 } } = options
	let reached = progress?.()
	for (let attempt = 1; ; attempt++) {
		const begun = options.now()
		const before = waiting.milliseconds
		const outcome = await settle(operation)
		const retry = signal?.aborted || closing.aborted ? undefined : options.retryOf(outcome)
		if (retry === undefined) return resultOf(outcome)
		const standing = progress?.()
		if (standing !== reached) {
			reached = standing
			attempt = 1
			waiting.milliseconds = 0
		} else if (retry.stalled === true) {
			// What was waited for within is part of that time.
			waiting.milliseconds = Math.max(waiting.milliseconds, before + options.now() - begun)
		}
		const delay = delayBefore(attempt, retry, options)
		if (attempt >= policy.attempts || delay === undefined || waiting.milliseconds + delay > policy.budget) {
			markExhausted(outcome)
			return resultOf(outcome)
		}
		if (outcome.ok) options.discard?.(outcome.value)
		options.onRetry({ origin: retry.origin, reason: retry.reason, delay })
		waiting.milliseconds += delay
		await options.sleep(delay, signal ? AbortSignal.any([signal, closing]) : closing)
	}
}

function resultOf<T>(outcome: Outcome<T>): T {
	if (outcome.ok) return outcome.value
	throw outcome.error
}

function markExhausted(outcome: Outcome<unknown>): void {
	const last = outcome.ok ? outcome.value : outcome.error
	if (typeof last === 'object' && last !== null) exhaustedWith.add(last)
}

async function settle<T>(operation: () => Promise<T>): Promise<Outcome<T>> {
	try {
		return { ok: true, value: await operation() }
	} catch (error) {
		return { ok: false, error }
	}
}

/** @returns `undefined` when the other side asks for more than the policy allows */
function delayBefore(
	attempt: number,
	retry: Retry,
	{ policy, random }: Pick<RepeatOptions<never>, 'policy' | 'random'>,
): number | undefined {
	const backoff = Math.min(policy.baseDelay * 2 ** (attempt - 1), policy.maxDelay)
	// Half fixed, half random: many clients that failed together do not come back together.
	const jittered = Math.round(backoff / 2 + (backoff / 2) * random())
	if (retry.retryAfter === undefined) return jittered
	if (retry.retryAfter > policy.maxRetryAfter) return undefined
	return Math.max(retry.retryAfter, jittered)
}

/** A failure that may be none the next time, as its wire says. */
export function isPassing(error: unknown): error is RemoteError & { readonly wire: WireError } {
	return error instanceof RemoteError && error.wire?.retryable === true
}

/** Whether a failure is worth repeating: a `RemoteError` that says so on its wire, unless that was done already. */
export function retryOfError(error: unknown): Retry | undefined {
	if (!isPassing(error)) return undefined
	if (exhaustedWith.has(error)) return undefined
	const { url, status, retryAfter } = error.wire
	return {
		// A transfer that broke off began with a status that says nothing of that.
		reason: status === undefined || status < 400 ? error.message : `status ${status}`,
		origin: URL.canParse(url) ? new URL(url).origin : url,
		retryAfter,
		stalled: error.cause instanceof Stalled,
	}
}

/**
 * Milliseconds that a `Retry-After` header asks for: seconds or a date.
 * @see https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
 */
export function retryAfterOf(header: string | undefined, now: number): number | undefined {
	const text = header?.trim()
	if (text === undefined || text === '') return undefined
	if (/^\d{1,9}$/.test(text)) return Number(text) * 1000
	// Date.parse reads bare words and numbers as dates too; an HTTP date starts with a weekday.
	const date = /^[A-Z][a-z]{2}/.test(text) ? Date.parse(text) : Number.NaN
	return Number.isNaN(date) ? undefined : Math.max(0, date - now)
}
