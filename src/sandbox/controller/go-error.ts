import { STATUS_CODES } from 'node:http'
import { isSystemError, RemoteError } from '../../errors/index.ts'

/** The two names of one registry. */
export interface RegistryNames {
	/** As the source writes it: what Argo CD would have asked. */
	readonly named: string
	/** As this process reached it. */
	readonly reached: string
	/** Whether a credential was sent. */
	readonly authenticated: boolean
}

/**
 * What Go's HTTP client and oras would have said of a failed request, as it stands in
 * Argo CD's conditions: `Head "https://…": dial tcp …: connect: connection refused`.
 */
export function goError(error: unknown, names: RegistryNames): string {
	if (!(error instanceof RemoteError)) return error instanceof Error ? error.message : String(error)
	if (error.code === 'TIMED_OUT') return 'context deadline exceeded'
	const { wire } = error
	if (wire === undefined) return error.message
	const url = wire.url.replace(`//${names.reached}/`, `//${names.named}/`)
	const verb = wire.method.toUpperCase()
	const answered = (text: string): string => `${verb} "${url}": ${text}`
	if (error.code === 'UNAUTHENTICATED' && !names.authenticated && url.includes('/v2/'))
		return answered('basic credential not found')
	const failure = transportFailure(error, { ...names, url })
	if (failure !== undefined) return `${verb.charAt(0)}${verb.slice(1).toLowerCase()} "${url}": ${failure}`
	if (error.code === 'TLS_PROTOCOL') return answered('response status code 400: Bad Request')
	if (wire.status !== undefined)
		return answered(`response status code ${wire.status}: ${STATUS_CODES[wire.status] ?? ''}`)
	return answered(error.message)
}

/** Why there was no answer at all; `undefined` when there was one. */
function transportFailure(
	error: RemoteError,
	place: RegistryNames & { readonly url: string },
): string | undefined {
	const unverified = 'tls: failed to verify certificate: x509:'
	// oxlint-disable-next-line typescript/switch-exhaustiveness-check -- only failures of the transport are meant
	switch (error.code) {
		case 'TLS_UNKNOWN_CA':
			return `${unverified} certificate signed by unknown authority`
		case 'TLS_NAME_MISMATCH':
			return `${unverified} certificate is valid for ${certificateNames(error.cause)}, not ${hostOf(place.named)}`
		case 'TLS_EXPIRED':
			return `${unverified} certificate has expired or is not yet valid`
		case 'TLS_PROTOCOL':
			return place.url.startsWith('https:') ? 'http: server gave HTTP response to HTTPS client' : undefined
		case 'CONNECTION_FAILED':
			return dialFailure(rootOf(error.cause), place)
		default:
			return undefined
	}
}

const hostOf = (registry: string): string => registry.replace(/:\d+$/, '')

/** Where several addresses were tried, the first one's failure. */
function rootOf(cause: unknown): unknown {
	return cause instanceof AggregateError ? (cause.errors as readonly unknown[])[0] : cause
}

function dialFailure(cause: unknown, place: RegistryNames): string {
	if (!isSystemError(cause)) return 'EOF'
	const address =
		'address' in cause && 'port' in cause ? `${String(cause.address)}:${String(cause.port)}` : place.named
	switch (cause.code ?? '') {
		case 'ECONNREFUSED':
			return `dial tcp ${address}: connect: connection refused`
		case 'ENOTFOUND':
		case 'EAI_AGAIN':
			return `dial tcp: lookup ${hostOf(place.named)}: no such host`
		case 'EHOSTUNREACH':
			return `dial tcp ${address}: connect: no route to host`
		case 'ENETUNREACH':
			return `dial tcp ${address}: connect: network is unreachable`
		case 'ETIMEDOUT':
			return `dial tcp ${address}: i/o timeout`
		case 'ECONNRESET':
			return `read tcp ${address}: read: connection reset by peer`
		default:
			return 'EOF'
	}
}

/** The names of a certificate, from Node's `ERR_TLS_CERT_ALTNAME_INVALID`. */
function certificateNames(cause: unknown): string {
	const certificate = cause instanceof Error && 'cert' in cause ? cause.cert : undefined
	const names =
		typeof certificate === 'object' && certificate !== null && 'subjectaltname' in certificate
			? String(certificate.subjectaltname)
			: ''
	return names
		.split(', ')
		.map((name) => name.replace(/^(?:DNS|IP Address):/, ''))
		.join(', ')
}
