import type { KubeObject } from '../../cluster/index.ts'
import { fieldsAt, listAt, withMetadata } from './fields.ts'
import type { ServedResource } from './resource.ts'

/** The status that the API gives an object when it is made. */
export function initialState(resource: ServedResource, object: KubeObject): KubeObject {
	switch (resource.storageKey) {
		case '/pods':
			return { ...object, status: { phase: 'Pending', qosClass: qualityOf(object) } }
		case 'apiextensions.k8s.io/customresourcedefinitions':
			return withMetadata(object, {
				finalizers: [
					...new Set([...(object.metadata.finalizers ?? []), 'customresourcecleanup.apiextensions.k8s.io']),
				],
			})
		default:
			return object
	}
}

/** @see https://kubernetes.io/docs/concepts/workloads/pods/pod-qos/ */
function qualityOf(pod: KubeObject): 'Guaranteed' | 'Burstable' | 'BestEffort' {
	const containers = [...listAt(pod, 'spec', 'containers'), ...listAt(pod, 'spec', 'initContainers')]
	const resources = containers.map((container) => {
		const limits = fieldsAt(container, 'resources', 'limits')
		return { limits, requests: { ...limits, ...fieldsAt(container, 'resources', 'requests') } }
	})
	if (resources.every(({ requests }) => requests['cpu'] === undefined && requests['memory'] === undefined))
		return 'BestEffort'
	const guaranteed = resources.every(({ limits, requests }) =>
		['cpu', 'memory'].every((name) => limits[name] !== undefined && limits[name] === requests[name]),
	)
	return guaranteed ? 'Guaranteed' : 'Burstable'
}
