import type { Container } from './docker.ts'

/** Labels that kind gives to every container of a cluster. */
const CLUSTER = 'io.x-k8s.kind.cluster'
const ROLE = 'io.x-k8s.kind.role'
const BALANCER = 'external-load-balancer'

/**
 * The mark is a mount: of all that a kind configuration says, only mounts and ports are
 * in the container from the moment it is made. The source is one that kind mounts itself.
 * @see https://kind.sigs.k8s.io/docs/user/configuration/#extra-mounts
 */
export interface MarkMount {
	readonly hostPath: string
	readonly containerPath: string
	readonly readOnly: true
}

export function markMount(mark: string): MarkMount {
	return { hostPath: '/lib/modules', containerPath: `/opt/lading/${mark}`, readOnly: true }
}

/** The label that finds every container of a kind cluster. */
export function clusterLabel(name: string): string {
	return `${CLUSTER}=${name}`
}

/**
 * Those of a cluster's containers that were made with this mark. The load balancer of
 * several control planes gets no mounts: it belongs to the others, where all of them are marked.
 */
export function markedNodes(nodes: readonly Container[], mark: string): readonly Container[] {
	const path = markMount(mark).containerPath
	const marked = nodes.filter(({ mounts }) => mounts.includes(path))
	const rest = nodes.filter((node) => !marked.includes(node))
	const isWhole = marked.length > 0 && rest.every(({ labels }) => labels[ROLE] === BALANCER)
	return isWhole ? nodes : marked
}
