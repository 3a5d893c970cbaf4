import * as v from 'valibot'
import { type ErrorCode, isSystemError, printable, RemoteError } from '../errors/index.ts'

export interface Call {
	readonly method: string
	readonly url: URL
}

const statusObject = v.looseObject({
	kind: v.literal('Status'),
	message: v.optional(v.string(), ''),
	reason: v.optional(v.string(), ''),
	code: v.optional(v.number()),
	details: v.optional(v.unknown()),
})

/** Code of the error for a kind that the API does not serve: kubectl's own words for it. */
export const NO_KIND_MATCH = 'NoKindMatch'

const detailsWithCauses = v.looseObject({
	causes: v.array(
		v.looseObject({
			reason: v.optional(v.string(), ''),
			message: v.optional(v.string(), ''),
			field: v.optional(v.string(), ''),
		}),
	),
})

/** One of the reasons for which the API refuses an object, at one of its fields. */
export interface RefusalCause {
	readonly reason: string
	readonly message: string
	/** Empty for the object as a whole. */
	readonly field: string
}

/** The reasons of a refusal, field by field; empty where the answer has none. */
export function causesOf(error: unknown): readonly RefusalCause[] {
	const parsed = v.safeParse(
		detailsWithCauses,
		error instanceof RemoteError ? error.wire?.errors?.[0]?.detail : undefined,
	)
	return parsed.success ? parsed.output.causes : []
}

/** What the API itself says in an error; `undefined` for all others. */
export function messageOf(error: unknown): string | undefined {
	return error instanceof RemoteError ? error.wire?.errors?.[0]?.message : undefined
}

/** A Kubernetes `Status` that says no, as an error; also for other bodies. */
export function refusal(
	call: Call,
	{ status, body }: { readonly status: number; readonly body: string },
): RemoteError {
	const parsed = v.safeParse(statusObject, parseJson(body))
	const reason = parsed.success ? parsed.output.reason : ''
	const said = printable(parsed.success ? parsed.output.message : body.trim())
	const { code, hint } = meaningOf(status, reason)
	const what = said === '' ? `it answered with status ${status}` : said
	return new RemoteError(code, `the cluster ${call.url.host} says no to ${call.method}: ${what}`, {
		hint,
		wire: {
			method: call.method,
			url: call.url.href,
			status,
			retryable: status === 429 || status >= 500,
			...(parsed.success
				? { errors: [{ code: reason, message: said, detail: parsed.output.details }] }
				: { body: said }),
		},
	})
}

function meaningOf(
	status: number,
	reason: string,
): { readonly code: ErrorCode; readonly hint: string | undefined } {
	switch (status) {
		case 401:
			return {
				code: 'UNAUTHENTICATED',
				hint: 'Log in to the cluster again; kubectl auth whoami tells who you are.',
			}
		case 403:
			return {
				code: 'FORBIDDEN',
				hint: 'Ask for the right; kubectl auth can-i --list tells what you may do.',
			}
		case 404:
			return { code: 'NOT_FOUND', hint: undefined }
		case 409:
			return {
				code: 'CLUSTER_FAILED',
				hint:
					reason === 'Conflict'
						? 'Someone else changed the object, or manages these fields. Look at it, then run this again.'
						: undefined,
			}
		default:
			return {
				code: 'CLUSTER_FAILED',
				hint:
					status >= 500
						? 'The API server has trouble. Try again, and look at kubectl get --raw /readyz'
						: undefined,
			}
	}
}

/** `reason` of the `Status` in an error; `undefined` for all others. */
export function reasonOf(error: unknown): string | undefined {
	return error instanceof RemoteError ? error.wire?.errors?.[0]?.code : undefined
}

/** Whether the cluster knows the user, and does not allow this. */
export function isForbidden(error: unknown): boolean {
	return error instanceof RemoteError && error.code === 'FORBIDDEN'
}

export function parseJson(text: string): unknown {
	try {
		return JSON.parse(text) as unknown
	} catch {
		return undefined
	}
}

const UNKNOWN_CA = [
	'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
	'SELF_SIGNED_CERT_IN_CHAIN',
	'DEPTH_ZERO_SELF_SIGNED_CERT',
	'UNABLE_TO_GET_ISSUER_CERT',
	'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
	'CERT_SIGNATURE_FAILURE',
]

/** A failure below HTTP, as an error. */
export function connectionFailure(call: Call, error: unknown): RemoteError {
	if (error instanceof RemoteError) return error
	const { host } = call.url
	const wire = { method: call.method, url: call.url.href, retryable: true }
	const fail = (code: ErrorCode, message: string, hint: string): RemoteError =>
		new RemoteError(code, message, {
			hint,
			cause: error,
			wire: { ...wire, retryable: code === 'CLUSTER_UNREACHABLE' },
		})
	if (isSystemError(error, ...UNKNOWN_CA)) {
		return fail(
			'TLS_UNKNOWN_CA',
			`the certificate of the cluster ${host} is not signed by the CA that the kubeconfig names`,
			'The cluster was made anew, or something stands between. Get its kubeconfig again.',
		)
	}
	if (isSystemError(error, 'ERR_TLS_CERT_ALTNAME_INVALID')) {
		return fail(
			'TLS_NAME_MISMATCH',
			`the certificate of the cluster ${host} is for other names`,
			'Use a name it carries, or set tls-server-name in the kubeconfig.',
		)
	}
	if (isSystemError(error, 'CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID')) {
		return fail(
			'TLS_EXPIRED',
			`the certificate of the cluster ${host} is not valid at this time`,
			'Check the clock of this machine, then the cluster’s certificates.',
		)
	}
	const code = isSystemError(error) ? (error.code ?? '') : ''
	if (code === 'ERR_OSSL_X509_KEY_VALUES_MISMATCH') {
		return fail(
			'KUBECONFIG_INVALID',
			'the client certificate and the key in the kubeconfig do not belong together',
			'Get the kubeconfig again from who gave it.',
		)
	}
	if (/^ERR_SSL_\w+_TOO_(?:SMALL|WEAK)$/.test(code)) {
		return fail(
			'KUBECONFIG_INVALID',
			`the client certificate in the kubeconfig is too weak for Node.js ${process.version} (${code})`,
			'Have it issued anew, with RSA of 2048 bits or ECDSA.',
		)
	}
	if (
		code === 'EPROTO' ||
		code.startsWith('ERR_SSL_') ||
		code.startsWith('ERR_TLS_') ||
		code.startsWith('ERR_OSSL_')
	) {
		return fail(
			'TLS_PROTOCOL',
			`the cluster ${host} and lading found no common way to speak TLS (${code})`,
			'Check the address, and the client certificate in the kubeconfig.',
		)
	}
	const why =
		code === 'ECONNREFUSED'
			? 'nothing listens there'
			: code === 'ENOTFOUND'
				? 'the name is not known'
				: code === ''
					? error instanceof Error && error.name === 'TunnelRefused'
						? error.message
						: 'the connection broke'
					: code
	return fail(
		'CLUSTER_UNREACHABLE',
		`the cluster ${host} cannot be reached: ${why}`,
		'See whether it runs: kubectl cluster-info',
	)
}
