import { ArgocdName } from '../argocd/index.ts'
import { fieldOf, refOf } from '../cluster/index.ts'
import { unreachable } from '../errors/index.ts'
import { attach, ensureNodeRegistry, readsCertsDirectory } from '../kind/index.ts'
import { FIELD_MANAGER, trustCa } from '../sync/index.ts'
import { KIND } from './chosen-cluster.ts'
import { openCluster, reached, type ReachedCluster } from './clusters.ts'
import { dockerState } from './docker-registry.ts'
import { kindTools } from './kind-tools.ts'
import { findSandbox } from './local-cluster.ts'
import { findRegistry } from './local-registry.ts'
import { readCa } from './registries.ts'
import { readRegistryHosting, registryHostingConfigMap } from './registry-hosting.ts'
import type { Session } from './session.ts'

/**
 * Makes the registry's container and a kind cluster know each other: the network, the
 * nodes' containerd, the ConfigMap of KEP-1755, Argo CD's trust.
 * @returns what had to be done, one line each
 */
export async function joinRegistry(session: Session, target: ReachedCluster): Promise<readonly string[]> {
	const { workspace } = session
	const registry = dockerState(session)
	const { cluster } = workspace.state()
	if (registry === undefined || cluster?.kind !== 'kind') return []
	const { docker, kind, network } = kindTools(session)
	const ca = readCa(workspace.paths.ca)
	const done: string[] = []
	if (await attach(docker, { network, container: registry.container }))
		done.push(`${registry.container} attached to the network ${network}`)
	for (const node of await kind.nodes(cluster.name)) {
		const news = await ensureNodeRegistry(docker, node, {
			server: registry.endpoint.cluster,
			names: [registry.endpoint.cluster, registry.endpoint.push],
			ca,
		})
		if (news) done.push(`${node} pulls images from it`)
		if (!(await readsCertsDirectory(docker, node))) {
			session.progress.warn(
				`the containerd of ${node} reads no certs.d: pods cannot use images of ${registry.endpoint.push}`,
				'Make the cluster with config_path set, as on https://kind.sigs.k8s.io/docs/user/local-registry/; Argo CD is not concerned.',
			)
		}
	}
	return [...done, ...(await introduceRegistry(session, target))]
}

/** Tells a cluster the two names of the local registry, and its Argo CD the CA. @returns what was news, one line each */
async function introduceRegistry(session: Session, target: ReachedCluster): Promise<readonly string[]> {
	const { workspace, signal } = session
	const endpoint = workspace.state().registry?.endpoint
	if (endpoint === undefined) return []
	const told = await tellHosting(session, target)
	const trusted = await trustCa(target.cluster, {
		host: endpoint.cluster,
		pem: readCa(workspace.paths.ca),
		namespace: target.argocdNamespace,
		signal,
	})
	return [
		...(told ? ['local-registry-hosting written'] : []),
		...(trusted === 'changed' ? [`its CA is in ${ArgocdName.tlsCertsConfigMap}`] : []),
	]
}

/** Joins the local registry with the local cluster of this project, where both run. @returns what had to be done */
export async function joinLocalRegistry(session: Session): Promise<readonly string[]> {
	const { cluster } = session.workspace.state()
	switch (cluster?.kind) {
		case 'sandbox': {
			if (!findSandbox(session) || !findRegistry(session)) return []
			return await introduceRegistry(session, reached(await openCluster(session, { cluster: 'sandbox' })))
		}
		case 'kind': {
			if (!cluster.created || cluster.argocd === undefined) return []
			const target = await openCluster(session, { cluster: `${KIND}${cluster.name}` })
			return await joinRegistry(session, reached(target))
		}
		case undefined:
			return []
		default:
			return unreachable(cluster)
	}
}

/** Writes the ConfigMap of KEP-1755, unless somebody else's tells of another registry. @returns whether that was news */
export async function tellHosting(session: Session, target: ReachedCluster): Promise<boolean> {
	const { signal, progress } = session
	const endpoint = session.workspace.state().registry?.endpoint
	if (endpoint === undefined) return false
	const wanted = registryHostingConfigMap(endpoint)
	const present = await target.cluster.get(refOf(wanted), { signal })
	const isOurs = present?.metadata.labels?.[ArgocdName.managedByLabel] === ArgocdName.managedByLading
	if (present !== undefined && !isOurs) {
		const hosting = await readRegistryHosting(target.cluster)
		progress.warn(
			`the cluster tells of the registry ${hosting?.push ?? '(unreadable)'} in ${wanted.metadata.name}, which stays as it is`,
		)
		return false
	}
	if (JSON.stringify(fieldOf(present, 'data')) === JSON.stringify(wanted.data)) return false
	await target.cluster.apply(wanted, { fieldManager: FIELD_MANAGER, force: true, signal })
	return true
}

/** Removes the ConfigMap of KEP-1755 where it is lading's. */
export async function untellHosting({ signal }: Session, { cluster }: ReachedCluster): Promise<void> {
	const ref = refOf(registryHostingConfigMap({ push: '', cluster: '' }))
	const present = await cluster.get(ref, { signal })
	if (present?.metadata.labels?.[ArgocdName.managedByLabel] === ArgocdName.managedByLading)
		await cluster.delete(ref, { signal })
}
