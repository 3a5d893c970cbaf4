import type { Cluster } from '../cluster/index.ts'
import type { ArgocdServer, ReadUnhealthy } from '../observe/index.ts'
import type { Argocd } from '../sync/index.ts'

/** Where it runs: an Argo CD, and the cluster that it runs in as far as that is reached. */
export interface ConnectedCluster {
	/** `sandbox`, `context:NAME` or `argocd:HOST`. */
	readonly name: string
	/** Of what is spoken to: the Kubernetes API, or Argo CD's own. */
	readonly server: URL
	readonly argocd: Argocd
	readonly argocdNamespace: string
	readonly readUnhealthy: ReadUnhealthy
	/** Set where Argo CD is spoken to by its own API. */
	readonly argocdServer?: ArgocdServer | undefined
	/** Absent where Argo CD is spoken to by its own API, which gives no access to the cluster. */
	readonly cluster?: Cluster | undefined
	readonly kubeconfig?: string | undefined
	/** Path of the CA that was named for `argocd:HOST`. */
	readonly argocdCa?: string | undefined
}
