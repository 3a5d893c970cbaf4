import { rmSync } from 'node:fs'
import { LadingError, UserError } from '../errors/index.ts'
import { openCluster } from './clusters.ts'
import { stopSandbox } from './local-cluster.ts'
import { findRegistry, stopRegistry } from './local-registry.ts'
import { registryContent } from './registry-content.ts'
import type { Session } from './session.ts'
import { emptyState, type State } from './state.ts'
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
	readonly sandbox: boolean
	/** What became of the registry; `absent` when there was none. */
	readonly registry: 'removed' | 'kept' | 'absent'
	/** Number of artifacts that went with it. */
	readonly artifacts: number
}

/** Removes what lading made here and in clusters, and nothing else. */
export async function down(session: Session, options: DownOptions = {}): Promise<DownResult> {
	const { workspace, progress, signal } = session
	const state = readStateOr(session, options)
	const remote = state.applications.filter(({ cluster }) => cluster !== 'sandbox')
	const applications: string[] = []
	for (const application of remote) {
		const step = progress.step('application')
		try {
			const target = await openCluster(session, {
				cluster: application.cluster,
				kubeconfig: application.kubeconfig,
				argocdCa: application.argocdCa,
				argocdNamespace: application.namespace,
			})
			await undeploy(session, target, { name: application.name, onlyOurs: true })
			applications.push(application.name)
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
	signal?.throwIfAborted()

	const content = await registryContent(session).catch(() => undefined)
	const sandboxStep = progress.step('cluster')
	const sandbox = await stopSandbox(session)
	if (sandbox || state.cluster) sandboxStep.done('sandbox removed')
	else sandboxStep.unchanged('no sandbox was there')

	const registryStep = progress.step('registry')
	if (options.keepRegistry === true) {
		const kept = content !== undefined
		registryStep.unchanged(kept ? `kept, with ${artifactCount(content.artifacts)}` : 'no registry was there')
		return { applications, sandbox, registry: kept ? 'kept' : 'absent', artifacts: 0 }
	}
	const there = content !== undefined || findRegistry(session) !== undefined
	await stopRegistry(session, { keepData: false })
	if (there) registryStep.done(`removed, with ${artifactCount(content?.artifacts ?? 0)}`)
	else registryStep.unchanged('no registry was there')
	if (options.force === true || workspace.state().applications.length === 0)
		rmSync(workspace.directory, { recursive: true, force: true })
	return { applications, sandbox, registry: there ? 'removed' : 'absent', artifacts: content?.artifacts ?? 0 }
}

function artifactCount(count: number): string {
	return `${count} ${count === 1 ? 'artifact' : 'artifacts'}`
}

function readStateOr({ workspace }: Session, { force }: DownOptions): State {
	try {
		return workspace.state()
	} catch (error) {
		if (force === true && error instanceof UserError) return emptyState
		throw error
	}
}
