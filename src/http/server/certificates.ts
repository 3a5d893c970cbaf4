import { createPrivateKey, randomUUID, X509Certificate } from 'node:crypto'
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { isIPv6 } from 'node:net'
import { join } from 'node:path'
import { isSystemError, UserError } from '../../errors/index.ts'
import { type CertificateAndKey, issueAuthority, issueLeaf, type Validity } from './issue-certificate.ts'

export interface EnsureCertificatesOptions {
	/** DNS names and IP addresses the server is reached by; the first one also names the certificate. */
	readonly names: readonly string[]
	/** Default: the clock's time. */
	readonly now?: Date | undefined
	/** Common name of a CA made anew. Default `lading local CA`. */
	readonly caName?: string | undefined
}

export interface Certificates {
	readonly caPem: string
	readonly certPem: string
	readonly keyPem: string
	/** File that holds {@link caPem}: what other tools are told to trust. */
	readonly caPath: string
}

export interface ClientCertificateOptions {
	/** For Kubernetes: the user. */
	readonly commonName: string
	/** For Kubernetes: the groups. */
	readonly organizations?: readonly string[] | undefined
	/** Default: the clock's time. */
	readonly now?: Date | undefined
}

const DAY_MS = 24 * 60 * 60 * 1000
const CA_DAYS = 3650
/** Apple's and browsers' limit for a server certificate is 398 days. */
const LEAF_DAYS = 397
const RENEW_DAYS = 30

/**
 * A certificate authority and a server certificate under `directory` (`ca.crt`,
 * `ca.key`, `server.crt`, `server.key`), made where missing. The authority stays, so
 * that whoever trusts it goes on doing so; the server's certificate is made anew when it
 * has less than 30 days left, or other names.
 * @throws UserError `CA_UNREADABLE`, `FILE_UNWRITABLE`
 */
export async function ensureCertificates(
	directory: string,
	options: EnsureCertificatesOptions,
): Promise<Certificates> {
	const now = options.now ?? new Date()
	const authority = await ensureAuthority(directory, { now, caName: options.caName })
	const existing = await readPair(directory, 'server')
	const caPath = join(directory, 'ca.crt')
	if (existing && leafIsGood(existing, { caPem: authority.certPem, names: options.names, now })) {
		return { ...existing, caPem: authority.certPem, caPath }
	}
	const leaf = await issueLeaf(signer(authority, directory), {
		subject: { commonName: (options.names[0] ?? 'localhost').slice(0, 64) },
		validity: validity(now, LEAF_DAYS),
		purpose: { kind: 'server', names: options.names },
	})
	await writePair(directory, { name: 'server', pair: leaf })
	return { ...leaf, caPem: authority.certPem, caPath }
}

/**
 * A client certificate signed by the authority under `directory`, which is made where
 * missing. It is not stored.
 * @throws UserError `CA_UNREADABLE`, `FILE_UNWRITABLE`
 */
export async function issueClientCertificate(
	directory: string,
	{ commonName, organizations, now = new Date() }: ClientCertificateOptions,
): Promise<CertificateAndKey> {
	const authority = await ensureAuthority(directory, { now, caName: undefined })
	return issueLeaf(signer(authority, directory), {
		subject: { commonName, organizations },
		validity: validity(now, LEAF_DAYS),
		purpose: { kind: 'client' },
	})
}

/** An authority whose key may be gone: certificates it signed are still good. */
interface Authority {
	readonly certPem: string
	readonly keyPem: string | undefined
}

async function ensureAuthority(
	directory: string,
	{ now, caName = 'lading local CA' }: { readonly now: Date; readonly caName: string | undefined },
): Promise<Authority> {
	const certPem = await readText(join(directory, 'ca.crt'))
	if (certPem !== undefined) {
		const keyPem = await readText(join(directory, 'ca.key'))
		const cert = parseCertificate(certPem)
		if (!cert || (keyPem !== undefined && !isKeyOf(cert, keyPem))) throw unreadable(directory)
		if (Date.parse(cert.validTo) > now.getTime()) return { certPem, keyPem }
	}
	const authority = await issueAuthority({ commonName: caName }, validity(now, CA_DAYS))
	await writePair(directory, { name: 'ca', pair: authority })
	return authority
}

