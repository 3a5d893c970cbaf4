import type { KubeObject } from '../../cluster/index.ts'
import { UserError } from '../../errors/index.ts'
import {
	type ApplicationState,
	type ApplicationWish,
	type ClusterChoice,
	type ConnectedCluster,
	deploy as deployFlow,
	deployObjects as objectsOfDeploy,
	type Deployment,
	type DeployResult,
	openCluster,
	planRollback as planFlow,
	printableRepoUrl,
	readApplications,
	readDeployments,
	type RegistryAccess,
	rollbackApplication,
	type RollbackPlan,
	type RollbackResult,
	type SyncFlowResult,
	syncApplication,
	targetRevisionOf,
	undeploy as undeployFlow,
} from '../../flows/index.ts'
import { inProject, type Project, type ProjectOptions, type ReferenceLike } from '../project.ts'

export interface DeployOptions extends ProjectOptions, ClusterChoice, ApplicationWish {
	/** Of the Application. */
	readonly name: string
	/** With a tag, a digest or both. */
	readonly reference: ReferenceLike
	/** Pin the digest besides the tag. Default false. */
	readonly pin?: boolean | undefined
	/** Wait until Synced at the digest and Healthy. Default true. */
	readonly wait?: boolean | undefined
	readonly access?: RegistryAccess | undefined
}

export async function deploy(options: DeployOptions): Promise<DeployResult> {
	return await onCluster(options, async ({ project, target }) => {
		const { session, exclusive } = project
		const flow = wishOf(project, options)
		return await exclusive(async () => await deployFlow(session, target, { ...flow, by: 'deploy' }))
	})
}

function wishOf({ reference, access }: Project, options: DeployOptions) {
	const { name, pin, wait, clusterRegistry, namespace, path, recurse } = options
	const { project, manual, prune, serverSide, timeoutMs } = options
	return {
		name,
		pin,
		wait,
		clusterRegistry,
		namespace,
		path,
		recurse,
		project,
		manual,
		prune,
		serverSide,
		timeoutMs,
		reference: reference(options.reference),
		access: access(options.access),
	}
}

export async function deployObjects(options: DeployOptions): Promise<readonly KubeObject[]> {
	return await inProject(options, async (project) => {
		const wish = { ...wishOf(project, options), by: 'deploy' } as const
		if (options.pin === true && wish.reference.digest === undefined)
			throw new UserError('USAGE', 'no registry is asked here, and pin needs the digest', {
				hint: 'Name it: …:TAG@sha256:…',
			})
		const { secret, application } = objectsOfDeploy(wish, {
			repoURL: printableRepoUrl(project.session, wish),
			targetRevision: targetRevisionOf(wish.reference),
			argocdNamespace: options.argocdNamespace ?? 'argocd',
		})
		return [secret, application]
	})
}

export interface UndeployOptions extends ProjectOptions, ClusterChoice {
	/** Of the Application. */
	readonly name: string
	/** Leave in the cluster what it deployed. Default false. */
	readonly keepResources?: boolean | undefined
	/** Milliseconds to wait until it is gone. */
	readonly timeoutMs?: number | undefined
}

export async function undeploy(options: UndeployOptions): Promise<void> {
	await onCluster(options, async ({ project: { session, exclusive }, target }) => {
		const { name, keepResources, timeoutMs } = options
		await exclusive(async () => await undeployFlow(session, target, { name, keepResources, timeoutMs }))
	})
}

/** Of what moves an Application. */
export interface MovingOptions extends ProjectOptions, ClusterChoice {
	/** Of the Application. */
	readonly name: string
	/** Delete what is no longer in the artifact, where Argo CD does not do so by itself. */
	readonly prune?: boolean | undefined
	/** Milliseconds to wait for it. */
	readonly timeoutMs?: number | undefined
	readonly access?: RegistryAccess | undefined
}

export interface SyncOptions extends MovingOptions {
	/** Tag, digest, tag@digest or range; absent: the present one, refreshed. */
	readonly revision?: string | undefined
}

export async function sync(options: SyncOptions): Promise<SyncFlowResult> {
	return await onCluster(options, async ({ project: { session, access, exclusive }, target }) => {
		const { name, revision, prune, timeoutMs } = options
		const flow = { name, revision, prune, timeoutMs, access: access(options.access) }
		return await exclusive(async () => await syncApplication(session, target, flow))
	})
}

export interface RollbackOptions extends MovingOptions {
	/** A deployment of the history by its id, its digest, or what it was deployed by; absent: the one before. */
	readonly to?: string | undefined
}

export async function rollback(options: RollbackOptions): Promise<RollbackResult> {
	return await onCluster(options, async ({ project: { session, access, exclusive }, target }) => {
		const { name, to, prune, timeoutMs } = options
		const flow = { name, to, prune, timeoutMs, access: access(options.access) }
		return await exclusive(async () => await rollbackApplication(session, target, flow))
	})
}

export async function planRollback(options: RollbackOptions): Promise<RollbackPlan> {
	return await onCluster(options, async ({ project: { session, access }, target }) => {
		const { name, to } = options
		return await planFlow(session, target, { name, to, access: access(options.access) })
	})
}

export interface StatusOptions extends ProjectOptions, ClusterChoice {
	/** Of Applications; absent or empty: all. */
	readonly names?: readonly string[] | undefined
}

export interface StatusResult {
	/** `sandbox`, `kind:NAME`, `context:NAME` or `argocd:HOST`. */
	readonly cluster: string
	readonly applications: readonly ApplicationState[]
}

export async function status(options: StatusOptions): Promise<StatusResult> {
	return await onCluster(options, async ({ project: { session }, target }) => ({
		cluster: target.name,
		applications: await readApplications(session, target, options.names ?? []),
	}))
}

export interface HistoryOptions extends ProjectOptions, ClusterChoice {
	/** Of the Application. */
	readonly name: string
	readonly access?: RegistryAccess | undefined
}

export async function history(options: HistoryOptions): Promise<readonly Deployment[]> {
	return await onCluster(options, async ({ project: { session, access }, target }) => {
		return await readDeployments(session, target, {
			name: options.name,
			access: access(options.access),
		})
	})
}

/** A call that works with an Argo CD. */
export async function onCluster<T>(
	options: ProjectOptions & ClusterChoice,
	task: (on: { readonly project: Project; readonly target: ConnectedCluster }) => Promise<T>,
): Promise<T> {
	return await inProject(options, async (project) => {
		const target = await openCluster(project.session, project.cluster(options))
		return await task({ project, target })
	})
}
