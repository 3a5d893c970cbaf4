import { shellWord, UserError } from '../errors/index.ts'
import type { Session } from './session.ts'
import type { State } from './state.ts'

export interface ClusterChoice {
	/** `sandbox`, `kind`, `kind:NAME`, `context:NAME` or `argocd:HOST`; absent: the local one of this project, if there is one. */
	readonly cluster?: string | undefined
	/** Kubeconfig for `context:NAME`. */
	readonly kubeconfig?: string | undefined
	/** Path of PEM certificates to trust for `argocd:HOST`, besides the system's. */
	readonly argocdCa?: string | undefined
	/** Default `argocd`. */
	readonly argocdNamespace?: string | undefined
}

/** What stands before the name of a context of a kubeconfig. */
export const CONTEXT = 'context:'
/** What stands before the name of a kind cluster. */
export const KIND = 'kind:'
/** The kind cluster that is made where none is named. */
export const DEFAULT_KIND_NAME = 'lading'
/** What stands before the address of an argocd-server. */
export const ARGOCD = 'argocd:'

/** How a person calls kubectl to reach a cluster from the project's directory. */
export function kubectlFor(name: string): string {
	if (name.startsWith(CONTEXT)) return `kubectl --context ${shellWord(name.slice(CONTEXT.length))}`
	return 'kubectl --kubeconfig .lading/kubeconfig'
}

/**
 * The chosen cluster, or the local one of this project: `sandbox`, `kind:NAME`,
 * `context:NAME` or `argocd:HOST`; `undefined` when none is chosen and none is there.
 */
export function chosenCluster({ workspace }: Session, choice: ClusterChoice): string | undefined {
	const name = choice.cluster
	if (name === undefined) return localClusterName(workspace.state())
	if (name === 'sandbox') return name
	if (name === 'kind') {
		const { cluster } = workspace.state()
		return `${KIND}${cluster?.kind === 'kind' ? cluster.name : DEFAULT_KIND_NAME}`
	}
	if ([CONTEXT, ARGOCD].some((start) => name.startsWith(start) && name.length > start.length)) return name
	if (name.startsWith(KIND) && /^[a-z0-9][a-z0-9.-]{0,49}$/.test(name.slice(KIND.length))) return name
	throw new UserError('USAGE', `"${name}" is not a cluster`, {
		hint: '--cluster takes sandbox, kind, kind:NAME, context:NAME of a kubeconfig (kubectl config get-contexts), or argocd:HOST for Argo CD’s own API.',
	})
}

/** The name of the cluster that this project has on this machine. */
export function localClusterName({ cluster }: State): string | undefined {
	if (cluster === undefined) return undefined
	return cluster.kind === 'sandbox' ? 'sandbox' : `${KIND}${cluster.name}`
}

/** Whether a cluster is the one that this project has on this machine. */
export function isLocalCluster({ workspace }: Session, name: string): boolean {
	return localClusterName(workspace.state()) === name
}
