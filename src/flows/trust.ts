import { ArgocdName, tlsCertsKey } from '../argocd/index.ts'
import type { KubeObject } from '../cluster/index.ts'
import { LadingError, RemoteError, UserError } from '../errors/index.ts'
import { createHttpClient, type HttpClient, rootCertificateOf } from '../http/client/index.ts'
import { parseManifest, parseReference, type Reference, registryHostname } from '../oci/index.ts'
import { createKeychain, createRegistryClient } from '../registry/client/index.ts'
import type { ConnectedCluster } from './clusters.ts'
import { readCa, type RegistryAccess } from './registries.ts'
import type { Session } from './session.ts'
import { readManifestOf } from './subject.ts'

export interface TrustFlowOptions {
	/** `host[:port]`, or a reference: then the hosts that its blobs are redirected to are followed too. */
	readonly host: string
	/** The registry's name in the cluster, where it is another. */
	readonly clusterName?: string | undefined
	readonly access: RegistryAccess
}

export interface TrustPlan {
	/** `host[:port]` of the registry. */
	readonly registry: string
	/** Every host that Argo CD will have to trust, the registry first. */
	readonly hosts: readonly string[]
	/** PEM: the given CA, and the root of every host that it does not cover. */
	readonly pem: string
}

/**
 * Finds every CA that Argo CD needs for a registry: its own, its token service's and
 * that of the hosts it redirects blobs to, because an entry replaces the system's roots.
 * @throws RemoteError `TLS_UNKNOWN_CA` naming the host whose CA is missing
 */
export async function planTrust(session: Session, options: TrustFlowOptions): Promise<TrustPlan> {
	const { signal, env } = session
	const place = placeOf(options.host)
	const given = options.access.caFile === undefined ? undefined : readCa(options.access.caFile)
	const seen = new Set<string>([place.registry])
	const http = observed(createHttpClient({ ca: given, env }), seen)
	try {
		const keychain = createKeychain({
			env,
			overrides: options.access.credentials && [{ registry: place.registry, ...options.access.credentials }],
		})
		const client = createRegistryClient({ http, keychain, signal })
		await client.ping(place.registry).catch((error: unknown) => {
			// Not being let in says nothing about trust; the token service has been seen by then.
			if (!(error instanceof RemoteError && error.kind === 'denied')) throw error
		})
		if ('repository' in place)
			await followBlob(session, client.repository(place.registry, place.repository), place)
	} finally {
		http.close()
	}
	const hosts = [...seen]
	const certificates = given === undefined ? [] : [given.trim()]
	for (const host of hosts) {
		const root = await rootCertificateOf(host, { ca: given, signal })
		if (!certificates.some((pem) => pem.includes(bodyOf(root)))) certificates.push(root.trim())
	}
	return { registry: options.clusterName ?? place.registry, hosts, pem: `${certificates.join('\n')}\n` }
}

/** The local registry by any of its names, with its own CA; any other host as it was given. */
export function localTrustHost(session: Session, options: TrustFlowOptions): TrustFlowOptions {
	const endpoint = session.workspace.state().registry?.endpoint
	if (!endpoint || options.access.caFile !== undefined) return options
	const names = [endpoint.push, endpoint.cluster, registryHostname(endpoint.cluster)]
	if (!names.includes(options.host)) return options
	return {
		host: endpoint.push,
		clusterName: endpoint.cluster,
		access: { ...options.access, caFile: session.workspace.paths.ca },
	}
}

function placeOf(text: string): { readonly registry: string } | Reference {
	if (text.includes('/')) return parseReference(text)
	if (URL.canParse(`https://${text}`) && new URL(`https://${text}`).host === text.replace(/:443$/, ''))
		return { registry: text }
	throw new UserError('REFERENCE_INVALID', `"${text}" is not a registry host`, {
		hint: 'Write it as registry.example.com or registry.example.com:5000',
	})
}

async function followBlob(
	{ signal, progress }: Session,
	repository: ReturnType<ReturnType<typeof createRegistryClient>['repository']>,
	reference: Reference,
): Promise<void> {
	try {
		const { descriptor, bytes } = await readManifestOf(repository, reference, signal)
		const manifest = parseManifest(bytes, descriptor.mediaType)
		if (manifest.kind !== 'image') return
		for await (const _ of (await repository.fetch(manifest.manifest.config, { signal })) ?? []) break
	} catch (error) {
		if (!(error instanceof LadingError) || error.kind === 'tls') throw error
		progress.warn(`blob redirects were not followed: ${error.message}`, error.hint)
	}
}

/** Notes every host that answers over TLS: token services and redirects included. */
function observed(http: HttpClient, hosts: Set<string>): HttpClient {
	return {
		...http,
		async request(request) {
			const response = await http.request(request)
			for (const text of [request.url, response.url]) {
				const url = new URL(text)
				if (url.protocol === 'https:') hosts.add(url.host)
			}
			return response
		},
	}
}

function bodyOf(pem: string): string {
	return pem.replace(/-----[A-Z ]+-----|\s/g, '').slice(0, 200)
}

/** Makes Argo CD of a cluster trust what was planned. */
export async function applyTrust(
	{ signal }: Session,
	target: ConnectedCluster,
	plan: TrustPlan,
): Promise<'changed' | 'unchanged'> {
	return await target.argocd.certificates.trust({ host: plan.registry, pem: plan.pem, signal })
}

/** The ConfigMap entry as an object, for GitOps. */
export function trustObject(plan: TrustPlan, argocdNamespace: string): KubeObject {
	return {
		apiVersion: 'v1',
		kind: 'ConfigMap',
		metadata: {
			name: ArgocdName.tlsCertsConfigMap,
			namespace: argocdNamespace,
			labels: { 'app.kubernetes.io/name': ArgocdName.tlsCertsConfigMap, [ArgocdName.partOfLabel]: 'argocd' },
		},
		data: { [tlsCertsKey(plan.registry)]: plan.pem },
	}
}
