import { type Application, ArgocdName, sourcesOf } from '../argocd/index.ts'
import { deleteApplication, getApplication, refuseOwned } from '../sync/index.ts'
import type { ConnectedCluster } from './clusters.ts'
import type { Session } from './session.ts'
import { withoutApplication } from './state.ts'

export interface UndeployOptions {
	readonly name: string
	/** Leave in the cluster what it deployed. */
	readonly keepResources?: boolean | undefined
	/** Leave one alone that no longer carries lading's label: somebody has made it anew. */
	readonly onlyOurs?: boolean | undefined
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
	const { argocd, argocdNamespace: namespace } = target
	const api = argocd.applications
	const ref = { name: options.name, namespace }
	const application = await getApplication(api, ref, { signal })
	refuseOwned(application)
	const isOurs = application.metadata.labels?.[ArgocdName.managedByLabel] === ArgocdName.managedByLading
	if (options.onlyOurs === true && !isOurs) {
		session.progress.warn(`${options.name} in ${target.name} is no longer lading's and stays`)
		forget(session, target, options.name)
		return
	}
	await deleteApplication(api, ref, {
		cascade: options.keepResources !== true,
		timeoutMs: options.timeoutMs,
		signal,
	})
	const repoURL = sourcesOf(application)[0]?.repoURL
	if (repoURL !== undefined) {
		const others = await api.list(namespace, { signal })
		const isUsed = others.some((other) => sourcesOf(other).some((source) => source.repoURL === repoURL))
		if (!isUsed) await argocd.repositories.remove(repoURL, { signal })
	}
	forget(session, target, options.name)
	if (options.keepResources !== true) tellWhatStays(session, application)
}

/** @see argo-cd controller/appcontroller.go shouldBeDeleted */
function tellWhatStays({ progress }: Session, { metadata, status }: Application): void {
	const names = (status?.resources ?? [])
		.filter(({ kind }) => kind === 'CustomResourceDefinition')
		.map(({ name }) => name)
	if (names.length === 0) return
	progress.warn(
		`Argo CD deletes no CustomResourceDefinition; what ${metadata.name} has deployed stays: ${names.join(', ')}`,
		`Delete them, and with them every object of these kinds: kubectl delete crd ${names.join(' ')}`,
	)
}

/** Takes an Application out of the state of this project. */
export function forget(
	session: Session,
	target: Pick<ConnectedCluster, 'name' | 'argocdNamespace'>,
	name: string,
): void {
	const ref = { name, namespace: target.argocdNamespace, cluster: target.name }
	session.workspace.update((state) => withoutApplication(state, ref))
}
