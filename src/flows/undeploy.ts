import { ArgocdName, sourcesOf } from '../argocd/index.ts'
import { refOf } from '../cluster/index.ts'
import {
	createClusterApplicationApi,
	deleteApplication,
	findRepositorySecret,
	getApplication,
	refuseOwned,
} from '../sync/index.ts'
import type { ConnectedCluster } from './clusters.ts'
import type { Session } from './session.ts'
import { withoutApplication } from './state.ts'

export interface UndeployOptions {
	readonly name: string
	/** Leave in the cluster what it deployed. */
	readonly keepResources?: boolean | undefined
	/** Milliseconds. */
	readonly timeoutMs?: number | undefined
}

/**
 * Removes an Application, what it deployed, and the repository Secret that lading made
 * for it, unless another Application uses it.
 * @throws RemoteError `NOT_FOUND`, `TIMED_OUT`
 */
export async function undeploy(
	session: Session,
	target: ConnectedCluster,
	options: UndeployOptions,
): Promise<void> {
	const { signal } = session
	const { cluster, argocdNamespace: namespace } = target
	const api = createClusterApplicationApi(cluster)
	const ref = { name: options.name, namespace }
	const application = await getApplication(api, ref, { signal })
	refuseOwned(application)
	await deleteApplication(api, ref, {
		cascade: options.keepResources !== true,
		timeoutMs: options.timeoutMs,
		signal,
	})
	const repoURL = sourcesOf(application)[0]?.repoURL
	if (repoURL !== undefined) {
		const others = await api.list(namespace, { signal })
		const isUsed = others.some((other) => sourcesOf(other).some((source) => source.repoURL === repoURL))
		const secret = isUsed ? undefined : await findRepositorySecret(cluster, repoURL, { namespace, signal })
		if (secret?.metadata.labels?.[ArgocdName.managedByLabel] === ArgocdName.managedByLading)
			await cluster.delete(refOf(secret), { signal })
	}
	session.workspace.update((state) => withoutApplication(state, { ...ref, cluster: target.name }))
}
