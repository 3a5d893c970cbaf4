import { type Cluster, connectCluster, connectPods, type Pods } from '../cluster/index.ts'
import { UserError } from '../errors/index.ts'
import { chosenCluster, type ClusterChoice, CONTEXT, KIND } from './chosen-cluster.ts'
import { findSandbox } from './local-cluster.ts'
import type { Session } from './session.ts'

export { chosenCluster, type ClusterChoice, isLocalCluster } from './chosen-cluster.ts'

export interface ConnectedCluster {
	/** `sandbox`, `kind:NAME` or `context:NAME`. */
	readonly name: string
	readonly cluster: Cluster
	readonly argocdNamespace: string
	readonly kubeconfig: string | undefined
	/** Its pods, beyond their objects. The sandbox has none that run. */
	readonly pods: () => Promise<Pods>
}

/** @throws UserError `USAGE` when no cluster is chosen, `NOT_RUNNING` for a local one that is not there */
export async function openCluster(session: Session, choice: ClusterChoice): Promise<ConnectedCluster> {
	const name = chosenCluster(session, choice)
	if (name === undefined) {
		throw new UserError('USAGE', 'no cluster is named, and no sandbox is running', {
			hint: 'Name one with --cluster context:NAME, or start the sandbox: lading cluster up',
		})
	}
	const { env, signal } = session
	const { kubeconfig, context } = placeOf(session, { ...choice, name })
	const options = { kubeconfig, context, env, signal }
	return {
		name,
		cluster: await connectCluster(options),
		argocdNamespace: choice.argocdNamespace ?? 'argocd',
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
			hint: 'lading up starts it, with the objects it had.',
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
