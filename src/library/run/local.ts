import { UserError } from '../../errors/index.ts'
import {
	chosenCluster,
	clusterSummary,
	type DockerRegistry,
	findSandbox,
	joinLocalRegistry,
	type KindCluster,
	type LocalCluster,
	localClusterName,
	type LocalRegistry,
	openCluster,
	registryContent,
	type RegistryContent,
	releaseNetwork,
	requireLocalRegistry,
	startDockerRegistry,
	startKind,
	startRegistry,
	startSandbox,
	stopDockerRegistry,
	stopKind,
	stopRegistry,
	stopSandbox,
} from '../../flows/index.ts'
import { inProject, type LauncherOptions, type ProjectOptions } from '../project.ts'
import { kindOf, type KindWish } from './road.ts'

export interface RegistryUpOptions extends ProjectOptions, LauncherOptions {
	/** Default: what the project has; else a container beside a kind cluster, and the embedded one elsewhere. */
	readonly kind?: 'embedded' | 'docker' | undefined
	/** Image of the container. */
	readonly image?: string | undefined
	/** Default: the port it had, else 5000, else a free one. */
	readonly port?: number | undefined
	/** Patterns of tags that the embedded registry keeps as they are. */
	readonly immutable?: readonly string[] | undefined
}

/** The registry of a project, on this machine. */
export interface ProjectRegistry {
	readonly kind: 'embedded' | 'docker'
	readonly url: string
	/** `host:port` for this machine: what references start with. */
	readonly push: string
	/** `host:port` for the cluster. */
	readonly cluster: string
	/** Path of the CA that it is trusted by. */
	readonly ca: string
	/** Of the process of the embedded one. */
	readonly pid?: number | undefined
	/** Name of the container. */
	readonly container?: string | undefined
	readonly image?: string | undefined
	/** Whether this call started it. */
	readonly started: boolean
}

export async function registryUp(options: RegistryUpOptions = {}): Promise<ProjectRegistry> {
	return await inProject(options, async ({ session, exclusive }) => {
		const { registry: present, cluster } = session.workspace.state()
		const byDefault = present?.kind ?? (cluster?.kind === 'kind' ? 'docker' : 'embedded')
		const { kind = byDefault, port, image, immutable } = options
		return await exclusive(async () => {
			const registry =
				kind === 'docker'
					? await startDockerRegistry(session, { port, image })
					: await startRegistry(session, { port, immutable })
			await joinLocalRegistry(session)
			return shown(registry)
		})
	})
}

function shown(registry: LocalRegistry | DockerRegistry): ProjectRegistry {
	const { endpoint, ca, started } = registry
	const common = {
		url: `https://${endpoint.push}`,
		push: endpoint.push,
		cluster: endpoint.cluster,
		ca,
		started,
	}
	return 'container' in registry
		? { kind: 'docker', ...common, container: registry.container, image: registry.image }
		: { kind: 'embedded', ...common, pid: registry.server.pid }
}

export interface RegistryStatusResult extends ProjectRegistry {
	readonly content?: RegistryContent | undefined
}

export async function registryStatus(options: ProjectOptions = {}): Promise<RegistryStatusResult> {
	return await inProject(options, async ({ session }) => {
		const registry = await requireLocalRegistry(session)
		return { ...shown(registry), content: await registryContent(session) }
	})
}

export interface RegistryDownOptions extends ProjectOptions {
	/** Only stop it: its artifacts stay for the next start. Default false. */
	readonly keepData?: boolean | undefined
}

export interface RegistryDownResult {
	/** Whether one ran. */
	readonly stopped: boolean
	/** Number of artifacts that it had. */
	readonly artifacts: number
}

export async function registryDown(options: RegistryDownOptions = {}): Promise<RegistryDownResult> {
	return await inProject(options, async ({ session, exclusive }) => {
		const keepData = options.keepData ?? false
		const stop = session.workspace.state().registry?.kind === 'docker' ? stopDockerRegistry : stopRegistry
		return await exclusive(async () => {
			const content = await registryContent(session).catch(() => undefined)
			return { stopped: await stop(session, { keepData }), artifacts: content?.artifacts ?? 0 }
		})
	})
}

