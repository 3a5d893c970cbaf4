import * as v from 'valibot'
import { type ErrorCode, LadingError, printable, RemoteError } from '../errors/index.ts'

export interface Call {
	readonly method: string
	readonly url: URL
}

/** @see https://grpc.io/docs/guides/status-codes/ */
export const GrpcCode = {
	unknown: 2,
	invalidArgument: 3,
	notFound: 5,
	alreadyExists: 6,
	permissionDenied: 7,
	failedPrecondition: 9,
	unavailable: 14,
	unauthenticated: 16,
} as const

/** What grpc-gateway answers where a call fails: its status, in JSON. */
const failureBody = v.looseObject({ message: v.string(), code: v.number() })

/** @see argo-cd util/rbac/rbac.go EnforceErr */
const DENIED = /^permission denied: ([^,]+), ([^,]+), ([^,]*), sub: ([^,]+)/

export interface Refused {
	/** Of HTTP. */
	readonly status: number
	/** Of gRPC; `undefined` where it was not Argo CD that answered. */
	readonly code: number | undefined
	readonly message: string
}

/** Reads the body of a refusal. */
export function readRefusal(status: number, body: string): Refused {
	const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), failureBody), body)
	return parsed.success
		? { status, code: parsed.output.code, message: printable(parsed.output.message) }
		: { status, code: undefined, message: printable(body.trim()) }
}

/** A call that Argo CD says no to, as an error; the gRPC code stands in `wire.errors[0]`. */
export function refusal(call: Call, { status, code, message }: Refused): RemoteError {
	const { errorCode, hint } = meaningOf(status, message)
	const what = message === '' ? `it answered with status ${status}` : message
	return new RemoteError(errorCode, `Argo CD ${call.url.host} says no to ${call.method}: ${what}`, {
		hint,
		wire: {
			method: call.method,
			url: call.url.href,
			status,
			retryable: status === 429 || status >= 500,
			...(code === undefined ? { body: message } : { errors: [{ code: String(code), message }] }),
		},
	})
}

function meaningOf(
	status: number,
	message: string,
): { readonly errorCode: ErrorCode; readonly hint: string | undefined } {
	switch (status) {
		case 401:
			return {
				errorCode: 'UNAUTHENTICATED',
				hint: 'The token in ARGOCD_AUTH_TOKEN has expired, or is of another Argo CD. Make a new one: argocd account generate-token, or argocd proj role create-token PROJECT ROLE',
			}
		case 403: {
			const [, resource, action, object, subject] = DENIED.exec(message) ?? []
			return {
				errorCode: 'FORBIDDEN',
				hint:
					subject === undefined
						? 'Argo CD says so of what the token may not do, and of what is not there. argocd account can-i tells the one from the other.'
						: `Who runs Argo CD gives the right with: p, ${subject}, ${resource}, ${action}, ${object === '' ? '*' : object}, allow`,
			}
		}
		case 404:
			return { errorCode: 'NOT_FOUND', hint: undefined }
		default:
			return {
				errorCode: 'ARGOCD_FAILED',
				hint: status >= 500 ? 'argocd-server or its repo-server has trouble; its log says more.' : undefined,
			}
	}
}

/** gRPC code of the refusal in an error; `undefined` for all others. */
export function grpcCodeOf(error: unknown): number | undefined {
	const code = error instanceof RemoteError ? error.wire?.errors?.[0]?.code : undefined
	return code === undefined ? undefined : Number(code)
}

/** What Argo CD said in a refusal. */
export function refusalMessage(error: RemoteError): string {
	return error.wire?.errors?.[0]?.message ?? error.message
}

/** A failure below HTTP, with what to do about it here: the HTTP client speaks of registries. */
export function connectionFailure(error: unknown, { host, protocol }: URL): unknown {
	if (!(error instanceof LadingError)) return error
	const hint = hintOf(error.code, { host, protocol })
	if (hint === undefined) return error
	const wire = error instanceof RemoteError ? error.wire : undefined
	return new RemoteError(error.code, `Argo CD cannot be asked: ${error.message}`, {
		hint,
		cause: error,
		wire,
	})
}

function hintOf(code: ErrorCode, { host, protocol }: Pick<URL, 'host' | 'protocol'>): string | undefined {
	if (code === 'CONNECTION_FAILED')
		return 'Check the address in --cluster argocd:HOST, and the network to it.'
	if (code === 'TLS_UNKNOWN_CA')
		return 'Name its CA with --argocd-ca FILE, or SSL_CERT_FILE. A certificate that argocd-server has made for itself is its own CA: tls.crt of the Secret argocd-secret.'
	if (code !== 'TLS_PROTOCOL') return undefined
	return protocol === 'http:'
		? `Write --cluster argocd:${host}`
		: 'Where argocd-server runs with --insecure, something before it speaks TLS; a port-forward to it is argocd:http://127.0.0.1:PORT'
}
