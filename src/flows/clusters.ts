import { type Cluster, connectCluster } from '../cluster/index.ts'
import { UserError } from '../errors/index.ts'
import { chosenCluster, type ClusterChoice, CONTEXT } from './chosen-cluster.ts'
import { findSandbox } from './local-cluster.ts'
import type { Session } from './session.ts'

export { chosenCluster, type ClusterChoice } from './chosen-cluster.ts'

export interface ConnectedCluster {
	/** `sandbox` or `context:NAME`. */
	readonly name: string
	readonly cluster: Cluster
	readonly argocdNamespace: string
	readonly kubeconfig: string | undefined
}

/** @throws UserError `USAGE` when no cluster is chosen, `NOT_RUNNING` for a stopped sandbox */
export async function openCluster(session: Session, choice: ClusterChoice): Promise<ConnectedCluster> {
	const name = chosenCluster(session, choice)
	const argocdNamespace = choice.argocdNamespace ?? 'argocd'
	if (name === undefined) {
		throw new UserError('USAGE', 'no cluster is named, and no sandbox is running', {
			hint: 'Name one with --cluster context:NAME, or start the sandbox: lading cluster up',
		})
	}
	if (name === 'sandbox') {
		const sandbox = findSandbox(session)
		if (!sandbox) {
			throw new UserError('NOT_RUNNING', 'the sandbox is not running', {
				hint: 'lading up starts it, with the objects it had.',
			})
		}
		const { kubeconfig } = sandbox
		const cluster = await connectCluster({
			kubeconfig,
			context: 'lading-sandbox',
			env: session.env,
			signal: session.signal,
		})
		return { name, cluster, argocdNamespace, kubeconfig }
	}
	const { kubeconfig } = choice
	const cluster = await connectCluster({
		kubeconfig,
		context: name.slice(CONTEXT.length),
		env: session.env,
		signal: session.signal,
	})
	return { name, cluster, argocdNamespace, kubeconfig }
}
