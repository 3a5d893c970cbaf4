import { UserError } from '../errors/index.ts'
import type { Session } from './session.ts'

export interface ClusterChoice {
	/** `sandbox`, `context:NAME` or `argocd:HOST`; absent: the sandbox, if there is one. */
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
/** What stands before the address of an argocd-server. */
export const ARGOCD = 'argocd:'

/** The chosen cluster, or the sandbox of this project; `undefined` when none is chosen and none is there. */
export function chosenCluster({ workspace }: Session, choice: ClusterChoice): string | undefined {
	const name = choice.cluster ?? (workspace.state().cluster ? 'sandbox' : undefined)
	if (name === undefined || name === 'sandbox') return name
	if ([CONTEXT, ARGOCD].some((start) => name.startsWith(start) && name.length > start.length)) return name
	throw new UserError('USAGE', `"${name}" is not a cluster`, {
		hint: '--cluster takes sandbox, context:NAME of a kubeconfig (kubectl config get-contexts), or argocd:HOST for Argo CD’s own API.',
	})
}
