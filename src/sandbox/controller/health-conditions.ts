import type { KubeObject } from '../../cluster/index.ts'
import type { Health } from './health-status.ts'
import { isFields, listAt, textAt, valueAt } from './object-fields.ts'

const WAITING_TO_AUTOSCALE: Health = { status: 'Progressing', message: 'Waiting to Autoscale' }

/** @see gitops-engine pkg/health/health_hpa.go isDegraded */
const DEGRADED_REASONS: ReadonlySet<string> = new Set([
	'AbleToScale/FailedGetScale',
	'AbleToScale/FailedUpdateScale',
	'ScalingActive/FailedGetResourceMetric',
	'ScalingActive/FailedGetObjectMetric',
	'ScalingActive/FailedGetPodsMetric',
	'ScalingActive/FailedGetExternalMetric',
	'ScalingActive/FailedComputeMetricsReplicas',
	'ScalingActive/InvalidSelector',
])

export function hpaHealth(object: KubeObject): Health {
	const conditions = hpaConditions(object)
	if (conditions === undefined)
		return { status: 'Unknown', message: 'failed to convert conditions annotation to typed' }
	const degraded = conditions.find((each) =>
		DEGRADED_REASONS.has(`${textAt(each, 'type')}/${textAt(each, 'reason')}`),
	)
	if (degraded !== undefined) return { status: 'Degraded', message: textAt(degraded, 'message') }
	const healthy = conditions.find(
		(each) =>
			['AbleToScale', 'ScalingLimited'].includes(textAt(each, 'type')) && textAt(each, 'status') === 'True',
	)
	return healthy === undefined
		? WAITING_TO_AUTOSCALE
		: { status: 'Healthy', message: textAt(healthy, 'message') }
}

/** `autoscaling/v1` keeps its conditions in an annotation. */
function hpaConditions(object: KubeObject): readonly unknown[] | undefined {
	if (object.apiVersion !== 'autoscaling/v1') return listAt(object, 'status', 'conditions')
	const annotation = object.metadata.annotations?.['autoscaling.alpha.kubernetes.io/conditions']
	if (annotation === undefined) return []
	try {
		const parsed: unknown = JSON.parse(annotation)
		return Array.isArray(parsed) ? parsed : undefined
	} catch {
		return undefined
	}
}

export function apiServiceHealth(object: KubeObject): Health {
	const available = listAt(object, 'status', 'conditions').find(
		(each) => textAt(each, 'type') === 'Available',
	)
	if (available === undefined) return { status: 'Progressing', message: 'Waiting to be processed' }
	return {
		status: textAt(available, 'status') === 'True' ? 'Healthy' : 'Progressing',
		message: `${textAt(available, 'reason')}: ${textAt(available, 'message')}`,
	}
}

/** A script in Argo CD (resource_customizations/apiextensions.k8s.io/CustomResourceDefinition). */
export function definitionHealth(object: KubeObject): Health {
	const conditions = listAt(object, 'status', 'conditions').filter(isFields)
	if (conditions.length === 0) return { status: 'Progressing', message: 'Status conditions not found' }
	let established = false
	for (const condition of conditions) {
		const message = textAt(condition, 'message')
		switch (`${textAt(condition, 'type')}=${textAt(condition, 'status')}`) {
			case 'Terminating=True':
				return { status: 'Progressing', message: `CRD is terminating: ${message}` }
			case 'NamesAccepted=False':
				return { status: 'Degraded', message: `CRD names have not been accepted: ${message}` }
			case 'NonStructuralSchema=True':
				return { status: 'Degraded', message: `Schema violations found: ${message}` }
			case 'Established=True':
				established = true
				break
			case 'Established=False':
				if (textAt(condition, 'reason') === 'InvalidCABundle')
					return { status: 'Degraded', message: `CRD is not established: ${message}` }
				if (textAt(condition, 'reason') === 'Installing')
					return { status: 'Progressing', message: 'CRD is being installed' }
				break
			default:
		}
	}
	return established
		? { status: 'Healthy', message: 'CRD is healthy' }
		: { status: 'Progressing', message: 'CRD is not established' }
}

/**
 * A script in Argo CD (resource_customizations/policy/PodDisruptionBudget). Its waiting
 * for a first status is left out: nothing in the sandbox would ever write one.
 */
export function disruptionBudgetHealth(object: KubeObject): Health {
	const conditions = listAt(object, 'status', 'conditions')
	const failing = conditions.find(
		(each) => valueAt(each, 'status') === 'False' && textAt(each, 'reason') !== 'InsufficientPods',
	)
	if (failing !== undefined)
		return { status: 'Degraded', message: `PodDisruptionBudget has ${textAt(failing, 'reason')}` }
	const last = conditions.at(-1)
	if (last === undefined) return { status: 'Healthy' }
	return { status: 'Healthy', message: `PodDisruptionBudget has ${textAt(last, 'reason')}` }
}
