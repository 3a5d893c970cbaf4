import { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { connect } from 'node:tls'

/** The certificate a server shows. */
export interface ServerCertificate {
	/** `DNS:…, IP Address:…`. */
	readonly names: string
	/** SHA-256 of the certificate. */
	readonly fingerprint: string
	readonly subject: string
	readonly issuer: string
	/** Milliseconds since the epoch. */
	readonly validFrom: number
	readonly validTo: number
	/** Whether it is for this host, name or address. */
	covers(host: string): boolean
	/** Whether one of these certificates signed it, or one of its chain. */
	isSignedBy(caPem: string): boolean
}

const TIMEOUT_MS = 10_000

/** Looks at the certificate without trusting it; `undefined` when nothing speaks TLS there. */
export async function readServerCertificate(
	{ host, port }: { readonly host: string; readonly port: number },
	options: { readonly signal?: AbortSignal | undefined } = {},
): Promise<ServerCertificate | undefined> {
	return await new Promise((resolve) => {
		// Nothing is sent over this connection: it is only looked at.
		const socket = connect({
			host,
			port,
			rejectUnauthorized: false,
			...(isIP(host) === 0 && { servername: host }),
		})
		const end = (certificate?: ServerCertificate): void => {
			options.signal?.removeEventListener('abort', abort)
			socket.destroy()
			resolve(certificate)
		}
		const abort = (): void => end()
		options.signal?.addEventListener('abort', abort, { once: true })
		socket.setTimeout(TIMEOUT_MS, () => end())
		socket.once('error', () => end())
		socket.once('secureConnect', () => {
			// Not getPeerX509Certificate(): after it, Node 20 no longer gives the chain.
			const chain = chainOf(socket.getPeerCertificate(true))
			end(chain[0] && describeCertificate(chain[0], chain))
		})
	})
}

interface ChainLink {
	readonly raw?: Buffer
	readonly issuerCertificate?: ChainLink
}

function chainOf(peer: ChainLink): readonly X509Certificate[] {
	const chain: X509Certificate[] = []
	const seen = new Set<string>()
	for (let link: ChainLink | undefined = peer; link?.raw !== undefined; link = link.issuerCertificate) {
		const certificate = new X509Certificate(link.raw)
		if (seen.has(certificate.fingerprint256)) break
		seen.add(certificate.fingerprint256)
		chain.push(certificate)
	}
	return chain
}

export function describeCertificate(
	peer: X509Certificate,
	chain: readonly X509Certificate[] = [peer],
): ServerCertificate {
	return {
		names: peer.subjectAltName ?? '',
		fingerprint: peer.fingerprint256,
		subject: peer.subject,
		issuer: peer.issuer,
		validFrom: Date.parse(peer.validFrom),
		validTo: Date.parse(peer.validTo),
		covers: (host) => (isIP(host) === 0 ? peer.checkHost(host) : peer.checkIP(host)) !== undefined,
		isSignedBy: (caPem) => {
			const cas = parseAll(caPem)
			return chain.some((each) =>
				cas.some(
					(ca) =>
						ca.fingerprint256 === each.fingerprint256 || (each.checkIssued(ca) && each.verify(ca.publicKey)),
				),
			)
		},
	}
}

function parseAll(pem: string): readonly X509Certificate[] {
	const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
	return blocks.flatMap((block) => {
		try {
			return [new X509Certificate(block)]
		} catch {
			return []
		}
	})
}
