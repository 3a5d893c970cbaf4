import { openCluster } from './clusters.ts'
import type { Session } from './session.ts'

/** What the local cluster says of itself. */
export async function clusterSummary(
	session: Session,
): Promise<{ readonly version: string; readonly applications: number }> {
	const { cluster, argocd, argocdNamespace } = await openCluster(session, {})
	const { signal } = session
	const [version = '', applications] = await Promise.all([
		cluster?.version({ signal }),
		argocd.applications.list(argocdNamespace, { signal }),
	])
	return { version, applications: applications.length }
}