export interface ClusterUpOptions extends ProjectOptions, LauncherOptions, KindWish {
	/** `sandbox`, `kind` or `kind:NAME`. Default: what the project has, else the sandbox. */
	readonly cluster?: string | undefined
	/** Of the sandbox. Default: any free one. */
	readonly port?: number | undefined
	readonly argocdNamespace?: string | undefined
	/** Milliseconds to wait for Argo CD in a kind cluster. Default ten minutes. */
	readonly timeoutMs?: number | undefined
}

/** The cluster of a project, on this machine. */
export interface ProjectCluster {
	/** `sandbox` or `kind:NAME`. */
	readonly name: string
	/** Path. */
	readonly kubeconfig: string
	/** Of the sandbox's process. */
	readonly pid?: number | undefined
	/** Version of the Argo CD in a kind cluster. */
	readonly argocd?: string | undefined
	/** Whether this call had to do anything. */
	readonly started: boolean
}

export async function clusterUp(options: ClusterUpOptions = {}): Promise<ProjectCluster> {
	return await inProject(options, async (project) => {
		const { session, exclusive } = project
		const name = chosenCluster(session, { cluster: options.cluster }) ?? 'sandbox'
		requireLocal(name)
		if (name !== 'sandbox') {
			const { argocdNamespace, timeoutMs } = options
			const wish = { ...kindOf(project, options), name: kindName(name), argocdNamespace, timeoutMs }
			return shownKind(await exclusive(async () => await startKind(session, wish)))
		}
		return await exclusive(async () => {
			const sandbox = await startSandbox(session, { port: options.port })
			await joinLocalRegistry(session)
			return shownSandbox(sandbox)
		})
	})
}

function kindName(cluster: string): string {
	return cluster.slice('kind:'.length)
}

function shownSandbox({ server, kubeconfig, started }: LocalCluster): ProjectCluster {
	return { name: 'sandbox', kubeconfig, pid: server.pid, started }
}

function shownKind({ name, kubeconfig, argocd, started }: KindCluster): ProjectCluster {
	return { name: `kind:${name}`, kubeconfig, argocd, started }
}

export interface ClusterStatusResult {
	/** `sandbox` or `kind:NAME`. */
	readonly name: string
	/** Of its Kubernetes API. */
	readonly url: string
	/** Path. */
	readonly kubeconfig?: string | undefined
	/** Of Kubernetes. */
	readonly version: string
	/** Number of Applications. */
	readonly applications: number
}

export async function clusterStatus(options: ProjectOptions = {}): Promise<ClusterStatusResult> {
	return await inProject(options, async ({ session }) => {
		const name = localClusterName(session.workspace.state()) ?? 'sandbox'
		if (name === 'sandbox' && !findSandbox(session))
			throw new UserError('NOT_RUNNING', 'the sandbox is not running', { hint: 'lading cluster up' })
		const { server, kubeconfig } = await openCluster(session, { cluster: name })
		return { name, url: server.href, kubeconfig, ...(await clusterSummary(session)) }
	})
}

export interface ClusterDownResult {
	/** `forgotten`: a kind cluster that was there before lading stays. */
	readonly outcome: 'removed' | 'forgotten' | 'absent'
}

export async function clusterDown(options: ProjectOptions = {}): Promise<ClusterDownResult> {
	return await inProject(options, async ({ session, exclusive }) => {
		return await exclusive(async () => {
			const { cluster } = session.workspace.state()
			if (cluster?.kind !== 'kind')
				return { outcome: (await stopSandbox(session)) ? ('removed' as const) : ('absent' as const) }
			const outcome = await stopKind(session)
			if (outcome === 'removed') await releaseNetwork(session, cluster.network)
			return { outcome }
		})
	})
}

/** @throws UserError `USAGE` for a cluster that is not made on this machine */
function requireLocal(name: string): void {
	if (!/^(?:context|argocd):/.test(name)) return
	throw new UserError('USAGE', `${name} is a cluster that lading neither makes nor removes`, {
		hint: 'cluster takes sandbox, kind or kind:NAME here.',
	})
}
