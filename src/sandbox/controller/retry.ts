import * as v from 'valibot'

const retrySchema = v.object({
	limit: v.optional(v.number(), 0),
	backoff: v.optional(
		v.object({
			duration: v.optional(v.string(), ''),
			factor: v.optional(v.nullable(v.number())),
			maxDuration: v.optional(v.string(), ''),
		}),
	),
})

/** How often and how soon a failed sync is tried again. */
export interface RetryPolicy {
	/** Below zero: without end. */
	readonly limit: number
	/** Milliseconds before the attempt after `count` retries. */
	delay(count: number): number
}

const DEFAULT_DURATION_MS = 5000
const DEFAULT_MAX_DURATION_MS = 180_000
const DEFAULT_FACTOR = 2

/** @see pkg/apis/application/v1alpha1/types.go RetryStrategy.NextRetryAt */
export function parseRetry(value: unknown): RetryPolicy {
	const parsed = v.safeParse(retrySchema, value)
	const { limit, backoff } = parsed.success ? parsed.output : { limit: 0, backoff: undefined }
	const duration = parseDuration(backoff?.duration ?? '') ?? DEFAULT_DURATION_MS
	const longest = parseDuration(backoff?.maxDuration ?? '') ?? DEFAULT_MAX_DURATION_MS
	const factor = backoff?.factor ?? DEFAULT_FACTOR
	return {
		limit,
		delay(count) {
			const wait = duration * factor ** count
			return longest > 0 ? Math.min(longest, wait) : wait
		},
	}
}

const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** Milliseconds of `2m`, `1h30m` or a bare number of seconds; `undefined` for anything else. */
export function parseDuration(text: string): number | undefined {
	if (/^\d+$/.test(text)) return Number(text) * 1000
	if (!/^(?:\d+(?:\.\d+)?(?:ms|[smhd]))+$/.test(text)) return undefined
	let total = 0
	for (const [, number = '', unit = ''] of text.matchAll(/(\d+(?:\.\d+)?)(ms|[smhd])/g))
		total += Number(number) * (UNITS_MS[unit] ?? 0)
	return total
}
