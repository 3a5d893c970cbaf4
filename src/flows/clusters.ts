import { ArgocdName } from '../argocd/index.ts'
import { connectCluster, connectPods } from '../cluster/index.ts'
import { UserError } from '../errors/index.ts'
import { readUnhealthy } from '../observe/index.ts'
import { createClusterArgocd } from '../sync/index.ts'
import { ARGOCD, chosenCluster, type ClusterChoice, CONTEXT, KIND } from './chosen-cluster.ts'
import type { ConnectedCluster } from './connected-cluster.ts'
import { findSandbox } from './local-cluster.ts'
import type { Session } from './session.ts'

export { chosenCluster, type ClusterChoice, isLocalCluster } from './chosen-cluster.ts'
export { type ConnectedCluster, reached, type ReachedCluster } from './connected-cluster.ts'

/** @throws UserError `USAGE` when no cluster is chosen, `NOT_RUNNING` for a local one that is not there */
export async function openCluster(session: Session, choice: ClusterChoice): Promise<ConnectedCluster> {
	const name = chosenCluster(session, choice)
	if (name === undefined) {
		throw new UserError('USAGE', 'no cluster is named, and no sandbox is running', {
			hint: 'Name one with --cluster context:NAME, or start the sandbox: lading cluster up',
		})
	}
	if (name.startsWith(ARGOCD)) {
		const { openArgocd } = await import('./open-argocd.ts')
		return await openArgocd(session, { ...choice, cluster: name })
	}
	const { env, signal } = session
	const { kubeconfig, context } = placeOf(session, { ...choice, name })
	const options = { kubeconfig, context, env, signal }
	const cluster = await connectCluster(options)
	const argocdNamespace = choice.argocdNamespace ?? ArgocdName.defaultNamespace
	return {
		name,
		server: new URL(cluster.server),
		argocd: createClusterArgocd(cluster, { namespace: argocdNamespace }),
		argocdNamespace,
		readUnhealthy: async (application, more) => await readUnhealthy(cluster, application, more),
		cluster,
		kubeconfig,
		pods: async () => await connectPods(options),
	}
}

function placeOf(
	session: Session,
	{ name, kubeconfig }: ClusterChoice & { readonly name: string },
): { readonly kubeconfig: string | undefined; readonly context: string } {
	if (name === 'sandbox') {
		const sandbox = findSandbox(session)
		if (sandbox) return { kubeconfig: sandbox.kubeconfig, context: 'lading-sandbox' }
		throw new UserError('NOT_RUNNING', 'the sandbox is not running', {
			hint: 'lading up starts it.',
		})
	}
	if (name.startsWith(KIND)) {
		const kind = name.slice(KIND.length)
		const { cluster } = session.workspace.state()
		if (cluster?.kind === 'kind' && cluster.name === kind && cluster.created)
			return { kubeconfig: session.workspace.paths.kubeconfig, context: kindContext(kind) }
		throw new UserError('NOT_RUNNING', `this project has no kind cluster "${kind}"`, {
			hint: `lading cluster up --cluster ${name} makes it, or takes the one that is there.`,
		})
	}
	return { kubeconfig, context: name.slice(CONTEXT.length) }
}

/** The context that kind writes into a kubeconfig. */
export function kindContext(name: string): string {
	return `kind-${name}`
}
