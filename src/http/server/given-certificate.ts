import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createSecureContext } from 'node:tls'
import { isSystemError, UserError } from '../../errors/index.ts'
import { stampOfFile } from './file-stamp.ts'
import type { CertificateAndKey } from './issue-certificate.ts'

/** Paths of a certificate, with its chain, and of its key; both PEM. */
export interface CertificatePaths {
	readonly cert: string
	readonly key: string
}

/**
 * Reads a certificate that somebody else made.
 * @throws UserError `CERTIFICATE_UNREADABLE` also where the key is that of another certificate
 */
export function readCertificate({ cert, key }: CertificatePaths): CertificateAndKey {
	const certPem = read(cert)
	const keyPem = read(key)
	let isPair: boolean
	try {
		isPair = new X509Certificate(certPem).checkPrivateKey(createPrivateKey(keyPem))
	} catch (error) {
		throw new UserError(
			'CERTIFICATE_UNREADABLE',
			`${cert} or ${key} is not PEM of a certificate and its key`,
			{
				hint: 'The certificate comes first in its file, the chain after it; the key must not have a passphrase.',
				cause: error,
			},
		)
	}
	if (!isPair) {
		throw new UserError('CERTIFICATE_UNREADABLE', `${key} is not the key of the certificate in ${cert}`, {
			hint: 'The server’s own certificate must be the first in its file.',
		})
	}
	try {
		// OpenSSL decides what is strong enough: from Node.js 24 on RSA of 1024 bits is not.
		createSecureContext({ cert: certPem, key: keyPem })
	} catch (error) {
		const why = isSystemError(error) ? error.code : String(error)
		throw new UserError(
			'CERTIFICATE_UNREADABLE',
			`Node.js ${process.version} does not take the certificate in ${cert}: ${why}`,
			{
				hint: 'Have it issued anew: RSA of 2048 bits or ECDSA, signed with SHA-256.',
				cause: error,
			},
		)
	}
	return { certPem, keyPem }
}

/** What changes when one of the files does. */
export function stampOfCertificate({ cert, key }: CertificatePaths): string {
	return [cert, key].map(stampOfFile).join(', ')
}

function read(path: string): string {
	try {
		return readFileSync(path, 'utf8')
	} catch (error) {
		if (!isSystemError(error)) throw error
		throw new UserError('CERTIFICATE_UNREADABLE', `cannot read ${path}: ${error.message}`, {
			hint: 'Name PEM files that the server may read: the certificate with its chain, and its key. Without either it makes its own.',
			cause: error,
		})
	}
}
