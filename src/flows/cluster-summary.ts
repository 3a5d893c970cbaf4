import { openCluster } from './clusters.ts'
import type { Session } from './session.ts'

/** What the local cluster says of itself. */
export async function clusterSummary(
	session: Session,
): Promise<{ readonly version: string; readonly applications: number }> {
	const { cluster, argocdNamespace } = await openCluster(session, {})
	const { signal } = session
	const [version, { items }] = await Promise.all([
		cluster.version({ signal }),
		cluster.list(
			{ apiVersion: 'argoproj.io/v1alpha1', kind: 'Application' },
			{ namespace: argocdNamespace, signal },
		),
	])
	return { version, applications: items.length }
}
