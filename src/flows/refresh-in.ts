import { LadingError } from '../errors/index.ts'
import type { PinnedReference } from '../oci/index.ts'
import { refreshMatching } from '../sync/index.ts'
import type { ClusterChoice } from './chosen-cluster.ts'
import { endpointFor } from './cluster-registry.ts'
import { openCluster } from './clusters.ts'
import type { Session } from './session.ts'

/** An artifact that is in a registry under these tags. */
export interface Pushed {
	readonly reference: PinnedReference
	readonly tags: readonly string[]
	readonly outcome: string
}

/**
 * Refreshes the Applications of a cluster that follow what was pushed; a failure is a warning.
 * @returns the names of the Applications
 */
export async function refreshIn(
	session: Session,
	pushed: readonly Pushed[],
	options: ClusterChoice,
): Promise<readonly string[]> {
	const { progress, signal } = session
	const step = progress.step('refresh')
	try {
		const target = await openCluster(session, options)
		const api = target.argocd.applications
		const names: string[] = []
		for (const { reference, tags } of pushed) {
			const { registry, repository, digest } = reference
			const endpoint = await endpointFor(session, target, { registry })
			for (const tag of tags) {
				const artifact = { registries: [endpoint.push, endpoint.cluster], repository, tag, digest }
				const { refreshed, failed } = await refreshMatching(api, artifact, {
					namespace: target.argocdNamespace,
					signal,
				})
				names.push(...refreshed.map((each) => each.name))
				for (const { application, error } of failed)
					progress.warn(`${application.name} was not refreshed: ${error.message}`, error.hint)
			}
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
