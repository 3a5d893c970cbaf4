import type { KubeObject } from '../../cluster/index.ts'
import type { CellColumn } from './cell-column.ts'
import { at, listAt, numberAt, textAt } from './fields.ts'

function podStatus(pod: KubeObject): string {
	let reason = textAt(pod, 'status', 'reason') ?? textAt(pod, 'status', 'phase') ?? 'Unknown'
	for (const status of listAt(pod, 'status', 'containerStatuses')) {
		const waiting = textAt(status, 'state', 'waiting', 'reason')
		const terminated = textAt(status, 'state', 'terminated', 'reason')
		reason = waiting ?? terminated ?? reason
	}
	return pod.metadata.deletionTimestamp === undefined ? reason : 'Terminating'
}

function readyContainers(pod: KubeObject): string {
	const ready = listAt(pod, 'status', 'containerStatuses').filter((status) => at(status, 'ready') === true)
	return `${ready.length}/${listAt(pod, 'spec', 'containers').length}`
}

function restarts(pod: KubeObject): number {
	return listAt(pod, 'status', 'containerStatuses').reduce(
		(sum: number, status) => sum + (numberAt(status, 'restartCount') ?? 0),
		0,
	)
}

const wide = (name: string, ...path: readonly string[]): CellColumn => ({
	name,
	wide: true,
	cell: (pod) => textAt(pod, ...path) ?? '<none>',
})

/** The columns of a pod; `age` stands between the narrow and the wide ones. */
export const podColumns = (age: CellColumn): readonly CellColumn[] => [
	{ name: 'Name', cell: (pod) => pod.metadata.name },
	{ name: 'Ready', cell: readyContainers },
	{ name: 'Status', cell: podStatus },
	{ name: 'Restarts', type: 'integer', cell: restarts },
	age,
	wide('IP', 'status', 'podIP'),
	wide('Node', 'spec', 'nodeName'),
	wide('Nominated Node', 'status', 'nominatedNodeName'),
	{
		name: 'Readiness Gates',
		wide: true,
		cell: (pod) => {
			const gates = listAt(pod, 'spec', 'readinessGates')
			return gates.length === 0 ? '<none>' : `0/${gates.length}`
		},
	},
]
