import { webcrypto } from 'node:crypto'
import { isIP } from 'node:net'
import type * as x509Types from '@peculiar/x509'

/** A certificate and its key, both PEM. */
export interface CertificateAndKey {
	readonly certPem: string
	readonly keyPem: string
}

export interface Validity {
	readonly notBefore: Date
	readonly notAfter: Date
}

export interface Subject {
	readonly commonName: string
	readonly organizations?: readonly string[] | undefined
}

type X509 = typeof x509Types
type KeyPair = webcrypto.CryptoKeyPair

const KEY_ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256' } as const
const SIGNING = { name: 'ECDSA', hash: 'SHA-256' } as const

/** Loads what makes certificates: slow to load, and most starts find theirs on disk. */
async function loadX509(): Promise<X509> {
	await import('reflect-metadata')
	const x509 = await import('@peculiar/x509')
	x509.cryptoProvider.set(webcrypto)
	return x509
}

/** Makes a certificate authority that may sign leaves, but no further authorities. */
export async function issueAuthority(subject: Subject, validity: Validity): Promise<CertificateAndKey> {
	const x509 = await loadX509()
	const keys = await generateKeys()
	const cert = await x509.X509CertificateGenerator.createSelfSigned({
		...validity,
		serialNumber: serialNumber(),
		name: distinguishedName(subject),
		keys,
		signingAlgorithm: SIGNING,
		extensions: [
			new x509.BasicConstraintsExtension(true, 0, true),
			new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
			await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
		],
	})
	return { certPem: pemText(cert.toString('pem')), keyPem: await exportKey(keys) }
}

export type LeafPurpose =
	/** DNS names and IP addresses the server is reached by. */
	{ readonly kind: 'server'; readonly names: readonly string[] } | { readonly kind: 'client' }

/** Makes a certificate signed by `authority`. */
export async function issueLeaf(
	authority: CertificateAndKey,
	options: { readonly subject: Subject; readonly validity: Validity; readonly purpose: LeafPurpose },
): Promise<CertificateAndKey> {
	const { subject, validity, purpose } = options
	const x509 = await loadX509()
	const issuer = new x509.X509Certificate(authority.certPem)
	const signingKey = await importKey(x509, authority.keyPem)
	const keys = await generateKeys()
	const names = purpose.kind === 'server' ? purpose.names : []
	const usage = purpose.kind === 'server' ? 'serverAuth' : 'clientAuth'
	const cert = await x509.X509CertificateGenerator.create({
		...validity,
		serialNumber: serialNumber(),
		subject: distinguishedName(subject),
		issuer: issuer.subjectName,
		publicKey: keys.publicKey,
		signingKey,
		signingAlgorithm: SIGNING,
		extensions: [
			new x509.BasicConstraintsExtension(false, undefined, true),
			new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
			new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage[usage]]),
			...(names.length > 0 ? [new x509.SubjectAlternativeNameExtension(names.map(alternativeName))] : []),
			await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
			await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
		],
	})
	return { certPem: pemText(cert.toString('pem')), keyPem: await exportKey(keys) }
}

function alternativeName(name: string): { readonly type: 'dns' | 'ip'; readonly value: string } {
	return { type: isIP(name) === 0 ? 'dns' : 'ip', value: name }
}

function distinguishedName({ commonName, organizations = [] }: Subject): Record<string, string[]>[] {
	return [...organizations.map((name) => ({ O: [name] })), { CN: [commonName] }]
}

/** 127 random bits: positive, and never the same twice. RFC 5280 §4.1.2.2 */
function serialNumber(): string {
	const bytes = webcrypto.getRandomValues(new Uint8Array(16))
	bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40
	return Buffer.from(bytes).toString('hex')
}

function generateKeys(): Promise<KeyPair> {
	return webcrypto.subtle.generateKey(KEY_ALGORITHM, true, ['sign', 'verify'])
}

async function exportKey({ privateKey }: KeyPair): Promise<string> {
	const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', privateKey)).toString('base64')
	return `-----BEGIN PRIVATE KEY-----\n${der.replace(/.{64}/g, '$&\n').trimEnd()}\n-----END PRIVATE KEY-----\n`
}

function importKey(x509: X509, pem: string): Promise<webcrypto.CryptoKey> {
	const [der] = x509.PemConverter.decode(pem)
	return webcrypto.subtle.importKey('pkcs8', der ?? new ArrayBuffer(0), KEY_ALGORITHM, false, ['sign'])
}

function pemText(pem: string): string {
	return `${pem.trimEnd()}\n`
}
