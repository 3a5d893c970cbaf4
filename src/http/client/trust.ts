import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { UserError } from '../../errors/index.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** A set of CAs that chains may end in. */
export interface Trust {
	readonly id: 'default' | 'given' | 'wide'
	readonly wide: boolean
	/** PEM, no certificate twice; absent for Node's default set. */
	readonly ca?: readonly string[] | undefined
}

/** Where Linux distributions and macOS keep the system's roots as one file. */
const SYSTEM_BUNDLES: readonly string[] = [
	'/etc/ssl/certs/ca-certificates.crt',
	'/etc/pki/tls/certs/ca-bundle.crt',
	'/etc/ssl/ca-bundle.pem',
	'/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
	'/etc/ssl/cert.pem',
]

/**
 * What is tried first: only the CA that was given, else those of the environment. A
 * chain that ends in one of them is as good as one that ends in the union of all.
 * @throws UserError `CA_UNREADABLE`
 */
export function narrowTrust(ca: string | undefined, env: Environment): Trust {
	const given = ca === undefined ? fromEnvironment(env) : [pem(ca, 'the given CA')]
	return given.length === 0
		? { id: 'default', wide: false }
		: { id: 'given', wide: false, ca: certificates(given) }
}

/**
 * The given CAs, the environment's, Node's own and the system's: what is not trusted by
 * them is not trusted.
 * @throws UserError `CA_UNREADABLE`
 */
export async function wideTrust(narrow: Trust, env: Environment): Promise<Trust> {
	const { rootCertificates } = await import('node:tls')
	const all = [...(narrow.ca ?? []), ...fromEnvironment(env), ...rootCertificates, ...(await systemRoots())]
	return { id: 'wide', wide: true, ca: certificates(all) }
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g

/** Each certificate once: variables of the environment often name one bundle several times, and parsing is slow. */
function certificates(texts: readonly string[]): readonly string[] {
	return [...new Set(texts.flatMap((text) => text.match(CERTIFICATE) ?? [text]))]
}

async function systemRoots(): Promise<readonly string[]> {
	const tls: object = await import('node:tls')
	// From Node 22.15 on; it also reads the stores of macOS and Windows.
	if ('getCACertificates' in tls && typeof tls.getCACertificates === 'function') {
		return tls.getCACertificates('system') as readonly string[]
	}
	for (const path of SYSTEM_BUNDLES) {
		try {
			return [readFileSync(path, 'utf8')]
		} catch {
			// Not this distribution's place.
		}
	}
	return []
}

function fromEnvironment(env: Environment): readonly string[] {
	const files = [env['SSL_CERT_FILE'], env['NODE_EXTRA_CA_CERTS']].flatMap((path) =>
		path === undefined || path === '' ? [] : [readCa(path)],
	)
	const directories = (env['SSL_CERT_DIR'] ?? '').split(':').filter((path) => path !== '')
	return [...files, ...directories.flatMap(readDirectory)]
}

function readCa(path: string): string {
	try {
		return pem(readFileSync(path, 'utf8'), path)
	} catch (error) {
		if (error instanceof UserError) throw error
		throw new UserError('CA_UNREADABLE', `the CA file ${path} cannot be read`, {
			hint: 'SSL_CERT_FILE or NODE_EXTRA_CA_CERTS names it: correct or unset it.',
			cause: error,
		})
	}
}

/** As OpenSSL does, what is no certificate in a directory of certificates is passed over. */
function readDirectory(directory: string): readonly string[] {
	try {
		return readdirSync(directory)
			.filter((name) => /\.(?:pem|crt|cer|\d+)$/.test(name))
			.map((name) => readFileSync(join(directory, name), 'utf8'))
			.filter((text) => text.includes(BEGIN))
	} catch (error) {
		throw new UserError('CA_UNREADABLE', `the CA directory ${directory} cannot be read`, {
			hint: 'SSL_CERT_DIR names it: correct or unset it.',
			cause: error,
		})
	}
}

const BEGIN = '-----BEGIN CERTIFICATE-----'

function pem(text: string, origin: string): string {
	if (text.includes(BEGIN)) return text
	throw new UserError('CA_UNREADABLE', `${origin} contains no PEM certificate`, {
		hint: `A CA file starts with ${BEGIN}; openssl x509 -inform der converts the binary form.`,
	})
}
