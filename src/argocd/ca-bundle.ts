import { UserError } from '../errors/index.ts'
import { ArgocdLimit } from './limits.ts'
import { tlsHostname } from './repo-url.ts'

/** `data` of the ConfigMap `argocd-tls-certs-cm`: PEM bundles by host name without port. */
export type TlsCertsData = Readonly<Record<string, string>>

export interface CaOptions {
	/** Host name, `host:port`, or an `oci://` URL. */
	readonly host: string
	/** One or more certificates in PEM. */
	readonly pem: string
}

const BEGIN = '-----BEGIN CERTIFICATE-----'
const END = '-----END CERTIFICATE-----'
const KEY = /^[-._a-zA-Z0-9]{1,253}$/

/**
 * Key of the ConfigMap for a registry.
 * @throws UserError `OBJECT_INVALID` for an IPv6 address: a key holds no colon
 */
export function tlsCertsKey(host: string): string {
	const name = tlsHostname(host)
	if (KEY.test(name) && name !== '.' && name !== '..') return name
	throw new UserError(
		'OBJECT_INVALID',
		`Argo CD cannot be given a CA for "${name}": a key of argocd-tls-certs-cm holds no such name`,
		{
			hint: 'Reach the registry by a host name or an IPv4 address that its certificate carries.',
		},
	)
}

/** The certificates of a bundle as Argo CD finds them: text around the blocks does not count. */
export function certificatesOf(bundle: string): readonly string[] {
	const found: string[] = []
	let open: string[] | undefined
	for (const line of bundle.split(/\r?\n/)) {
		if (open === undefined) {
			if (line.startsWith(BEGIN)) open = [line.trimEnd()]
			continue
		}
		open.push(line.trimEnd())
		if (!line.startsWith(END)) continue
		found.push(`${open.join('\n')}\n`)
		open = undefined
	}
	return found
}

/**
 * Adds certificates under the host's key. Other keys, and what stands under this
 * one, are kept; one that is there already is not added again, so that the same
 * object comes back when nothing changes.
 * @throws UserError `CA_UNREADABLE` past the limits at which Argo CD ignores the whole file without a word
 */
export function mergeCa(data: TlsCertsData, { host, pem }: CaOptions): TlsCertsData {
	const key = tlsCertsKey(host)
	const added = certificatesOf(pem)
	if (added.length === 0) {
		throw new UserError('CA_UNREADABLE', 'the CA has no certificate in PEM', {
			hint: `A certificate starts with ${BEGIN}.`,
		})
	}
	const bundle = data[key] ?? ''
	const known = new Set(certificatesOf(bundle).map(bodyOf))
	const missing = added.filter(
		(each, index) =>
			!known.has(bodyOf(each)) && added.findIndex((other) => bodyOf(other) === bodyOf(each)) === index,
	)
	if (missing.length === 0) return data
	const merged = `${bundle}${bundle === '' || bundle.endsWith('\n') ? '' : '\n'}${missing.join('')}`
	refuseBeyondLimits(key, merged)
	return { ...data, [key]: merged }
}

/** Takes certificates out again; the key goes with its last certificate. */
export function removeCa(data: TlsCertsData, { host, pem }: CaOptions): TlsCertsData {
	const key = tlsCertsKey(host)
	const bundle = data[key]
	if (bundle === undefined) return data
	const removed = new Set(certificatesOf(pem).map(bodyOf))
	const present = certificatesOf(bundle)
	const kept = present.filter((each) => !removed.has(bodyOf(each)))
	if (kept.length === present.length) return data
	const { [key]: _gone, ...others } = data
	return kept.length === 0 ? others : { ...others, [key]: kept.join('') }
}

/** Whether the host's bundle holds all the certificates. */
export function holdsCa(data: TlsCertsData, { host, pem }: CaOptions): boolean {
	const known = new Set(certificatesOf(data[tlsCertsKey(host)] ?? '').map(bodyOf))
	const wanted = certificatesOf(pem)
	return wanted.length > 0 && wanted.every((each) => known.has(bodyOf(each)))
}

const bodyOf = (pem: string): string => pem.replaceAll(/-----[A-Z ]+-----|\s+/g, '')

function refuseBeyondLimits(key: string, bundle: string): void {
	const certificates = certificatesOf(bundle)
	const tooLong = certificates.some(
		(each) => each.trimEnd().split('\n').length > ArgocdLimit.certificateLines,
	)
	if (!tooLong && certificates.length <= ArgocdLimit.certificatesPerHost) return
	throw new UserError(
		'CA_UNREADABLE',
		tooLong
			? `a certificate for ${key} has more than ${ArgocdLimit.certificateLines} lines`
			: `${key} would have more than ${ArgocdLimit.certificatesPerHost} certificates`,
		{
			hint: 'Argo CD would ignore the whole bundle without saying so. Give only the CA that signed the registry’s certificate.',
		},
	)
}
