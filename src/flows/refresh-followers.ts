import { chosenCluster, type ClusterChoice } from './chosen-cluster.ts'
import { findSandbox } from './local-cluster.ts'
import type { Pushed } from './refresh-in.ts'
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
	pushed: readonly Pushed[],
	options: RefreshFollowersOptions,
): Promise<readonly string[]> {
	const changed = options.demanded ? pushed : pushed.filter(({ outcome }) => outcome !== 'unchanged')
	if (changed.length === 0) return []
	const name = chosenCluster(session, options)
	if (!options.demanded && (name === undefined || (name === 'sandbox' && !findSandbox(session)))) return []
	// Most pushes end here, and need not load what talks to a cluster.
	const { refreshIn } = await import('./refresh-in.ts')
	return await refreshIn(session, changed, options)
}
