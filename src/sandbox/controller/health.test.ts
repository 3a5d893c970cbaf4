import { describe, expect, it } from 'vitest'
import type { KubeObject } from '../../cluster/index.ts'
import { applicationHealth } from './application-health.ts'
import { resourceHealth } from './health.ts'
import { isWorse } from './health-status.ts'

function object(type: string, fields: Readonly<Record<string, unknown>>, metadata = {}): KubeObject {
	const [, apiVersion = '', kind = ''] = /^(.*)\/([^/]+)$/.exec(type) ?? []
	return { apiVersion, kind, metadata: { name: 'x', namespace: 'ns', ...metadata }, ...fields }
}

const rollout = (status: object, spec: object = { replicas: 2 }, metadata = { generation: 2 }): KubeObject =>
	object('apps/v1/Deployment', { spec, status: { observedGeneration: 2, ...status } }, metadata)
const pod = (status: object, spec: object = {}): KubeObject => object('v1/Pod', { spec, status })
const condition = (type: string, status: string, more = {}): object => ({ type, status, ...more })

describe('resourceHealth', () => {
	it.each([
		['no kind of its own', object('v1/ConfigMap', {}), undefined],
		[
			'Application',
			object('argoproj.io/v1alpha1/Application', { status: { health: { status: 'Degraded' } } }),
			undefined,
		],
		['Deployment paused', rollout({}, { paused: true }), 'Suspended: Deployment is paused'],
		[
			'Deployment not observed',
			rollout({}, {}, { generation: 3 }),
			'Progressing: Waiting for rollout to finish: observed deployment generation less than desired generation',
		],
		[
			'Deployment too slow',
			rollout({ conditions: [condition('Progressing', 'False', { reason: 'ProgressDeadlineExceeded' })] }),
			'Degraded: Deployment "x" exceeded its progress deadline',
		],
		[
			'Deployment updating',
			rollout({ updatedReplicas: 1 }),
			'Progressing: Waiting for rollout to finish: 1 out of 2 new replicas have been updated...',
		],
		[
			'Deployment with old pods',
			rollout({ replicas: 3, updatedReplicas: 2 }),
			'Progressing: Waiting for rollout to finish: 1 old replicas are pending termination...',
		],
		[
			'Deployment not available',
			rollout({ replicas: 2, updatedReplicas: 2, availableReplicas: 1 }),
			'Progressing: Waiting for rollout to finish: 1 of 2 updated replicas are available...',
		],
		['Deployment done', rollout({ replicas: 2, updatedReplicas: 2, availableReplicas: 2 }), 'Healthy'],
		[
			'ReplicaSet failing',
			object('apps/v1/ReplicaSet', {
				status: { conditions: [condition('ReplicaFailure', 'True', { message: 'quota' })] },
			}),
			'Degraded: quota',
		],
		[
			'ReplicaSet waiting',
			object('apps/v1/ReplicaSet', { spec: { replicas: 2 }, status: { availableReplicas: 1 } }),
			'Progressing: Waiting for rollout to finish: 1 out of 2 new replicas are available...',
		],
		[
			'StatefulSet new',
			object('apps/v1/StatefulSet', {}),
			'Progressing: Waiting for statefulset spec update to be observed...',
		],
		[
			'StatefulSet waiting',
			object('apps/v1/StatefulSet', {
				spec: { replicas: 3 },
				status: { observedGeneration: 1, readyReplicas: 1 },
			}),
			'Progressing: Waiting for 2 pods to be ready...',
		],
		[
			'StatefulSet OnDelete',
			object('apps/v1/StatefulSet', {
				spec: { replicas: 1, updateStrategy: { type: 'OnDelete' } },
				status: { observedGeneration: 1, readyReplicas: 1 },
			}),
			'Healthy: statefulset has 1 ready pods',
		],
		[
			'StatefulSet done',
			object('apps/v1/StatefulSet', {
				spec: { replicas: 1 },
				status: {
					observedGeneration: 1,
					readyReplicas: 1,
					currentReplicas: 1,
					currentRevision: 'r',
					updateRevision: 'r',
				},
			}),
			'Healthy: statefulset rolling update complete 1 pods at revision r...',
		],
		[
			'DaemonSet waiting',
			object('apps/v1/DaemonSet', {
				status: { desiredNumberScheduled: 2, updatedNumberScheduled: 2, numberAvailable: 1 },
			}),
			'Progressing: Waiting for daemon set "x" rollout to finish: 1 of 2 updated pods are available...',
		],
		[
			'DaemonSet done',
			object('apps/v1/DaemonSet', {
				status: { desiredNumberScheduled: 1, updatedNumberScheduled: 1, numberAvailable: 1 },
			}),
			'Healthy',
		],
		['Pod pending', pod({ phase: 'Pending' }), 'Progressing'],
		['Pod ready', pod({ phase: 'Running', conditions: [condition('Ready', 'True')] }), 'Healthy'],
		['Pod not ready', pod({ phase: 'Running' }), 'Progressing'],
		[
			'Pod crashed before',
			pod({ phase: 'Running', containerStatuses: [{ lastState: { terminated: {} } }] }),
			'Degraded',
		],
		[
			'Pod without image',
			pod({
				phase: 'Pending',
				containerStatuses: [{ state: { waiting: { reason: 'ImagePullBackOff', message: 'no image' } } }],
			}),
			'Degraded: no image',
		],
		[
			'Pod to end',
			pod({ phase: 'Running', conditions: [condition('Ready', 'True')] }, { restartPolicy: 'Never' }),
			'Progressing',
		],
		[
			'Pod failed',
			pod(
				{ phase: 'Failed', containerStatuses: [{ name: 'c', state: { terminated: { exitCode: 3 } } }] },
				{ restartPolicy: 'Never' },
			),
			'Degraded: container "c" failed with exit code 3',
		],
		['Pod ended', pod({ phase: 'Succeeded' }), 'Healthy'],
		['Service', object('v1/Service', { spec: { type: 'ClusterIP' } }), 'Healthy'],
		[
			'Service waiting for an address',
			object('v1/Service', { spec: { type: 'LoadBalancer' } }),
			'Progressing',
		],
		[
			'Ingress',
			object('networking.k8s.io/v1/Ingress', { status: { loadBalancer: { ingress: [{ ip: '1.2.3.4' }] } } }),
			'Healthy',
		],
		[
			'PersistentVolumeClaim pending',
			object('v1/PersistentVolumeClaim', { status: { phase: 'Pending' } }),
			'Progressing',
		],
		[
			'PersistentVolumeClaim lost',
			object('v1/PersistentVolumeClaim', { status: { phase: 'Lost' } }),
			'Degraded',
		],
		['Job running', object('batch/v1/Job', { status: {} }), 'Progressing'],
		[
			'Job failed',
			object('batch/v1/Job', {
				status: { conditions: [condition('Failed', 'True', { message: 'backoff' })] },
			}),
			'Degraded: backoff',
		],
		[
			'Job suspended',
			object('batch/v1/Job', {
				status: { conditions: [condition('Suspended', 'True', { message: 'Job suspended' })] },
			}),
			'Suspended: Job suspended',
		],
		[
			'Job complete',
			object('batch/v1/Job', { status: { conditions: [condition('Complete', 'True')] } }),
			'Healthy',
		],
		['CronJob', object('batch/v1/CronJob', { spec: {} }), 'Healthy: CronJob has not been scheduled yet'],
		[
			'HorizontalPodAutoscaler',
			object('autoscaling/v2/HorizontalPodAutoscaler', {}),
			'Progressing: Waiting to Autoscale',
		],
		[
			'HorizontalPodAutoscaler without metrics',
			object('autoscaling/v2/HorizontalPodAutoscaler', {
				status: {
					conditions: [
						condition('AbleToScale', 'True'),
						condition('ScalingActive', 'False', { reason: 'FailedGetResourceMetric', message: 'no metrics' }),
					],
				},
			}),
			'Degraded: no metrics',
		],
		[
			'CustomResourceDefinition',
			object('apiextensions.k8s.io/v1/CustomResourceDefinition', {
				status: { conditions: [condition('Established', 'True')] },
			}),
			'Healthy: CRD is healthy',
		],
		[
			'APIService',
			object('apiregistration.k8s.io/v1/APIService', {
				status: { conditions: [condition('Available', 'True', { reason: 'Local', message: 'ok' })] },
			}),
			'Healthy: Local: ok',
		],
		[
			'going',
			object('v1/ConfigMap', {}, { deletionTimestamp: 'now', finalizers: ['a/b'] }),
			'Progressing: Pending deletion; blocked by finalizers: a/b',
		],
	])('%s', (_, live, expected) => {
		const health = resourceHealth(live)
		const message = (health?.message ?? '') === '' ? '' : `: ${health?.message}`
		expect(health === undefined ? undefined : `${health.status}${message}`).toBe(expected)
	})
})

describe('applicationHealth', () => {
	const healthy = pod({ phase: 'Succeeded' })
	const broken = pod({ phase: 'Failed', message: 'x' })
	const managed = (live: KubeObject | undefined) => ({ target: healthy, live, modified: false })

	it('is the worst of the resources, and names them', () => {
		expect(applicationHealth([managed(healthy), managed(broken)])).toEqual({
			status: 'Degraded',
			message: 'Caused by Pod:ns/x',
		})
	})
	it('is Missing only when nothing is there', () => {
		expect(applicationHealth([managed(undefined)])).toEqual({ status: 'Missing' })
		expect(applicationHealth([managed(undefined), managed(healthy)])).toEqual({ status: 'Healthy' })
		expect(applicationHealth([])).toEqual({ status: 'Healthy' })
	})
	it('orders the words', () => {
		expect(isWorse('Healthy', 'Suspended')).toBe(true)
		expect(isWorse('Degraded', 'Progressing')).toBe(false)
		expect(isWorse('Missing', 'Missing')).toBe(false)
	})
})
