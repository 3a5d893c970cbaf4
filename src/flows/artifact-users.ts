import { LadingError, RemoteError } from '../errors/index.ts'
import type { Digest, Reference } from '../oci/index.ts'
import { chosenCluster, type ClusterChoice } from './chosen-cluster.ts'
import { findSandbox } from './local-cluster.ts'
import type { ArtifactUser } from './repository-applications.ts'
import type { Session } from './session.ts'

export type ArtifactUsers =
	/** No cluster is chosen, and none of this project is there. */
	| { readonly kind: 'no-cluster' }
	| { readonly kind: 'unknown'; readonly cluster: string; readonly error: LadingError }
	| { readonly kind: 'known'; readonly cluster: string; readonly users: readonly ArtifactUser[] }

/** Milliseconds that a cluster has to answer: what the registry says must not wait for it. */
const PATIENCE_MS = 5000

/** Which Applications of the chosen cluster read a repository. A cluster that fails is an answer, too. */
export async function findArtifactUsers(
	session: Session,
	place: Pick<Reference, 'registry' | 'repository'>,
	choice: ClusterChoice,
): Promise<ArtifactUsers> {
	const cluster = chosenCluster(session, choice)
	const isAbsent = cluster === 'sandbox' && choice.cluster === undefined && !findSandbox(session)
	if (cluster === undefined || isAbsent) return { kind: 'no-cluster' }
	const patience = AbortSignal.timeout(PATIENCE_MS)
	const signal = session.signal ? AbortSignal.any([session.signal, patience]) : patience
	try {
		// What talks to a cluster is loaded only where there is one.
		const { listApplicationsOf } = await import('./repository-applications.ts')
		const applications = await listApplicationsOf({ ...session, signal }, place, choice)
		return { kind: 'known', cluster, users: applications }
	} catch (error) {
		session.signal?.throwIfAborted()
		if (error instanceof LadingError) return { kind: 'unknown', cluster, error }
		if (!patience.aborted) throw error
		const late = new RemoteError('TIMED_OUT', `${cluster} does not answer`, { cause: error })
		return { kind: 'unknown', cluster, error: late }
	}
}

/** Names of the Applications that run a digest. */
export function runningOn(users: ArtifactUsers, digest: Digest | undefined): readonly string[] {
	if (users.kind !== 'known') return []
	return users.users.filter((user) => user.digest === digest).map(({ name }) => name)
}
