import type { Cluster, Pods } from '../cluster/index.ts'
import { UserError } from '../errors/index.ts'
import type { ArgocdServer, ReadUnhealthy } from '../observe/index.ts'
import type { Argocd } from '../sync/index.ts'

/** Where it runs: an Argo CD, and the cluster that it runs in as far as that is reached. */
export interface ConnectedCluster {
	/** `sandbox`, `kind:NAME`, `context:NAME` or `argocd:HOST`. */
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
	/** Its pods, beyond their objects; absent where `cluster` is. */
	readonly pods?: (() => Promise<Pods>) | undefined
	readonly kubeconfig?: string | undefined
	/** Path of the CA that was named for `argocd:HOST`. */
	readonly argocdCa?: string | undefined
}

/** A cluster that is spoken to itself. */
export interface ReachedCluster extends ConnectedCluster {
	readonly cluster: Cluster
	readonly pods: () => Promise<Pods>
}

/** @throws UserError `USAGE` where only Argo CD's own API is reached */
export function reached(target: ConnectedCluster): ReachedCluster {
	const { cluster, pods } = target
	if (cluster !== undefined && pods !== undefined) return { ...target, cluster, pods }
	throw new UserError('USAGE', `${target.name} gives no access to the cluster that Argo CD runs in`, {
		hint: 'Name the cluster with --cluster context:NAME.',
	})
}
