import { ArgocdName } from '../argocd/index.ts'
import { UserError } from '../errors/index.ts'
import { ARGOCD, CONTEXT, KIND } from './chosen-cluster.ts'
import { refuseUnreachable } from './cluster-registry.ts'
import { chosenCluster, type ClusterChoice, type ConnectedCluster, openCluster, reached } from './clusters.ts'
import { startDockerRegistry } from './docker-registry.ts'
import { tellHosting } from './join-registry.ts'
import { type KindOptions, startKind } from './kind-cluster.ts'
import { startSandbox } from './local-cluster.ts'
import { startRegistry } from './local-registry.ts'
import { readCa } from './registries.ts'
import type { Session } from './session.ts'
import type { RegistryState } from './state.ts'

/** Which registry and which cluster, and how they are made where they are not there. */
export interface BringUpOptions extends ClusterChoice, Omit<KindOptions, 'name'> {
	/** Name of the Application. */
	readonly name: string
	/** `[registry/]repository`; default the name. */
	readonly repository?: string | undefined
	/** `embedded`, `docker`, or a registry to use instead; the embedded one, and with kind a container. */
	readonly registry?: string | undefined
	/** Port of the local registry. */
	readonly port?: number | undefined
	/** Image of the registry's container. */
	readonly image?: string | undefined
	/** Patterns of tags that an embedded registry keeps as they are. */
	readonly immutable?: readonly string[] | undefined
}

export interface BroughtUp {
	readonly target: ConnectedCluster
	/** `[registry/]repository` that artifacts go to. */
	readonly repository: string
	/** Whether anything had to be started or told. */
	readonly changed: boolean
}

/**
 * Starts the registry and the cluster where they are not running, and makes Argo CD trust the registry.
 * @throws UserError `USAGE` for a registry that the cluster cannot reach
 */
export async function bringUp(session: Session, options: BringUpOptions): Promise<BroughtUp> {
	const clusterName = chosenCluster(session, options) ?? 'sandbox'
	const place = placeOf(session, { options, clusterName })
	const started = await startServers(session, { options, clusterName, registry: place.local })
	const target = await openCluster(session, { ...options, cluster: clusterName })
	const trusted = await trust(session, target, place.local)
	return { target, repository: place.repository, changed: started || trusted }
}

interface Place {
	/** Which registry of this project is needed; none where another one is named. */
	readonly local: RegistryState['kind'] | undefined
	/** `[registry/]repository`. */
	readonly repository: string
}

/** Where the artifact goes. @throws UserError `USAGE` for a registry that the cluster cannot reach */
function placeOf(
	{ workspace }: Session,
	{ options, clusterName }: { readonly options: BringUpOptions; readonly clusterName: string },
): Place {
	const { registry, name, repository = name } = options
	const asked = registry === 'embedded' || registry === 'docker' ? registry : undefined
	if (registry !== undefined && asked === undefined)
		return { local: undefined, repository: `${registry}/${repository}` }
	if (/^[^/]*[.:][^/]*\/|^localhost\//.test(repository)) return { local: undefined, repository }
	const present = workspace.state().registry?.kind
	const local = asked ?? present ?? (clusterName.startsWith(KIND) ? 'docker' : 'embedded')
	if ([CONTEXT, ARGOCD].some((start) => clusterName.startsWith(start))) {
		throw new UserError('USAGE', `${clusterName} cannot reach the ${local} registry of this machine`, {
			hint: 'Name a registry that it can reach: --registry registry.example.com',
		})
	}
	if (local === 'embedded') refuseUnreachable({ kind: local }, clusterName)
	return { local, repository }
}

/** @returns whether anything had to be started */
async function startServers(
	session: Session,
	{
		options,
		clusterName,
		registry,
	}: {
		readonly options: BringUpOptions
		readonly clusterName: string
		readonly registry: RegistryState['kind'] | undefined
	},
): Promise<boolean> {
	const { progress } = session
	let started = false
	if (registry !== undefined) {
		const step = progress.step('registry')
		const running =
			registry === 'embedded'
				? await startRegistry(session, { port: options.port, immutable: options.immutable })
				: await startDockerRegistry(session, { port: options.port, image: options.image, step })
		const where = `https://${running.endpoint.push}`
		if (running.started) step.done(where)
		else step.unchanged(where)
		started = running.started
	}
	if (clusterName.startsWith(KIND)) {
		const kind = await startKind(session, {
			...options,
			name: clusterName.slice(KIND.length),
			timeoutMs: undefined,
		})
		return started || kind.started
	}
	if (clusterName !== 'sandbox') return started
	const step = progress.step('cluster')
	const sandbox = await startSandbox(session)
	const where = `sandbox at https://127.0.0.1:${sandbox.server.port}`
	if (sandbox.started) step.done(where)
	else step.unchanged(where)
	return started || sandbox.started
}

/** Tells the cluster of the local registry: its two names, and its CA. @returns whether that was news */
async function trust(
	session: Session,
	target: ConnectedCluster,
	local: RegistryState['kind'] | undefined,
): Promise<boolean> {
	const { workspace, progress, signal } = session
	const endpoint = workspace.state().registry?.endpoint
	if (local === undefined || endpoint === undefined) return false
	const step = progress.step('trust')
	const told = await tellHosting(session, reached(target))
	const outcome = await target.argocd.certificates.trust({
		host: endpoint.cluster,
		pem: readCa(workspace.paths.ca),
		signal,
	})
	const what = `CA of ${endpoint.cluster} in ${ArgocdName.tlsCertsConfigMap}`
	if (outcome === 'changed') step.done(what)
	else step.unchanged(what)
	return told || outcome === 'changed'
}
