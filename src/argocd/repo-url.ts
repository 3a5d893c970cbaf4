import { isRepository, registryHostname } from '../oci/index.ts'

/** Place of an `oci://` source as Argo CD's client understands it. */
export interface RepoUrl {
	/** `host` or `host:port`. */
	readonly registry: string
	readonly repository: string
	/** A `:tag` or `@digest` that Argo CD tolerates and ignores. */
	readonly ignored?: string | undefined
}

export type RepoUrlResult =
	| { readonly ok: true; readonly url: RepoUrl }
	| {
			readonly ok: false
			readonly reason:
				| 'not-oci'
				| 'scheme-case'
				| 'user-information'
				| 'no-repository'
				| 'trailing-slash'
				| 'capitals'
				| 'host'
				| 'repository'
			readonly message: string
			/** What Argo CD says, where it says something of its own. */
			readonly argocdMessage?: string | undefined
			/** The URL that would do, where it can be told. */
			readonly suggestion?: string | undefined
	  }

const HOST = /^(?:\[[0-9a-fA-F:.]+\]|[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?)(?::\d{1,5})?$/

const initializationFailed = (why: string): string =>
	`failed to initialize oci client: failed to initialize repository: invalid reference: ${why}`

type Refusal = Extract<RepoUrlResult, { ok: false }>

function refuse(
	reason: Refusal['reason'],
	message: string,
	more: { readonly argocdMessage?: string; readonly suggestion?: string } = {},
): Refusal {
	return { ok: false, reason, message, ...more }
}

/** Reads the `repoURL` of a source by Argo CD's rules. @see argo-cd util/oci/client.go, oras registry/reference.go */
export function parseRepoUrl(text: string): RepoUrlResult {
	if (!text.startsWith('oci://')) {
		if (!text.toLowerCase().startsWith('oci://')) {
			return refuse('not-oci', 'the URL does not start with oci://, so Argo CD reads it as Git or Helm')
		}
		return refuse('scheme-case', 'Argo CD knows the scheme oci:// only in lower case', {
			suggestion: `oci://${text.slice(6)}`,
		})
	}
	const rest = text.slice('oci://'.length)
	const slash = rest.indexOf('/')
	const registry = slash < 0 ? rest : rest.slice(0, slash)
	const remainder = slash < 0 ? '' : rest.slice(slash + 1)
	const user = registry.lastIndexOf('@')
	if (user >= 0) {
		return refuse('user-information', 'the URL carries user information; credentials belong in a Secret', {
			argocdMessage: initializationFailed('invalid registry "***"'),
			suggestion: `oci://${registry.slice(user + 1)}/${remainder}`,
		})
	}
	if (!HOST.test(registry)) {
		return refuse('host', `"${registry}" is not a registry host`, {
			argocdMessage: initializationFailed(`invalid registry "${registry}"`),
		})
	}
	if (remainder === '') {
		return refuse('no-repository', 'the URL names a registry but no repository', {
			argocdMessage: initializationFailed(
				slash < 0 ? 'missing registry or repository' : 'invalid repository ""',
			),
		})
	}
	return readRepository(registry, remainder)
}

function readRepository(registry: string, remainder: string): RepoUrlResult {
	const at = remainder.indexOf('@')
	const colon = at < 0 ? remainder.lastIndexOf(':') : remainder.slice(0, at).lastIndexOf(':')
	const end = colon > remainder.lastIndexOf('/') ? colon : at < 0 ? remainder.length : at
	const repository = remainder.slice(0, end)
	const ignored = remainder.slice(end)
	if (isRepository(repository)) {
		return { ok: true, url: { registry, repository, ...(ignored !== '' && { ignored }) } }
	}
	const argocdMessage = initializationFailed(`invalid repository "${repository}"`)
	const trimmed = repository.replace(/\/+$/, '')
	if (trimmed !== repository && isRepository(trimmed)) {
		return refuse('trailing-slash', 'the URL ends with a slash', {
			argocdMessage,
			suggestion: `oci://${registry}/${trimmed}`,
		})
	}
	const lower = repository.toLowerCase()
	if (isRepository(lower)) {
		return refuse('capitals', `the repository "${repository}" has capital letters`, {
			argocdMessage,
			suggestion: `oci://${registry}/${lower}${ignored}`,
		})
	}
	return refuse('repository', `"${repository}" is not a repository`, { argocdMessage })
}

/** The URL of a source: neither tag nor digest belong in it. */
export function formatRepoUrl(place: { readonly registry: string; readonly repository: string }): string {
	return `oci://${place.registry}/${place.repository}`
}

/** Form in which Argo CD compares URLs: no scheme, lower case, no slash at the end. @see argo-cd util/webhook/registry.go */
export function normalizeRepoUrl(url: string): string {
	return url
		.replace(/^oci:\/\//, '')
		.replace(/\/$/, '')
		.toLowerCase()
}

/** Key of `argocd-tls-certs-cm` for a URL or registry: its host name without port. */
export function tlsHostname(registryOrUrl: string): string {
	return registryHostname(registryOrUrl.replace(/^oci:\/\//, '').replace(/\/.*$/s, ''))
}
