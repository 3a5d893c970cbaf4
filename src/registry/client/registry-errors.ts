import * as v from 'valibot'
import { type ErrorCode, RemoteError, type WireError, type WireTruth } from '../../errors/index.ts'
import { asFinalAs, type HttpResponse, isRetryableStatus, retryAfterOf } from '../../http/client/index.ts'
import { knownAnswer } from './known-registries.ts'

/** What was asked for when a registry said no. */
export interface Refusal {
	/** `host:port`. */
	readonly registry: string
	/** Completes "registry refused to …", such as "store the manifest of team/app:v1". */
	readonly action: string
	/** Whether a credential was sent. */
	readonly authenticated: boolean
	/** Whether the request would set a tag: 409 and 412 then mean that the tag is immutable. */
	readonly tag?: string | undefined
}

/** Of the body of an error no more is read, in bytes. */
const MAX_ERROR_BYTES = 64 * 1024
/** Of the registry's words no more is shown, in characters. */
const MAX_WORDS = 300

/** A detail longer than this, written as JSON, is left out, in characters. */
const MAX_DETAIL = 4096

/** @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#error-codes */
const errorsSchema = v.object({
	errors: v.array(
		v.object({
			code: v.optional(v.union([v.string(), v.number()]), ''),
			message: v.nullish(v.string(), ''),
			detail: v.optional(v.unknown()),
		}),
	),
})

/** Reads the rest of an answer that is no success and turns it into an error that keeps the wire's truth. */
export async function refusalOf(response: HttpResponse, refusal: Refusal): Promise<RemoteError> {
	const text = await response.text(MAX_ERROR_BYTES).catch(() => '')
	const errors = wireErrors(text)
	const { status } = response
	const wire: WireTruth = {
		method: response.method,
		url: response.url,
		status,
		errors,
		...(errors === undefined && text !== '' && { body: printable(text) }),
		retryable: isRetryableStatus(status),
		retryAfter: retryAfterOf(response.headers['retry-after'], Date.now()),
	}
	const words = errors ? wordsOf(errors) : ''
	const said = words === '' ? ` (status ${status})` : `: ${words} (status ${status})`
	const known = knownAnswer(refusal.registry, {
		status,
		text: `${words} ${errors?.map(({ code }) => code).join(' ') ?? ''}`,
	})
	const own = isQuota(words) ? QUOTA : judge(wire, refusal)
	const { code, hint } = { ...own, ...known }
	const what = `${refusal.registry} refused to ${refusal.action}${said}`
	return asFinalAs(response, new RemoteError(code, what, { hint, wire }))
}

interface Judgement {
	readonly code: ErrorCode
	readonly hint: string
}

const QUOTA: Judgement = {
	code: 'REGISTRY_FAILED',
	hint: 'Its disk or its quota is full: have room made there, then push again.',
}

/** Registries tell a full quota by 403, 412 or 500, and by one word: that of a right that lacks helps nobody then. */
function isQuota(words: string): boolean {
	return /\bquota\b|\bexceeds? the configured upper limit\b/i.test(words)
}

function judge({ status = 0, retryAfter }: WireTruth, refusal: Refusal): Judgement {
	const { registry, authenticated, tag } = refusal
	if (status === 401) return { code: 'UNAUTHENTICATED', hint: signIn(registry, authenticated) }
	if (status === 403) {
		return {
			code: 'FORBIDDEN',
			hint: authenticated
				? 'The account lacks the right to do this here: ask for it, or use another account.'
				: signIn(registry, false),
		}
	}
	if (status === 404) {
		return {
			code: 'NOT_FOUND',
			hint: 'Check the spelling; some registries want a repository to be created first.',
		}
	}
	if ((status === 409 || status === 412) && tag !== undefined) {
		return {
			code: 'TAG_EXISTS',
			hint: `The registry keeps ${tag} as it is, whoever asks: push under a new version.`,
		}
	}
	if (status === 413)
		return { code: 'REGISTRY_FAILED', hint: 'It is larger than the registry, or a proxy before it, allows.' }
	if (status === 507) return QUOTA
	if (status === 405 || status === 501) {
		return {
			code: 'REGISTRY_FAILED',
			hint: 'It does not offer this, or its operator has switched it off: ask there, or use another registry.',
		}
	}
	if (status === 416) {
		return {
			code: 'REGISTRY_FAILED',
			hint: 'It does not agree on how much of it was moved already. Run the same command again: it starts anew.',
		}
	}
	if (status === 429) {
		const wait = retryAfter === undefined ? 'wait' : `wait ${Math.ceil(retryAfter / 1000)} s`
		return { code: 'REGISTRY_FAILED', hint: `Too many requests: ${wait} before you try again.` }
	}
	if (status >= 500)
		return { code: 'REGISTRY_FAILED', hint: 'The registry is in trouble: try again later, and read its log.' }
	if (status >= 300 && status < 400) {
		return {
			code: 'REGISTRY_PROTOCOL',
			hint: `It redirects where it should not. Check that ${registry} is a registry.`,
		}
	}
	return { code: 'REGISTRY_FAILED', hint: 'The registry says why; what it wants is its own rule.' }
}

/** What to do when a registry wants to know who we are. */
export function signIn(registry: string, authenticated: boolean): string {
	const how = `lading login ${registry}, or --username NAME --password-stdin`
	return authenticated ? `The credential is not accepted. Renew it: ${how}` : `Sign in first: ${how}`
}

function wireErrors(text: string): readonly WireError[] | undefined {
	let json: unknown
	try {
		json = JSON.parse(text)
	} catch {
		return undefined
	}
	const parsed = v.safeParse(errorsSchema, json)
	if (!parsed.success) return undefined
	return parsed.output.errors.slice(0, 16).map(({ code, message, detail }) => ({
		code: printable(String(code)),
		message: printable(message ?? ''),
		...(isShort(detail) && { detail }),
	}))
}

/** A detail that can be shown: nested too deeply, it could not even be written down again. */
function isShort(detail: unknown): boolean {
	try {
		return detail !== null && (JSON.stringify(detail)?.length ?? Number.NaN) <= MAX_DETAIL
	} catch {
		return false
	}
}

function wordsOf(errors: readonly WireError[]): string {
	return printable(errors.map(({ code, message }) => message || code).join('; '))
}

/** The registry's words are untrusted: no control characters reach a terminal, and not too many of them. */
export function printable(text: string): string {
	const clean = text.replace(/[\p{Cc}\p{Cf}]+/gu, ' ').trim()
	return clean.length > MAX_WORDS ? `${clean.slice(0, MAX_WORDS)}…` : clean
}

/** The registry does not keep to the specification. */
export function protocolError(registry: string, what: string, response: HttpResponse): RemoteError {
	return new RemoteError('REGISTRY_PROTOCOL', `${registry} ${what}`, {
		hint: `Check that ${registry} is a container registry and not, say, a web site or a login page before it.`,
		wire: { method: response.method, url: response.url, status: response.status },
	})
}
