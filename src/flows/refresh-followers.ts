import { LadingError } from '../errors/index.ts'
import { createClusterApplicationApi, refreshMatching } from '../sync/index.ts'
import { chosenCluster, type ClusterChoice, openCluster } from './clusters.ts'
import { endpointFor } from './cluster-registry.ts'
import { findSandbox } from './local-cluster.ts'
import type { PushResult } from './push.ts'
import type { Session } from './session.ts'

export interface RefreshFollowersOptions extends ClusterChoice {
	/** Asked for: then no cluster is wrong usage, and a failure a warning all the same. */
	readonly demanded: boolean
}

/**
 * Refreshes the Applications that follow what was pushed, where a cluster is known. The
 * push is done: whatever goes wrong here is a warning.
 * @returns the names of the Applications
 */
export async function refreshFollowers(
	session: Session,
	pushed: PushResult,
	options: RefreshFollowersOptions,
): Promise<readonly string[]> {
	if (pushed.outcome === 'unchanged' && !options.demanded) return []
	const name = chosenCluster(session, options)
	if (!options.demanded && (name === undefined || (name === 'sandbox' && !findSandbox(session)))) return []
	const { progress, signal } = session
	const step = progress.step('refresh')
	try {
		const target = await openCluster(session, options)
		const { registry, repository, digest } = pushed.reference
		const endpoint = await endpointFor(session, target, { registry })
		const api = createClusterApplicationApi(target.cluster)
		const names: string[] = []
		for (const tag of pushed.tags) {
			const artifact = { registries: [endpoint.push, endpoint.cluster], repository, tag, digest }
			const { refreshed, failed } = await refreshMatching(api, artifact, {
				namespace: target.argocdNamespace,
				signal,
			})
			names.push(...refreshed.map((each) => each.name))
			for (const { application, error } of failed)
				progress.warn(`${application.name} was not refreshed: ${error.message}`, error.hint)
		}
		const unique = [...new Set(names)]
		if (unique.length === 0) step.unchanged('no Application follows it')
		else step.done(unique.join(', '))
		return unique
	} catch (error) {
		if (!(error instanceof LadingError) || signal?.aborted === true) throw error
		step.fail('the push is done, but no Application was refreshed')
		progress.warn(error.message, error.hint)
		return []
	}
}
