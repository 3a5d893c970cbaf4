import type { Cluster, WaitOptions } from './cluster.ts'
import type { KubeObject } from './objects.ts'
import { fieldOf } from './pod-trouble.ts'

/** `a=1,b=2` of a map of labels; `undefined` where nothing would be selected. */
export function labelSelectorOf(labels: unknown): string | undefined {
	if (typeof labels !== 'object' || labels === null || Object.keys(labels).length === 0) return undefined
	return Object.entries(labels)
		.map(([key, value]) => `${key}=${String(value)}`)
		.join(',')
}

/** The pods that a workload selects, or a Pod itself; none for other objects. */
export async function podsOf(
	cluster: Cluster,
	owner: KubeObject,
	{ signal }: WaitOptions = {},
): Promise<readonly KubeObject[]> {
	if (owner.kind === 'Pod') return [owner]
	const labelSelector = labelSelectorOf(fieldOf(fieldOf(owner.spec, 'selector'), 'matchLabels'))
	if (labelSelector === undefined) return []
	const { namespace } = owner.metadata
	const { items } = await cluster.list(
		{ apiVersion: 'v1', kind: 'Pod' },
		{ namespace, labelSelector, signal },
	)
	return items
}

/** Whether a pod is ready and stays. */
export function isPodReady(pod: KubeObject): boolean {
	if (pod.metadata.deletionTimestamp !== undefined) return false
	const conditions = fieldOf(pod.status, 'conditions')
	return (
		Array.isArray(conditions) &&
		conditions.some((each) => fieldOf(each, 'type') === 'Ready' && fieldOf(each, 'status') === 'True')
	)
}

/** Whether a Deployment or StatefulSet runs as it is now described: as `kubectl rollout status` sees it. */
export function isWorkloadReady({ spec, status, metadata }: KubeObject): boolean {
	const wanted = numberOf(spec, 'replicas', 1)
	const updated = numberOf(status, 'updatedReplicas', 0)
	return (
		numberOf(status, 'observedGeneration', 0) >= (metadata.generation ?? 0) &&
		updated >= wanted &&
		// Old ones that still serve hide that the new ones do not start.
		numberOf(status, 'replicas', 0) <= updated &&
		numberOf(status, 'readyReplicas', 0) >= wanted
	)
}

function numberOf(value: unknown, field: string, otherwise: number): number {
	const number = fieldOf(value, field)
	return typeof number === 'number' ? number : otherwise
}
