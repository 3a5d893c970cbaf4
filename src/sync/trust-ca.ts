import { ArgocdName, holdsCa, mergeCa, type TlsCertsData, tlsCertsKey } from '../argocd/index.ts'
import {
	type Cluster,
	isForbidden,
	type KubeObject,
	type ObjectRef,
	PatchType,
	reasonOf,
	refOf,
} from '../cluster/index.ts'
import { LadingError } from '../errors/index.ts'
import type { ApiOptions } from './application-api.ts'
import type { CaOptions } from './argocd.ts'
import { FIELD_MANAGER } from './cluster-application-api.ts'

export interface TrustOptions extends CaOptions {
	/** Where Argo CD runs; `argocd`. */
	readonly namespace?: string | undefined
}

const ATTEMPTS = 5

/** `data` of `argocd-tls-certs-cm`; `undefined` when there is none. */
export async function readTrust(
	cluster: Cluster,
	{
		namespace = ArgocdName.defaultNamespace,
		signal,
	}: ApiOptions & { readonly namespace?: string | undefined } = {},
): Promise<TlsCertsData | undefined> {
	const object = await cluster.get(configMapRef(namespace), { signal })
	return object && dataOf(object)
}

/**
 * Makes Argo CD trust a registry's CA: adds it under the host's key of
 * `argocd-tls-certs-cm` and touches no other. Says whether anything changed.
 * @throws UserError `OBJECT_INVALID`, `CA_UNREADABLE`
 */
export async function trustCa(
	cluster: Cluster,
	{ host, pem, namespace = ArgocdName.defaultNamespace, signal }: TrustOptions,
): Promise<'changed' | 'unchanged'> {
	const key = tlsCertsKey(host)
	const ref = configMapRef(namespace)
	for (let attempt = 1; ; attempt++) {
		const present = await cluster.get(ref, { signal })
		const data = present === undefined ? {} : dataOf(present)
		const merged = mergeCa(data, { host, pem })
		if (merged[key] === data[key]) return 'unchanged'
		try {
			if (present === undefined) {
				const created = await cluster.create(newConfigMap(namespace, merged), { signal })
				await projectNow(cluster, { namespace, version: created.metadata.resourceVersion, signal })
				return 'changed'
			}
			// The version makes two who add a CA at once notice each other.
			const { resourceVersion } = present.metadata
			const patch = {
				metadata: { ...(resourceVersion !== undefined && { resourceVersion }) },
				data: { [key]: merged[key] },
			}
			const patched = await cluster.patch(ref, patch, {
				type: PatchType.merge,
				fieldManager: FIELD_MANAGER,
				signal,
			})
			if (patched === undefined) continue
			await projectNow(cluster, { namespace, version: patched.metadata.resourceVersion, signal })
			return 'changed'
		} catch (error) {
			const raced = ['Conflict', 'AlreadyExists'].includes(reasonOf(error) ?? '')
			if (!raced || attempt >= ATTEMPTS) throw error
		}
	}
}

/** Says nothing but that the pod has changed: then the kubelet looks at its volumes. */
const NUDGE = 'lading/tls-certs-version'

/**
 * Makes the kubelet hand the ConfigMap to the repo-server now and not at its next round,
 * a minute or two later: a change of the Pod is what it acts upon at once.
 */
async function projectNow(
	cluster: Cluster,
	{
		namespace,
		version = '',
		signal,
	}: ApiOptions & { readonly namespace: string; readonly version: string | undefined },
): Promise<void> {
	const labelSelector = `app.kubernetes.io/name=${ArgocdName.repoServer}`
	const patch = { metadata: { annotations: { [NUDGE]: version } } }
	try {
		const { items } = await cluster.list(
			{ apiVersion: 'v1', kind: 'Pod' },
			{ namespace, labelSelector, signal },
		)
		const options = { type: PatchType.merge, fieldManager: FIELD_MANAGER, signal }
		await Promise.all(items.map(async (pod) => await cluster.patch(refOf(pod), patch, options)))
	} catch (error) {
		signal?.throwIfAborted()
		// Who may not do that waits for the kubelet's round.
		if (!(error instanceof LadingError)) throw error
	}
}

/**
 * Whether Argo CD was given a CA for a host: `pem`, where it is known which one it
 * must be. An entry that holds only the CA of before a rotation does not count then.
 */
export async function isCaTrusted(
	cluster: Cluster,
	{ host, pem, namespace, signal }: Omit<TrustOptions, 'pem'> & { readonly pem?: string | undefined },
): Promise<boolean> {
	try {
		const data = (await readTrust(cluster, { namespace, signal })) ?? {}
		return pem === undefined ? data[tlsCertsKey(host)] !== undefined : holdsCa(data, { host, pem })
	} catch (error) {
		// Who may not look does not know of any.
		if (isForbidden(error)) return false
		throw error
	}
}

function configMapRef(namespace: string): ObjectRef {
	return { apiVersion: 'v1', kind: 'ConfigMap', name: ArgocdName.tlsCertsConfigMap, namespace }
}

function newConfigMap(namespace: string, data: TlsCertsData): KubeObject {
	return {
		apiVersion: 'v1',
		kind: 'ConfigMap',
		metadata: {
			name: ArgocdName.tlsCertsConfigMap,
			namespace,
			labels: { 'app.kubernetes.io/name': ArgocdName.tlsCertsConfigMap, [ArgocdName.partOfLabel]: 'argocd' },
		},
		data,
	}
}

function dataOf({ data }: KubeObject): TlsCertsData {
	if (typeof data !== 'object' || data === null) return {}
	return Object.fromEntries(
		Object.entries(data).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
	)
}
