import type { KubeObject } from '../../cluster/index.ts'
import { isFields } from './object-fields.ts'
import { normalizeRepoURL } from './project.ts'

/** How a repository is reached, from its Secrets. */
export interface RepositoryAccess {
	readonly username?: string | undefined
	readonly password?: string | undefined
	/** The server's certificate is not checked. */
	readonly insecure: boolean
	readonly plainHttp: boolean
}

interface RepositorySecret {
	readonly url: string
	readonly kind: 'repository' | 'repo-creds'
	readonly project: string
	readonly data: Readonly<Record<string, string>>
}

const SECRET_TYPE = 'argocd.argoproj.io/secret-type'

/** Decodes one repository Secret; `undefined` for any other. @see util/db/repository_secrets.go */
function parseSecret(secret: KubeObject): RepositorySecret | undefined {
	const kind = secret.metadata.labels?.[SECRET_TYPE]
	if (kind !== 'repository' && kind !== 'repo-creds') return undefined
	const data: Record<string, string> = {}
	for (const [name, value] of Object.entries(isFields(secret['data']) ? secret['data'] : {})) {
		if (typeof value === 'string') data[name] = Buffer.from(value, 'base64').toString()
	}
	for (const [name, value] of Object.entries(isFields(secret['stringData']) ? secret['stringData'] : {})) {
		if (typeof value === 'string') data[name] = value
	}
	return { url: data['url'] ?? '', kind, project: data['project'] ?? '', data }
}

const isTrue = (text: string | undefined): boolean => text === 'true'

/**
 * What Argo CD would use for a URL: the `repository` Secret with that URL (one of the
 * project first, then one of none), and where it holds no credential the `repo-creds`
 * Secret whose URL is the longest beginning of it. A template never passes on
 * `insecure`, and overwrites `insecureOCIForceHttp`.
 * @see util/db/repository.go enrichCredsToRepo, util/db/repository_secrets.go
 */
export function repositoryAccess(
	secrets: readonly KubeObject[],
	wanted: { readonly repoURL: string; readonly project: string },
): RepositoryAccess {
	const parsed = secrets.flatMap((secret) => parseSecret(secret) ?? [])
	const url = normalizeRepoURL(wanted.repoURL)
	const exact = parsed.filter((each) => each.kind === 'repository' && normalizeRepoURL(each.url) === url)
	const own =
		exact.find((each) => each.project !== '' && each.project === wanted.project) ??
		exact.find((each) => each.project === '')
	const username = own?.data['username']
	const password = own?.data['password']
	const access = {
		username,
		password,
		insecure: isTrue(own?.data['insecure']),
		plainHttp: isTrue(own?.data['insecureOCIForceHttp']),
	}
	if ((username ?? '') !== '' || (password ?? '') !== '') return access
	const template = parsed
		.filter((each) => each.kind === 'repo-creds' && each.url !== '')
		.filter((each) => url.startsWith(normalizeRepoURL(each.url)))
		.sort((left, right) => right.url.length - left.url.length)[0]
	if (template === undefined) return access
	return {
		...access,
		username: template.data['username'],
		password: template.data['password'],
		plainHttp: isTrue(template.data['insecureOCIForceHttp']),
	}
}

/**
 * The certificates `argocd-tls-certs-cm` holds for a host, by its name without port.
 * Text without a certificate block counts as none, as in Argo CD.
 * @see util/cert/cert.go
 */
export function certificatesFor(configMap: KubeObject | undefined, host: string): string | undefined {
	const data = configMap?.['data']
	const text = isFields(data) ? data[host] : undefined
	if (typeof text !== 'string') return undefined
	return /-----BEGIN CERTIFICATE-----[^]+?-----END CERTIFICATE-----/.test(text) ? text : undefined
}
