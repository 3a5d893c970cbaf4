import type { KubeObject } from '../../cluster/index.ts'
import { at, fieldsOf, listAt, numberAt, textAt, type Fields } from './fields.ts'

interface Conversion {
	readonly decode: (stored: KubeObject) => KubeObject
	readonly encode: (object: KubeObject) => KubeObject
}

function renamed(object: Fields, names: Readonly<Record<string, string>>): Record<string, unknown> {
	return Object.fromEntries(Object.entries(object).map(([key, value]) => [names[key] ?? key, value]))
}

const TO_NEW_EVENT = {
	involvedObject: 'regarding',
	message: 'note',
	source: 'deprecatedSource',
	firstTimestamp: 'deprecatedFirstTimestamp',
	lastTimestamp: 'deprecatedLastTimestamp',
	count: 'deprecatedCount',
	reportingComponent: 'reportingController',
}
const TO_OLD_EVENT = Object.fromEntries(Object.entries(TO_NEW_EVENT).map(([old, renewed]) => [renewed, old]))

/** `events.k8s.io/v1` over the stored core `v1` events. */
export const convertEvent: Conversion = {
	decode: (stored) => ({ ...(renamed(stored, TO_NEW_EVENT) as KubeObject), apiVersion: 'events.k8s.io/v1' }),
	encode: (object) => ({ ...(renamed(object, TO_OLD_EVENT) as KubeObject), apiVersion: 'v1' }),
}

function isCpuUtilization(metric: unknown): boolean {
	return (
		textAt(metric, 'type') === 'Resource' &&
		textAt(metric, 'resource', 'name') === 'cpu' &&
		textAt(metric, 'resource', 'target', 'type') === 'Utilization'
	)
}

/** `autoscaling/v1` over the stored `v2`: the CPU percentage is one of its metrics. */
export const convertScaler: Conversion = {
	decode: (stored) => {
		const { metrics: _, behavior: __, ...spec } = fieldsOf(stored['spec'])
		const cpu = listAt(stored, 'spec', 'metrics').find(isCpuUtilization)
		const percentage = numberAt(cpu, 'resource', 'target', 'averageUtilization')
		return {
			...stored,
			apiVersion: 'autoscaling/v1',
			spec: { ...spec, ...(percentage !== undefined && { targetCPUUtilizationPercentage: percentage }) },
		}
	},
	encode: (object) => {
		const { targetCPUUtilizationPercentage: percentage, ...spec } = fieldsOf(object['spec'])
		const target = { type: 'Utilization', averageUtilization: percentage }
		return {
			...object,
			apiVersion: 'autoscaling/v2',
			spec: {
				...spec,
				...(at(object, 'spec', 'targetCPUUtilizationPercentage') !== undefined && {
					metrics: [{ type: 'Resource', resource: { name: 'cpu', target } }],
				}),
			},
		}
	},
}
