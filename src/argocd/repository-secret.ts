import { createHash } from 'node:crypto'
import type { KubeObject } from '../cluster/index.ts'
import { UserError } from '../errors/index.ts'
import { ArgocdName } from './names.ts'
import { normalizeRepoUrl, parseRepoUrl } from './repo-url.ts'

export interface RepositorySecretOptions {
	/** Name of the Secret; made from the URL. */
	readonly name?: string | undefined
	/** Where Argo CD runs; `argocd`. */
	readonly namespace?: string | undefined
	readonly repoURL: string
	readonly username?: string | undefined
	readonly password?: string | undefined
	/** Does not check the registry's certificate; false. */
	readonly insecure?: boolean | undefined
	/** Speaks HTTP; false. */
	readonly plainHttp?: boolean | undefined
	/** Only for this AppProject. */
	readonly project?: string | undefined
}

const MAX_NAME_LENGTH = 63
const HASH_LENGTH = 10

export interface CredentialTemplateOptions {
	/** `host` or `host:port`, as Argo CD reaches it. */
	readonly registry: string
	readonly username: string
	readonly password: string
	/** Where Argo CD runs; `argocd`. */
	readonly namespace?: string | undefined
	/** Speaks HTTP; false. */
	readonly plainHttp?: boolean | undefined
}

/**
 * The URL of a template for all repositories of a registry. Argo CD takes it for the beginning
 * of a repository's URL: without the slash, `oci://r.io` would hand the password to `r.io.evil.example`.
 */
export function credentialTemplateUrl(registry: string): string {
	return `oci://${registry}/`
}

/**
 * The `repo-creds` Secret of type `oci` by which Argo CD signs in at every repository of a registry
 * that has no credential of its own.
 * @see argo-cd util/db/repository_secrets.go
 */
export function buildCredentialTemplate(options: CredentialTemplateOptions): KubeObject {
	const url = credentialTemplateUrl(options.registry)
	return {
		apiVersion: 'v1',
		kind: 'Secret',
		metadata: {
			name: nameFor('lading-creds', url),
			namespace: options.namespace ?? ArgocdName.defaultNamespace,
			labels: {
				[ArgocdName.secretTypeLabel]: 'repo-creds',
				[ArgocdName.managedByLabel]: ArgocdName.managedByLading,
			},
		},
		type: 'Opaque',
		stringData: {
			type: 'oci',
			url,
			username: options.username,
			password: options.password,
			...(options.plainHttp === true && { insecureOCIForceHttp: 'true' }),
		},
	}
}

/** The same URL always gives the same name, two URLs two, and a person can tell which. */
export function repositorySecretName(repoURL: string): string {
	return nameFor('lading-repo', repoURL)
}

function nameFor(prefix: string, repoURL: string): string {
	const normalized = normalizeRepoUrl(repoURL)
	const hash = createHash('sha256').update(normalized).digest('hex').slice(0, HASH_LENGTH)
	const room = MAX_NAME_LENGTH - `${prefix}--`.length - HASH_LENGTH
	const readable = normalized
		.replaceAll(/[^a-z0-9]+/g, '-')
		.slice(-room)
		.replaceAll(/^-+|-+$/g, '')
	return `${prefix}-${readable === '' ? '' : `${readable}-`}${hash}`
}

/**
 * The `type: oci` Secret by which Argo CD knows a repository; made with and without
 * credentials, since some versions take the source for Git where there is none.
 * @see argo-cd util/db/repository_secrets.go
 * @throws UserError `REFERENCE_INVALID`, `OBJECT_INVALID`
 */
export function buildRepositorySecret(options: RepositorySecretOptions): KubeObject {
	const { repoURL, username, password } = options
	const url = parseRepoUrl(repoURL)
	if (!url.ok) {
		throw new UserError('REFERENCE_INVALID', `Argo CD cannot read this repository: ${url.message}`, {
			hint:
				url.suggestion === undefined
					? 'It looks like oci://registry.example.com/team/app'
					: `Use ${url.suggestion}`,
		})
	}
	if ((username === undefined) !== (password === undefined)) {
		throw new UserError('OBJECT_INVALID', 'a repository needs both a user name and a password, or neither', {
			hint: 'Give --username together with --password-stdin.',
		})
	}
	return {
		apiVersion: 'v1',
		kind: 'Secret',
		metadata: {
			name: options.name ?? repositorySecretName(repoURL),
			namespace: options.namespace ?? ArgocdName.defaultNamespace,
			labels: {
				[ArgocdName.secretTypeLabel]: 'repository',
				[ArgocdName.managedByLabel]: ArgocdName.managedByLading,
			},
		},
		type: 'Opaque',
		stringData: {
			type: 'oci',
			url: repoURL,
			...(username !== undefined && { username }),
			...(password !== undefined && { password }),
			...(options.insecure === true && { insecure: 'true' }),
			...(options.plainHttp === true && { insecureOCIForceHttp: 'true' }),
			...(options.project !== undefined && { project: options.project }),
		},
	}
}