function signer({ certPem, keyPem }: Authority, directory: string): CertificateAndKey {
	if (keyPem === undefined) throw unreadable(directory)
	return { certPem, keyPem }
}

function unreadable(directory: string): UserError {
	return new UserError(
		'CA_UNREADABLE',
		`the certificate authority in ${directory} has lost its key or is damaged`,
		{
			hint: `Delete ${join(directory, 'ca.crt')} to get a new one; whoever trusts the old one must then trust the new one.`,
		},
	)
}

function validity(now: Date, days: number): Validity {
	// One day back, for machines whose clock is behind.
	return { notBefore: new Date(now.getTime() - DAY_MS), notAfter: new Date(now.getTime() + days * DAY_MS) }
}

function leafIsGood(
	leaf: CertificateAndKey,
	{ caPem, names, now }: { readonly caPem: string; readonly names: readonly string[]; readonly now: Date },
): boolean {
	const cert = parseCertificate(leaf.certPem)
	const authority = parseCertificate(caPem)
	if (!cert || !authority || !isKeyOf(cert, leaf.keyPem) || !cert.verify(authority.publicKey)) return false
	if (Date.parse(cert.validTo) < now.getTime() + RENEW_DAYS * DAY_MS) return false
	if (Date.parse(cert.validFrom) > now.getTime()) return false
	const has = new Set(alternativeNames(cert))
	const wants = new Set(names.map(canonicalName))
	return has.size === wants.size && [...wants].every((name) => has.has(name))
}

function alternativeNames(cert: X509Certificate): string[] {
	return (cert.subjectAltName ?? '')
		.split(', ')
		.map((entry) => canonicalName(entry.replace(/^(?:DNS|IP Address):/, '')))
}

/** One spelling for each name: `::1` is also written `0:0:0:0:0:0:0:1`. */
function canonicalName(name: string): string {
	return isIPv6(name) ? new URL(`http://[${name}]`).hostname : name.toLowerCase()
}

function parseCertificate(pem: string): X509Certificate | undefined {
	try {
		return new X509Certificate(pem)
	} catch {
		return undefined
	}
}

function isKeyOf(cert: X509Certificate, keyPem: string): boolean {
	try {
		return cert.checkPrivateKey(createPrivateKey(keyPem))
	} catch {
		return false
	}
}

async function readPair(directory: string, name: string): Promise<CertificateAndKey | undefined> {
	const [certPem, keyPem] = await Promise.all([
		readText(join(directory, `${name}.crt`)),
		readText(join(directory, `${name}.key`)),
	])
	return certPem === undefined || keyPem === undefined ? undefined : { certPem, keyPem }
}

async function readText(path: string): Promise<string | undefined> {
	try {
		return await readFile(path, 'utf8')
	} catch (error) {
		// Where the directory cannot be, writing tells why.
		if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return undefined
		if (isSystemError(error)) {
			throw new UserError('CA_UNREADABLE', `cannot read ${path}: ${error.message}`, { cause: error })
		}
		throw error
	}
}

/** The key first: a certificate that is there has its key. */
async function writePair(
	directory: string,
	{ name, pair }: { readonly name: string; readonly pair: CertificateAndKey },
): Promise<void> {
	try {
		await mkdir(directory, { recursive: true, mode: 0o700 })
		await replaceFile(join(directory, `${name}.key`), { text: pair.keyPem, mode: 0o600 })
		await replaceFile(join(directory, `${name}.crt`), { text: pair.certPem, mode: 0o644 })
	} catch (error) {
		if (!isSystemError(error)) throw error
		throw new UserError('FILE_UNWRITABLE', `cannot write a certificate into ${directory}: ${error.message}`, {
			cause: error,
		})
	}
}

async function replaceFile(
	path: string,
	{ text, mode }: { readonly text: string; readonly mode: number },
): Promise<void> {
	const temporary = `${path}.${randomUUID()}.tmp`
	try {
		const file = await open(temporary, 'wx', mode)
		try {
			await file.writeFile(text)
			await file.sync()
		} finally {
			await file.close()
		}
		await rename(temporary, path)
	} catch (error) {
		await rm(temporary, { force: true })
		throw error
	}
}
