import {
	ArgocdName,
	buildRepositorySecret,
	normalizeRepoUrl,
	type RepositorySecretOptions,
} from '../argocd/index.ts'
import type { Cluster, KubeObject } from '../cluster/index.ts'
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
	const labelSelector = `${ArgocdName.secretTypeLabel}=repository`
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
 * else's for the same URL is left alone.
 * @throws UserError `REFERENCE_INVALID`, `OBJECT_INVALID`
 */
export async function applyRepositorySecret(
	cluster: Cluster,
	options: RepositorySecretOptions & ApiOptions,
): Promise<RepositoryResult> {
	const { signal, repoURL, namespace } = options
	const secret = buildRepositorySecret(options)
	const present = await findRepositorySecret(cluster, repoURL, { namespace, signal })
	if (
		present !== undefined &&
		present.metadata.labels?.[ArgocdName.managedByLabel] !== ArgocdName.managedByLading
	) {
		return { outcome: 'kept', name: present.metadata.name, type: secretField(present, 'type') }
	}
	await cluster.apply(secret, { fieldManager: FIELD_MANAGER, force: true, signal })
	return { outcome: 'applied', name: secret.metadata.name, type: 'oci' }
}
