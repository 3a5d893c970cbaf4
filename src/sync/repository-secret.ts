import {
	ArgocdName,
	buildCredentialTemplate,
	buildRepositorySecret,
	type CredentialTemplateOptions,
	credentialTemplateUrl,
	normalizeRepoUrl,
	type RepositorySecretOptions,
} from '../argocd/index.ts'
import { type Cluster, isForbidden, type KubeObject, refOf } from '../cluster/index.ts'
import type { ApiOptions } from './application-api.ts'
import type { RepositoryResult } from './argocd.ts'
import { FIELD_MANAGER } from './cluster-application-api.ts'

/** The repository Secret for exactly this URL. */
export async function findRepositorySecret(
	cluster: Cluster,
	repoURL: string,
	{
		namespace = ArgocdName.defaultNamespace,
		signal,
	}: ApiOptions & { readonly namespace?: string | undefined } = {},
): Promise<KubeObject | undefined> {
	return await findSecret(cluster, repoURL, { kind: 'repository', namespace, signal })
}

async function findSecret(
	cluster: Cluster,
	repoURL: string,
	{
		kind,
		namespace = ArgocdName.defaultNamespace,
		signal,
	}: ApiOptions & { readonly kind: string; readonly namespace?: string | undefined },
): Promise<KubeObject | undefined> {
	const labelSelector = `${ArgocdName.secretTypeLabel}=${kind}`
	const { items } = await cluster.list(
		{ apiVersion: 'v1', kind: 'Secret' },
		{ namespace, labelSelector, signal },
	)
	const wanted = normalizeRepoUrl(repoURL)
	return items.find((secret) => normalizeRepoUrl(secretField(secret, 'url') ?? '') === wanted)
}

/** One decoded field of a Secret. */
export function secretField({ data, stringData }: KubeObject, field: string): string | undefined {
	const plain = fieldOf(stringData, field)
	if (plain !== undefined) return plain
	const encoded = fieldOf(data, field)
	return encoded === undefined ? undefined : Buffer.from(encoded, 'base64').toString('utf8')
}

function fieldOf(record: unknown, field: string): string | undefined {
	if (typeof record !== 'object' || record === null) return undefined
	const value = (record as Readonly<Record<string, unknown>>)[field]
	return typeof value === 'string' ? value : undefined
}

/**
 * Makes the `type: oci` Secret by which Argo CD knows the repository. One of someone
 * else's for the same URL is left alone; ours keeps the credentials that it holds where no others are given.
 * @throws UserError `REFERENCE_INVALID`, `OBJECT_INVALID`
 */
export async function applyRepositorySecret(
	cluster: Cluster,
	options: RepositorySecretOptions & ApiOptions,
): Promise<RepositoryResult> {
	const { signal, repoURL, namespace, username } = options
	const wanted = buildRepositorySecret(options)
	const { name } = wanted.metadata
	try {
		const present = await findRepositorySecret(cluster, repoURL, { namespace, signal })
		if (present !== undefined && !isOurs(present))
			return { outcome: 'kept', name: present.metadata.name, type: secretField(present, 'type') }
		const secret =
			present === undefined || username !== undefined
				? wanted
				: buildRepositorySecret({ ...options, ...credentialsOf(present) })
		await cluster.apply(secret, { fieldManager: FIELD_MANAGER, force: true, signal })
		return { outcome: 'applied', name, type: 'oci' }
	} catch (error) {
		if (isForbidden(error) && username === undefined) return { outcome: 'forbidden', name }
		throw error
	}
}

/** Makes the `repo-creds` Secret for a registry. One of someone else's for the same URL is left alone. */
export async function applyCredentialTemplate(
	cluster: Cluster,
	options: CredentialTemplateOptions & ApiOptions,
): Promise<RepositoryResult> {
	const { signal, registry, namespace } = options
	const url = credentialTemplateUrl(registry)
	const present = await findSecret(cluster, url, { kind: 'repo-creds', namespace, signal })
	if (present !== undefined && !isOurs(present))
		return { outcome: 'kept', name: present.metadata.name, type: secretField(present, 'type') }
	const secret = buildCredentialTemplate(options)
	await cluster.apply(secret, { fieldManager: FIELD_MANAGER, force: true, signal })
	return { outcome: 'applied', name: secret.metadata.name, type: 'oci' }
}

/** Removes the Secret, if lading made it. @returns whether it did */
export async function removeRepositorySecret(
	cluster: Cluster,
	repoURL: string,
	options: ApiOptions & { readonly namespace?: string | undefined },
): Promise<boolean> {
	try {
		const secret = await findRepositorySecret(cluster, repoURL, options)
		if (secret === undefined || !isOurs(secret)) return false
		return await cluster.delete(refOf(secret), { signal: options.signal })
	} catch (error) {
		// Who may not make one has left none.
		if (isForbidden(error)) return false
		throw error
	}
}

export function isOurs({ metadata }: KubeObject): boolean {
	return metadata.labels?.[ArgocdName.managedByLabel] === ArgocdName.managedByLading
}

function credentialsOf(secret: KubeObject): Pick<RepositorySecretOptions, 'username' | 'password'> {
	const [username, password] = [secretField(secret, 'username'), secretField(secret, 'password')]
	return username === undefined || password === undefined ? {} : { username, password }
}
