import type { KubeObject } from '../../cluster/index.ts'
import type { Health } from './health-status.ts'
import { listAt, numberAt, textAt, valueAt } from './object-fields.ts'

const progressing = (message: string): Health => ({ status: 'Progressing', message })

function condition(object: KubeObject, type: string): unknown {
	return listAt(object, 'status', 'conditions').find((each) => textAt(each, 'type') === type)
}

/** A count of the status; absent counts are zero. */
function count(object: KubeObject, field: string): number {
	return numberAt(object, 'status', field) ?? 0
}

function isObserved(object: KubeObject): boolean {
	return (object.metadata.generation ?? 0) <= count(object, 'observedGeneration')
}

/** @see gitops-engine pkg/health/health_deployment.go */
export function deploymentHealth(object: KubeObject): Health {
	if (valueAt(object, 'spec', 'paused') === true)
		return { status: 'Suspended', message: 'Deployment is paused' }
	const wait = 'Waiting for rollout to finish:'
	if (!isObserved(object))
		return progressing(`${wait} observed deployment generation less than desired generation`)
	if (textAt(condition(object, 'Progressing'), 'reason') === 'ProgressDeadlineExceeded')
		return {
			status: 'Degraded',
			message: `Deployment "${object.metadata.name}" exceeded its progress deadline`,
		}
	const wanted = numberAt(object, 'spec', 'replicas')
	const updated = count(object, 'updatedReplicas')
	const available = count(object, 'availableReplicas')
	const old = count(object, 'replicas') - updated
	if (wanted !== undefined && updated < wanted)
		return progressing(`${wait} ${updated} out of ${wanted} new replicas have been updated...`)
	if (old > 0) return progressing(`${wait} ${old} old replicas are pending termination...`)
	if (available < updated)
		return progressing(`${wait} ${available} of ${updated} updated replicas are available...`)
	return { status: 'Healthy' }
}

/** @see gitops-engine pkg/health/health_replicaset.go */
export function replicaSetHealth(object: KubeObject): Health {
	const wait = 'Waiting for rollout to finish:'
	if (!isObserved(object))
		return progressing(`${wait} observed replica set generation less than desired generation`)
	const failure = condition(object, 'ReplicaFailure')
	if (textAt(failure, 'status') === 'True') return { status: 'Degraded', message: textAt(failure, 'message') }
	const wanted = numberAt(object, 'spec', 'replicas')
	const available = count(object, 'availableReplicas')
	if (wanted !== undefined && available < wanted)
		return progressing(`${wait} ${available} out of ${wanted} new replicas are available...`)
	return { status: 'Healthy' }
}

/** @see gitops-engine pkg/health/health_daemonset.go */
export function daemonSetHealth(object: KubeObject): Health {
	if (!isObserved(object))
		return progressing(
			'Waiting for rollout to finish: observed daemon set generation less than desired generation',
		)
	const updated = count(object, 'updatedNumberScheduled')
	const desired = count(object, 'desiredNumberScheduled')
	const available = count(object, 'numberAvailable')
	if (textAt(object, 'spec', 'updateStrategy', 'type') === 'OnDelete')
		return {
			status: 'Healthy',
			message: `daemon set ${updated} out of ${desired} new pods have been updated`,
		}
	const wait = `Waiting for daemon set "${object.metadata.name}" rollout to finish:`
	if (updated < desired)
		return progressing(`${wait} ${updated} out of ${desired} new pods have been updated...`)
	if (available < desired)
		return progressing(`${wait} ${available} of ${desired} updated pods are available...`)
	return { status: 'Healthy' }
}

/** @see gitops-engine pkg/health/health_statefulset.go */
export function statefulSetHealth(object: KubeObject): Health {
	if (count(object, 'observedGeneration') === 0 || !isObserved(object))
		return progressing('Waiting for statefulset spec update to be observed...')
	const wanted = numberAt(object, 'spec', 'replicas')
	const ready = count(object, 'readyReplicas')
	const updated = count(object, 'updatedReplicas')
	if (wanted !== undefined && ready < wanted)
		return progressing(`Waiting for ${wanted - ready} pods to be ready...`)
	const strategy = textAt(object, 'spec', 'updateStrategy', 'type')
	const rolling = valueAt(object, 'spec', 'updateStrategy', 'rollingUpdate')
	if (strategy === 'RollingUpdate' && rolling !== undefined) {
		const partition = numberAt(rolling, 'partition')
		if (wanted !== undefined && partition !== undefined && updated < wanted - partition)
			return progressing(
				`Waiting for partitioned roll out to finish: ${updated} out of ${wanted - partition} new pods have been updated...`,
			)
		return {
			status: 'Healthy',
			message: `partitioned roll out complete: ${updated} new pods have been updated...`,
		}
	}
	if (strategy === 'OnDelete') return { status: 'Healthy', message: `statefulset has ${ready} ready pods` }
	const update = textAt(object, 'status', 'updateRevision')
	const current = textAt(object, 'status', 'currentRevision')
	if (update !== current)
		return progressing(
			`waiting for statefulset rolling update to complete ${updated} pods at revision ${update}...`,
		)
	return {
		status: 'Healthy',
		message: `statefulset rolling update complete ${count(object, 'currentReplicas')} pods at revision ${current}...`,
	}
}

/** @see gitops-engine pkg/health/health_job.go */
export function jobHealth(object: KubeObject): Health {
	const failed = condition(object, 'Failed')
	if (failed !== undefined) return { status: 'Degraded', message: textAt(failed, 'message') }
	const suspended = condition(object, 'Suspended')
	if (textAt(suspended, 'status') === 'True')
		return { status: 'Suspended', message: textAt(suspended, 'message') }
	const complete = condition(object, 'Complete') ?? suspended
	return complete === undefined
		? { status: 'Progressing', message: '' }
		: { status: 'Healthy', message: textAt(complete, 'message') }
}
