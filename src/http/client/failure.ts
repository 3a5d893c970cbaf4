import {
	type ErrorCode,
	isSystemError,
	LadingError,
	RemoteError,
	redactUrl,
	unreachable,
} from '../../errors/index.ts'

/** The other side let a stage of the exchange pass without a sign of life. */
export class Stalled extends Error {
	override readonly name = 'Stalled'
	readonly stage: 'connect' | 'headers' | 'idle'
	readonly milliseconds: number

	constructor(stage: 'connect' | 'headers' | 'idle', milliseconds: number) {
		super(`${stage} timed out`)
		this.stage = stage
		this.milliseconds = milliseconds
	}
}

/** The body to be sent could not be read: our side's failure, passed on as it is. */
export class SourceFailure extends Error {
	override readonly name = 'SourceFailure'

	constructor(cause: unknown) {
		super('the body could not be read', { cause })
	}
}

/** TLS is spoken where plain HTTP was expected. */
export class TlsSpoken extends Error {
	override readonly name = 'TlsSpoken'
}

/** The answer is `101 Switching Protocols`, which nobody asked for. */
export class ProtocolChanged extends Error {
	override readonly name = 'ProtocolChanged'
}

/** A proxy refused to open a tunnel. */
export class TunnelRefused extends Error {
	override readonly name = 'TunnelRefused'
	readonly status: number

	constructor(status: number) {
		super(`the proxy answered ${status}`)
		this.status = status
	}
}

export interface Context {
	readonly method: string
	readonly url: URL
	/** `http://host:port` of the proxy in between, without user information. */
	readonly proxy?: string | undefined
	readonly status?: number | undefined
}

interface Description {
	readonly code: ErrorCode
	readonly message: string
	readonly hint?: string
	readonly retryable?: boolean
}

const UNKNOWN_CA: ReadonlySet<string> = new Set([
	'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
	'SELF_SIGNED_CERT_IN_CHAIN',
	'DEPTH_ZERO_SELF_SIGNED_CERT',
	'UNABLE_TO_GET_ISSUER_CERT',
	'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
	'CERT_UNTRUSTED',
	'INVALID_CA',
	// OpenSSL's answer when the CA has the right name and another key: an older CA of the same registry.
	'CERT_SIGNATURE_FAILURE',
])

/** Whether a TLS failure means that the chain ends in no CA that is trusted. */
export function isUnknownCa(error: unknown): boolean {
	return isSystemError(error) && UNKNOWN_CA.has(error.code ?? '')
}

/** Whether a failure over plain HTTP may come from a server that expects TLS. */
export function mayBeTls(error: Error): boolean {
	return isSystemError(error, 'ECONNRESET', 'EPIPE') || (isSystemError(error) && isParseError(error.code))
}

function isParseError(code: string | undefined): boolean {
	return code?.startsWith('HPE_') === true
}

/**
 * Turns whatever an exchange failed with into one readable error. What is ours
 * already, such as a failure of the body's source, passes unchanged.
 */
export function describeFailure(error: unknown, context: Context): unknown {
	if (error instanceof SourceFailure) return error.cause
	if (error instanceof LadingError || !(error instanceof Error) || error.name === 'AbortError') return error
	const { code, message, hint, retryable } = describe(error, context)
	const { method, url, status } = context
	return new RemoteError(code, message, {
		hint,
		cause: error,
		wire: { method, url: url.href, status, retryable: retryable ?? false },
	})
}

function describe(error: Error, context: Context): Description {
	const { host } = context.url
	if (error instanceof TlsSpoken) {
		return {
			code: 'TLS_PROTOCOL',
			message: `${host} speaks TLS, but plain HTTP was asked for`,
			hint: 'Leave out --plain-http.',
		}
	}
	if (error instanceof ProtocolChanged) {
		return {
			code: 'REGISTRY_PROTOCOL',
			message: `${host} answers that it changes to another protocol (status 101), which nobody asked for`,
			hint: 'Check the address and the port; a proxy in between may do that, too.',
		}
	}
	if (error instanceof Stalled) return describeStall(error, context)
	if (error instanceof TunnelRefused) return describeTunnel(error, context)
	const code = isSystemError(error) ? (error.code ?? '') : ''
	return describeTls(error, code, host) ?? describeConnection(code, context)
}

function describeStall({ stage, milliseconds }: Stalled, { url, proxy }: Context): Description {
	const seconds = `${milliseconds / 1000} s`
	switch (stage) {
		case 'connect': {
			const through = proxy === undefined ? '' : ` through the proxy ${proxy}`
			return {
				code: 'CONNECTION_FAILED',
				message: `no connection to ${url.host}${through} within ${seconds}`,
				hint: 'Check the address, the firewall, and HTTPS_PROXY if this network needs a proxy.',
				retryable: true,
			}
		}
		case 'headers':
			return {
				code: 'CONNECTION_FAILED',
				message: `${url.host} took the request and did not answer within ${seconds}`,
				hint: 'The server is overloaded or hangs. Try again later.',
				retryable: true,
			}
		case 'idle':
			return {
				code: 'CONNECTION_FAILED',
				message: `the transfer with ${url.host} stood still for ${seconds}`,
				hint: 'Check the network, then try again.',
				retryable: true,
			}
		default:
			return unreachable(stage)
	}
}

