import { LadingError } from '../errors/index.ts'
import { refreshMatching } from '../sync/index.ts'
import type { ClusterChoice } from './chosen-cluster.ts'
import { endpointFor } from './cluster-registry.ts'
import { openCluster } from './clusters.ts'
import type { PushResult } from './push.ts'
import type { Session } from './session.ts'

/**
 * Refreshes the Applications of a cluster that follow what was pushed; a failure is a warning.
 * @returns the names of the Applications
 */
export async function refreshIn(
	session: Session,
	pushed: Pick<PushResult, 'reference' | 'tags'>,
	options: ClusterChoice,
): Promise<readonly string[]> {
	const { progress, signal } = session
	const step = progress.step('refresh')
	try {
		const target = await openCluster(session, options)
		const { registry, repository, digest } = pushed.reference
		const endpoint = await endpointFor(session, target, { registry })
		const api = target.argocd.applications
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
