import type { KubeObject } from '../../cluster/index.ts'
import type { Health } from './health-status.ts'
import { apiServiceHealth, definitionHealth, disruptionBudgetHealth, hpaHealth } from './health-conditions.ts'
import { podHealth } from './health-pod.ts'
import {
	daemonSetHealth,
	deploymentHealth,
	jobHealth,
	replicaSetHealth,
	statefulSetHealth,
} from './health-workloads.ts'
import { HOOK_FINALIZER } from './hooks.ts'
import { groupOf, listAt, textAt, valueAt } from './object-fields.ts'

type Check = (object: KubeObject) => Health

/** By `group/kind`; versions Argo CD does not know end as Unknown inside the check. */
const CHECKS: Readonly<Record<string, Check>> = {
	'apps/Deployment': deploymentHealth,
	'apps/StatefulSet': statefulSetHealth,
	'apps/ReplicaSet': replicaSetHealth,
	'apps/DaemonSet': daemonSetHealth,
	'extensions/Ingress': ingressHealth,
	'networking.k8s.io/Ingress': ingressHealth,
	'/Service': serviceHealth,
	'/PersistentVolumeClaim': claimHealth,
	'/Pod': podHealth,
	'batch/Job': jobHealth,
	'batch/CronJob': cronJobHealth,
	'autoscaling/HorizontalPodAutoscaler': hpaHealth,
	'apiregistration.k8s.io/APIService': apiServiceHealth,
	'policy/PodDisruptionBudget': disruptionBudgetHealth,
	'apiextensions.k8s.io/CustomResourceDefinition': definitionHealth,
}

/**
 * The health of one live object; `undefined` for a kind that has none, such as a
 * ConfigMap (or an Application, which Argo CD leaves without).
 * @see gitops-engine pkg/health/health.go GetResourceHealth
 */
export function resourceHealth(object: KubeObject): Health | undefined {
	const check = CHECKS[`${groupOf(object.apiVersion)}/${object.kind}`]
	return pendingDeletion(object) ?? check?.(object)
}

function pendingDeletion(object: KubeObject): Health | undefined {
	const finalizers = object.metadata.finalizers ?? []
	if (object.metadata.deletionTimestamp === undefined || finalizers.includes(HOOK_FINALIZER)) return undefined
	const blocked = finalizers.length === 0 ? '' : `; blocked by finalizers: ${finalizers.join(', ')}`
	return { status: 'Progressing', message: `Pending deletion${blocked}` }
}

function ingressHealth(object: KubeObject): Health {
	const assigned = listAt(object, 'status', 'loadBalancer', 'ingress').length > 0
	return { status: assigned ? 'Healthy' : 'Progressing' }
}

function serviceHealth(object: KubeObject): Health {
	return textAt(object, 'spec', 'type') === 'LoadBalancer' ? ingressHealth(object) : { status: 'Healthy' }
}

function claimHealth(object: KubeObject): Health {
	switch (textAt(object, 'status', 'phase')) {
		case 'Lost':
			return { status: 'Degraded' }
		case 'Pending':
			return { status: 'Progressing' }
		case 'Bound':
			return { status: 'Healthy' }
		default:
			return { status: 'Unknown' }
	}
}

/**
 * A script in Argo CD (resource_customizations/batch/CronJob). A real API server always
 * gives a status, if an empty one, so a missing one counts as empty.
 */
function cronJobHealth(object: KubeObject): Health {
	if (valueAt(object, 'spec', 'suspend') === true)
		return { status: 'Healthy', message: 'CronJob is Suspended' }
	const scheduled = textAt(object, 'status', 'lastScheduleTime')
	const succeeded = textAt(object, 'status', 'lastSuccessfulTime')
	if (scheduled === '') return { status: 'Healthy', message: 'CronJob has not been scheduled yet' }
	if (succeeded === '')
		return { status: 'Healthy', message: 'The CronJob never completed successfully. It may not be healthy' }
	if (listAt(object, 'status', 'active').length > 0)
		return {
			status: 'Healthy',
			message: 'The job is running. Its last execution may not have been successful',
		}
	return succeeded < scheduled
		? { status: 'Degraded', message: 'CronJob has not completed its last execution successfully' }
		: { status: 'Healthy', message: 'CronJob has completed its last execution successfully' }
}
