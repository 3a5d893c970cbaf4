import { UserError } from '../errors/index.ts'
import type { Session } from './session.ts'

export interface ClusterChoice {
	/** `sandbox`, or `context:NAME`; absent: the sandbox, if there is one. */
	readonly cluster?: string | undefined
	/** Kubeconfig for `context:NAME`. */
	readonly kubeconfig?: string | undefined
	/** Default `argocd`. */
	readonly argocdNamespace?: string | undefined
}

/** What stands before the name of a context of a kubeconfig. */
export const CONTEXT = 'context:'

/** The chosen cluster, or the sandbox of this project; `undefined` when none is chosen and none is there. */
export function chosenCluster({ workspace }: Session, choice: ClusterChoice): string | undefined {
	const name = choice.cluster ?? (workspace.state().cluster ? 'sandbox' : undefined)
	if (name === undefined || name === 'sandbox' || (name.startsWith(CONTEXT) && name.length > CONTEXT.length))
		return name
	throw new UserError('USAGE', `"${name}" is not a cluster`, {
		hint: '--cluster takes sandbox, or context:NAME of a kubeconfig (kubectl config get-contexts).',
	})
}