function describeTunnel({ status }: TunnelRefused, { url, proxy }: Context): Description {
	const message = `the proxy ${proxy ?? ''} does not connect to ${url.host} (status ${status})`
	if (status === 407) {
		return {
			code: 'CONNECTION_FAILED',
			message,
			hint: 'It asks for credentials: HTTPS_PROXY=http://USER:PASSWORD@HOST:PORT',
		}
	}
	return {
		code: 'CONNECTION_FAILED',
		message,
		hint: `If ${url.hostname} is reached without a proxy, add it to NO_PROXY.`,
		retryable: status === 429 || status >= 500,
	}
}

function describeTls(error: Error, code: string, host: string): Description | undefined {
	if (isUnknownCa(error)) {
		return {
			code: 'TLS_UNKNOWN_CA',
			message: `the certificate of ${host} is signed by a CA that is not trusted here`,
			hint: 'Name its CA with --ca FILE or SSL_CERT_FILE; --insecure skips the check.',
		}
	}
	switch (opensslCode(error) ?? code) {
		case 'ERR_TLS_CERT_ALTNAME_INVALID':
			return {
				code: 'TLS_NAME_MISMATCH',
				message: `the certificate of ${host} is for other names${namesOf(error)}`,
				hint: 'Use one of the names that the certificate carries, or have one issued for this name.',
			}
		case 'CERT_HAS_EXPIRED':
			return {
				code: 'TLS_EXPIRED',
				message: `the certificate of ${host}, or a CA above it, has expired`,
				hint: 'Have it renewed. If it is valid, the clock of this machine is wrong.',
			}
		case 'CERT_NOT_YET_VALID':
			return {
				code: 'TLS_EXPIRED',
				message: `the certificate of ${host} is not valid yet`,
				hint: 'Check the clock of this machine and of the one that issued the certificate.',
			}
		// "packet length too long" is what the first bytes of an HTTP answer mean as a TLS record.
		case 'ERR_SSL_WRONG_VERSION_NUMBER':
		case 'ERR_SSL_PACKET_LENGTH_TOO_LONG':
		case 'ERR_SSL_HTTP_REQUEST':
		case '0A00010B':
		case '0A0000C6':
		case '0A00009C':
			return {
				code: 'TLS_PROTOCOL',
				message: `${host} does not speak TLS: it answers in plain HTTP`,
				hint: 'If that is meant to be so, say --plain-http.',
			}
	}
	// What Node.js has no name for. From release 24 on OpenSSL refuses RSA of less than 2048 bits.
	if (code === 'UNSPECIFIED') {
		return {
			code: 'TLS_PROTOCOL',
			message: `the certificate of ${host} is not accepted by Node.js ${process.version}: ${error.message}`,
			hint: 'As a rule its key or its signature is too weak: have it issued anew, with RSA of 2048 bits or ECDSA. --insecure skips the check.',
		}
	}
	if (code === 'EPROTO' || code.startsWith('ERR_SSL_') || code.startsWith('ERR_TLS_')) {
		return {
			code: 'TLS_PROTOCOL',
			message: `${host} and lading found no common way to speak TLS (${code})`,
			hint: 'It may want a client certificate or an old version of TLS; neither is supported.',
		}
	}
	return undefined
}

/** Node says only `EPROTO` for most; OpenSSL's number of the error stands in its text. */
function opensslCode(error: Error): string | undefined {
	return /\berror:([0-9A-F]{8}):/.exec(error.message)?.[1]
}

/** The names are the peer's words: shown only as far as they are names. */
function namesOf(error: Error): string {
	const certificate: unknown = 'cert' in error ? error.cert : undefined
	if (typeof certificate !== 'object' || certificate === null || !('subjectaltname' in certificate)) return ''
	const names = String(certificate.subjectaltname)
		.split(', ')
		.map((entry) => entry.replace(/^(?:DNS|IP Address):/, ''))
		.filter((name) => /^[\w.:*-]{1,253}$/.test(name))
	return names.length === 0 ? '' : `: ${names.slice(0, 8).join(', ')}`
}

function describeConnection(code: string, { url, proxy, method }: Context): Description {
	const host = proxy ?? url.host
	const hostname = proxy === undefined ? url.hostname : new URL(proxy).hostname
	const failed = (message: string, hint: string, retryable: boolean): Description => ({
		code: 'CONNECTION_FAILED',
		message,
		hint,
		retryable,
	})
	const check = proxy === undefined ? 'Check the address' : 'Check HTTPS_PROXY, HTTP_PROXY and NO_PROXY'
	switch (code) {
		case 'ECONNREFUSED':
			return failed(`nothing listens at ${host}`, `${check}, and that it is running.`, false)
		case 'ENOTFOUND':
			return failed(`the host ${hostname} is not known`, `${check}, and the DNS of this machine.`, false)
		case 'EAI_AGAIN':
			return failed(`the name ${hostname} cannot be looked up now`, 'DNS does not answer. Try again.', true)
		case 'ECONNRESET':
		case 'EPIPE':
		case 'ERR_STREAM_PREMATURE_CLOSE':
			return failed(`${host} broke off the connection`, 'Try again; if it stays, ask its operator.', true)
		case 'ETIMEDOUT':
		case 'EHOSTUNREACH':
		case 'ENETUNREACH':
		case 'EHOSTDOWN':
			return failed(`${host} cannot be reached (${code})`, `${check}, the network and the firewall.`, true)
	}
	if (isParseError(code)) {
		return failed(`${host} answers with something that is not HTTP`, `${check} and the port.`, false)
	}
	const what = code === '' ? '' : ` (${code})`
	return failed(`${method} ${redactUrl(url.href)} failed${what}`, `${check}.`, false)
}
