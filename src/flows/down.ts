import { existsSync, rmSync } from 'node:fs'
import { LadingError, UserError } from '../errors/index.ts'
import { KIND } from './chosen-cluster.ts'
import { openCluster, reached } from './clusters.ts'
import { stopDockerRegistry } from './docker-registry.ts'
import { untellHosting } from './join-registry.ts'
import { stopKind } from './kind-cluster.ts'
import { releaseNetwork } from './kind-network.ts'
import { recognizeNodes } from './kind-nodes.ts'
import { stopSandbox } from './local-cluster.ts'
import { stopRegistry } from './local-registry.ts'
import { registryContent } from './registry-content.ts'
import type { Session } from './session.ts'
import { type KindState, setStateAside, type State } from './state.ts'
import { forget, undeploy } from './undeploy.ts'

export interface DownOptions {
	/** Leave the registry running, with its artifacts. */
	readonly keepRegistry?: boolean | undefined
	/** Go on where the state file cannot be read or a cluster cannot be reached. */
	readonly force?: boolean | undefined
}

export interface DownResult {
	/** Names of the Applications that were removed from clusters which stay. */
	readonly applications: readonly string[]
	/** Whether a sandbox was removed. */
	readonly sandbox: boolean
	/** What became of the kind cluster: one that was there before lading is only forgotten. */
	readonly kind: 'removed' | 'forgotten' | 'absent'
	/** What became of the registry; `absent` when there was none. */
	readonly registry: 'removed' | 'kept' | 'absent'
	/** Number of artifacts that went with it. */
	readonly artifacts: number
}

/** Removes what lading made here and in clusters, and nothing else. */
export async function down(session: Session, options: DownOptions = {}): Promise<DownResult> {
	const { workspace, signal } = session
	const { cluster } = usableState(session, options)
	// Before anything is removed, or thought to go with it.
	if (cluster?.kind === 'kind' && cluster.ours) await recognizeNodes(session, cluster.name)
	const state = workspace.state()
	const applications = await removeApplications(session, state, options)
	signal?.throwIfAborted()
	const content = await registryContent(session).catch(() => undefined)
	const { sandbox, kind } = await removeCluster(session, state)
	const registry = await removeRegistry(session, { state, options, artifacts: content?.artifacts })
	if (state.cluster?.kind === 'kind' && kind === 'removed')
		await releaseNetwork(session, state.cluster.network)
	const isDone = options.force === true || workspace.state().applications.length === 0
	if (registry !== 'kept' && isDone) rmSync(workspace.directory, { recursive: true, force: true })
	const artifacts = registry === 'removed' ? (content?.artifacts ?? 0) : 0
	return { applications, sandbox, kind, registry, artifacts }
}

/** Removes the Applications from the clusters that stay. @returns their names */
async function removeApplications(
	session: Session,
	state: State,
	options: DownOptions,
): Promise<readonly string[]> {
	const { progress } = session
	const removed: string[] = []
	for (const application of state.applications.filter(({ cluster }) => !goesWithIt(state, cluster))) {
		const step = progress.step('application')
		try {
			const target = await openCluster(session, {
				cluster: application.cluster,
				kubeconfig: application.kubeconfig,
				argocdCa: application.argocdCa,
				argocdNamespace: application.namespace,
			})
			await undeploy(session, target, { name: application.name, onlyOurs: true })
			removed.push(application.name)
			step.done(`${application.name} removed from ${application.cluster}`)
		} catch (error) {
			if (error instanceof LadingError && error.kind === 'not-found') {
				step.unchanged(`${application.name} is gone from ${application.cluster} already`)
				forget(
					session,
					{ name: application.cluster, argocdNamespace: application.namespace },
					application.name,
				)
				continue
			}
			step.fail(`${application.name} in ${application.cluster}`)
			if (options.force !== true || !(error instanceof LadingError)) throw error
			progress.warn(`${application.name} stays in ${application.cluster}: ${error.message}`)
		}
	}
	return removed
}

/** Whether a cluster is removed, with everything in it. */
function goesWithIt({ cluster }: State, name: string): boolean {
	if (name === 'sandbox') return true
	return cluster?.kind === 'kind' && cluster.ours && name === `${KIND}${cluster.name}`
}

async function removeCluster(session: Session, state: State): Promise<Pick<DownResult, 'sandbox' | 'kind'>> {
	const step = session.progress.step('cluster')
	if (state.cluster?.kind === 'kind') {
		const { name } = state.cluster
		await forgetRegistry(session, state.cluster)
		const kind = await stopKind(session)
		if (kind === 'removed') step.done(`kind cluster ${name} removed`)
		else step.unchanged(`the kind cluster ${name} is not lading's, and stays`)
		return { sandbox: false, kind }
	}
	const sandbox = await stopSandbox(session)
	if (sandbox || state.cluster) step.done('sandbox removed')
	else step.unchanged('no local cluster was there')
	return { sandbox, kind: 'absent' }
}

/** Takes back what a cluster that stays was told of a registry that goes. */
async function forgetRegistry(session: Session, cluster: KindState): Promise<void> {
	// One that was never used knows nothing.
	if (cluster.ours || !existsSync(session.workspace.paths.kubeconfig)) return
	try {
		const target = await openCluster(session, { cluster: `${KIND}${cluster.name}` })
		await untellHosting(session, reached(target))
	} catch (error) {
		if (!(error instanceof LadingError) || error.kind === 'interrupted') throw error
		session.progress.warn(`local-registry-hosting stays in ${cluster.name}: ${error.message}`)
	}
}

async function removeRegistry(
	session: Session,
	{
		state,
		options,
		artifacts,
	}: { readonly state: State; readonly options: DownOptions; readonly artifacts: number | undefined },
): Promise<DownResult['registry']> {
	const step = session.progress.step('registry')
	const isContainer = isInContainer(session, state)
	if (options.keepRegistry === true) {
		const isThere = artifacts !== undefined || isContainer
		step.unchanged(isThere ? `kept, with ${artifactCount(artifacts ?? 0)}` : 'no registry was there')
		return isThere ? 'kept' : 'absent'
	}
	const stop = isContainer ? stopDockerRegistry : stopRegistry
	const isStopped = await stop(session, { keepData: false })
	const isThere = isStopped || (!isContainer && artifacts !== undefined)
	if (isThere) step.done(`removed, with ${artifactCount(artifacts ?? 0)}`)
	else step.unchanged('no registry was there')
	return isThere ? 'removed' : 'absent'
}

function artifactCount(count: number): string {
	return `${count} ${count === 1 ? 'artifact' : 'artifacts'}`
}

/** Without a state, the certificate that was made for a container tells of it. */
function isInContainer({ workspace }: Session, { registry }: State): boolean {
	return registry === undefined ? existsSync(workspace.paths.containerPki) : registry.kind === 'docker'
}

/** The state; with `force` an empty one in place of one that cannot be read, for all that follows. */
function usableState({ workspace, progress }: Session, { force }: DownOptions): State {
	try {
		return workspace.state()
	} catch (error) {
		if (force !== true || !(error instanceof UserError)) throw error
		setStateAside(workspace.directory)
		progress.warn(`${error.message}: a kind cluster, and Applications in other clusters, may be left`)
		return workspace.state()
	}
}
