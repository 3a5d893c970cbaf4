import { formatRepoUrl } from '../argocd/index.ts'
import { UserError } from '../errors/index.ts'
import { isRegistryHost, type Reference, registryHostname } from '../oci/index.ts'
import { type ConnectedCluster, isLocalCluster } from './clusters.ts'
import { readRegistryHosting } from './registry-hosting.ts'
import type { Session } from './session.ts'
import type { RegistryEndpoint, RegistryState } from './state.ts'

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|::1)$/

/** Whether a `host[:port]` names this machine and no other. */
export function isLoopback(registry: string): boolean {
	return LOOPBACK.test(registryHostname(registry))
}

/**
 * Both names of the registry of a reference: what was given, else the local registry's,
 * else what the cluster itself says of its registry, else the same for both.
 * @throws UserError `USAGE` for a registry that the cluster cannot reach, `REFERENCE_INVALID`
 */
export async function endpointFor(
	session: Session,
	target: ConnectedCluster,
	{ registry, clusterRegistry }: { readonly registry: string; readonly clusterRegistry?: string | undefined },
): Promise<RegistryEndpoint> {
	refuseClusterRegistry(clusterRegistry)
	if (clusterRegistry !== undefined) return { push: registry, cluster: clusterRegistry }
	const local = session.workspace.state().registry
	if (local?.endpoint.push === registry && isLocalCluster(session, target.name)) {
		refuseUnreachable(local, target.name)
		return local.endpoint
	}
	const hosting = await readRegistryHosting(target.cluster)
	if (hosting?.push === registry) return hosting
	if (isLoopback(registry) && !isLoopback(target.server.host)) {
		throw new UserError(
			'USAGE',
			`the registry ${registry} listens on this machine only, and ${target.name} runs elsewhere`,
			{
				hint: 'Push to a registry that the cluster reaches, or give the name it has there with --cluster-registry.',
			},
		)
	}
	return { push: registry, cluster: registry }
}

/** The embedded registry is a process of this machine; a kind cluster runs in containers. @throws UserError `USAGE` */
export function refuseUnreachable({ kind }: Pick<RegistryState, 'kind'>, cluster: string): void {
	if (kind !== 'embedded' || cluster === 'sandbox') return
	throw new UserError('USAGE', `${cluster} cannot reach the embedded registry of this machine`, {
		hint: 'lading registry down removes it; then: lading registry up --registry docker',
	})
}

/** What the cluster calls the registry, where that is given; a path may follow the host. @throws UserError `REFERENCE_INVALID` */
export function refuseClusterRegistry(clusterRegistry: string | undefined): void {
	const [host] = clusterRegistry?.split('/', 1) ?? []
	if (host === undefined || isRegistryHost(host)) return
	throw new UserError('REFERENCE_INVALID', `"${clusterRegistry}" is not a registry host`, {
		hint: 'Give its host as the cluster reaches it, without a scheme: --cluster-registry kind-registry:5000',
	})
}

/** `repoURL` of an Application for a reference. */
export function repoUrlOf({ repository }: Pick<Reference, 'repository'>, endpoint: RegistryEndpoint): string {
	return formatRepoUrl({ registry: endpoint.cluster, repository })
}

/** `repoURL` as far as it is known without asking a cluster. */
export function printableRepoUrl(
	{ workspace }: Session,
	{
		reference,
		clusterRegistry,
	}: { readonly reference: Reference; readonly clusterRegistry?: string | undefined },
): string {
	refuseClusterRegistry(clusterRegistry)
	const local = workspace.state().registry?.endpoint
	const known = local?.push === reference.registry ? local.cluster : reference.registry
	return formatRepoUrl({ registry: clusterRegistry ?? known, repository: reference.repository })
}
