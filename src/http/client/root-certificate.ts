import { X509Certificate } from 'node:crypto'
import { connect, rootCertificates, type DetailedPeerCertificate } from 'node:tls'
import { RemoteError } from '../../errors/index.ts'
import { describeFailure } from './failure.ts'

export interface RootCertificateOptions {
	/** PEM certificates trusted besides the system's. */
	readonly ca?: string | undefined
	readonly signal?: AbortSignal | undefined
	/** Milliseconds; default 10 000. */
	readonly timeout?: number | undefined
}

const MAX_CHAIN = 10

/**
 * The certificate, as PEM, that the trust in a server ends at: what somebody must
 * trust who trusts nothing else.
 * @param host `host[:port]`
 * @throws RemoteError `TLS_*`, `CONNECTION_FAILED`
 */
export async function rootCertificateOf(host: string, options: RootCertificateOptions = {}): Promise<string> {
	const url = new URL(`https://${host}/`)
	const hostname = url.hostname.replace(/^\[(.*)\]$/, '$1')
	return await new Promise<string>((resolve, reject) => {
		const socket = connect({
			host: hostname,
			port: url.port === '' ? 443 : Number(url.port),
			...(/[a-z]/i.test(hostname) && !hostname.includes(':') && { servername: hostname }),
			...(options.ca !== undefined && { ca: [...rootCertificates, options.ca] }),
			timeout: options.timeout ?? 10_000,
		})
		const end = (settle: () => void): void => {
			options.signal?.removeEventListener('abort', onAbort)
			socket.destroy()
			settle()
		}
		const onAbort = (): void => end(() => reject(options.signal?.reason))
		options.signal?.addEventListener('abort', onAbort, { once: true })
		socket.once('secureConnect', () => {
			const root = rootOf(socket.getPeerCertificate(true))
			end(() => resolve(new X509Certificate(root.raw).toString()))
		})
		socket.once('timeout', () => {
			const wire = { method: 'CONNECT', url: url.href }
			end(() => reject(new RemoteError('CONNECTION_FAILED', `${host} does not answer`, { wire })))
		})
		socket.once('error', (error) => end(() => reject(describeFailure(error, { method: 'CONNECT', url }))))
	})
}

/** Follows the issuers that Node has found to the one that has signed itself. */
function rootOf(leaf: DetailedPeerCertificate): DetailedPeerCertificate {
	let certificate = leaf
	for (let depth = 0; depth < MAX_CHAIN; depth++) {
		const issuer: DetailedPeerCertificate | undefined = certificate.issuerCertificate
		if (!issuer || issuer.fingerprint256 === certificate.fingerprint256) break
		certificate = issuer
	}
	return certificate
}
