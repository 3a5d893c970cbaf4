import { type Application, isAutomated, sourcesOf, tlsHostname } from '../argocd/index.ts'
import { isStuck, restartSync, type SyncResult, waitForSync } from '../sync/index.ts'
import type { ConnectedCluster } from './clusters.ts'
import { readCa, type RegistryAccess } from './registries.ts'
import type { Session } from './session.ts'
import { describeProgress, interruptible, warnOf, whyUnhealthy } from './sync-progress.ts'

/** How an Application is waited for. */
export interface MovingOptions {
	readonly access?: RegistryAccess | undefined
	/** Delete what is no longer in the artifact, where Argo CD does not do so by itself. */
	readonly prune?: boolean | undefined
	/** Milliseconds. */
	readonly timeoutMs?: number | undefined
}

/** Remembers the revision that a person has moved an Application to: `up` leaves it there. */
export function rememberRevision(
	{ workspace }: Session,
	target: ConnectedCluster,
	{ name, revision }: { readonly name: string; readonly revision: string },
): void {
	workspace.update((state) => ({
		...state,
		applications: state.applications.map((each) =>
			each.name === name && each.namespace === target.argocdNamespace && each.cluster === target.name
				? { ...each, revision, setBy: 'sync' }
				: each,
		),
	}))
}

/** Waits until an Application is Synced at a digest (any, where none is known), and starts the sync that Argo CD does not start. */
export async function waitOrStart(
	session: Session,
	{ argocd, argocdNamespace, readUnhealthy }: ConnectedCluster,
	wait: MovingOptions & { readonly application: Application; readonly digest: string | undefined },
): Promise<SyncResult> {
	const { signal, progress } = session
	const { application, digest, access } = wait
	const { name } = application.metadata
	const api = argocd.applications
	const ref = { name, namespace: argocdNamespace }
	const step = progress.step('sync')
	const { prune } = wait
	if (isStuck(application)) await restartSync(api, ref, { application, prune, signal })
	// Argo CD does not start by itself what is set to manual, and does not prune where it is not set to.
	else if (!isAutomated(application) || prune === true)
		await api.requestSync(ref, { prune: prune === true, signal })
	const host = tlsHostname(sourcesOf(application)[0]?.repoURL ?? '')
	const pem = access?.caFile === undefined ? undefined : readCa(access.caFile)
	const synced = await interruptible(session, name, () =>
		waitForSync(api, {
			...ref,
			digest,
			before: application,
			timeoutMs: wait.timeoutMs,
			signal,
			onChange: (present, state) => step.update(describeProgress(present, state)),
			isCaTrusted: async () => await argocd.certificates.isTrusted({ host, pem, signal }),
			whyUnhealthy: async (present) => await whyUnhealthy({ readUnhealthy }, present, signal),
		}),
	)
	const { sync, health, revision } = synced
	step.done(`${sync}, ${health}${revision === undefined ? '' : ` at ${revision.slice(0, 19)}…`}`)
	warnOf(session, synced)
	return synced
}
