import { ArgocdName } from '../argocd/index.ts'
import { connectCluster } from '../cluster/index.ts'
import { UserError } from '../errors/index.ts'
import { readUnhealthy } from '../observe/index.ts'
import { createClusterArgocd } from '../sync/index.ts'
import { chosenCluster, type ClusterChoice, ARGOCD, CONTEXT } from './chosen-cluster.ts'
import type { ConnectedCluster } from './connected-cluster.ts'
import { findSandbox } from './local-cluster.ts'
import type { Session } from './session.ts'

export { chosenCluster, type ClusterChoice } from './chosen-cluster.ts'
export type { ConnectedCluster } from './connected-cluster.ts'

/** @throws UserError `USAGE` when no cluster is chosen, `NOT_RUNNING` for a stopped sandbox */
export async function openCluster(session: Session, choice: ClusterChoice): Promise<ConnectedCluster> {
	const name = chosenCluster(session, choice)
	if (name === undefined) {
		throw new UserError('USAGE', 'no cluster is named, and no sandbox is running', {
			hint: 'Name one with --cluster context:NAME, or start the sandbox: lading cluster up',
		})
	}
	const { argocdNamespace } = choice
	if (name === 'sandbox') {
		const sandbox = findSandbox(session)
		if (!sandbox) {
			throw new UserError('NOT_RUNNING', 'the sandbox is not running', {
				hint: 'lading up starts it, with the objects it had.',
			})
		}
		const { kubeconfig } = sandbox
		return await openContext(session, { name, kubeconfig, context: 'lading-sandbox', argocdNamespace })
	}
	if (name.startsWith(ARGOCD)) {
		const { openArgocd } = await import('./open-argocd.ts')
		return await openArgocd(session, { ...choice, cluster: name })
	}
	const { kubeconfig } = choice
	return await openContext(session, {
		name,
		kubeconfig,
		context: name.slice(CONTEXT.length),
		argocdNamespace,
	})
}

async function openContext(
	{ env, signal }: Session,
	{
		name,
		kubeconfig,
		context,
		argocdNamespace = ArgocdName.defaultNamespace,
	}: {
		readonly name: string
		readonly kubeconfig: string | undefined
		readonly context: string
		readonly argocdNamespace: string | undefined
	},
): Promise<ConnectedCluster> {
	const cluster = await connectCluster({ kubeconfig, context, env, signal })
	return {
		name,
		server: new URL(cluster.server),
		argocd: createClusterArgocd(cluster, { namespace: argocdNamespace }),
		argocdNamespace,
		readUnhealthy: async (application, options) => await readUnhealthy(cluster, application, options),
		cluster,
		kubeconfig,
	}
}
