import type { KubeObject } from '../../cluster/index.ts'
import { at, fieldsAt, fieldsOf, isFields, listAt, textAt, type Fields } from './fields.ts'

type Defaulting = (object: KubeObject) => KubeObject

/** `value` over `fallback`: fields that are absent are filled in. */
function fill(value: unknown, fallback: Fields): Fields {
	return { ...fallback, ...fieldsOf(value) }
}

function container(value: unknown): Fields {
	const image = textAt(value, 'image') ?? ''
	const pull = image.includes('@') || !/(^|\/)[^/:]+(:latest)?$/.test(image) ? 'IfNotPresent' : 'Always'
	const filled: Record<string, unknown> = fill(value, {
		imagePullPolicy: pull,
		resources: {},
		terminationMessagePath: '/dev/termination-log',
		terminationMessagePolicy: 'File',
	})
	if (Array.isArray(filled['ports'])) {
		filled['ports'] = filled['ports'].map((port) => fill(port, { protocol: 'TCP' }))
	}
	for (const name of ['livenessProbe', 'readinessProbe', 'startupProbe']) {
		if (isFields(filled[name])) filled[name] = probe(filled[name])
	}
	if (Array.isArray(filled['env'])) filled['env'] = filled['env'].map(environmentVariable)
	return filled
}

function probe(value: unknown): Fields {
	const filled: Record<string, unknown> = fill(value, {
		timeoutSeconds: 1,
		periodSeconds: 10,
		successThreshold: 1,
		failureThreshold: 3,
	})
	if (isFields(filled['httpGet'])) filled['httpGet'] = fill(filled['httpGet'], { path: '/', scheme: 'HTTP' })
	return filled
}

function environmentVariable(value: unknown): unknown {
	const reference = at(value, 'valueFrom', 'fieldRef')
	if (!isFields(reference)) return value
	return {
		...fieldsOf(value),
		valueFrom: { ...fieldsAt(value, 'valueFrom'), fieldRef: fill(reference, { apiVersion: 'v1' }) },
	}
}

function volume(value: unknown): unknown {
	const filled: Record<string, unknown> = { ...fieldsOf(value) }
	for (const kind of ['configMap', 'secret', 'downwardAPI', 'projected']) {
		if (isFields(filled[kind])) filled[kind] = fill(filled[kind], { defaultMode: 420 })
	}
	if (isFields(filled['hostPath'])) filled['hostPath'] = fill(filled['hostPath'], { type: '' })
	return filled
}

/** A PodSpec with what the API fills in. */
function defaultPodSpec(value: unknown): Fields {
	const filled: Record<string, unknown> = fill(value, {
		restartPolicy: 'Always',
		terminationGracePeriodSeconds: 30,
		dnsPolicy: 'ClusterFirst',
		securityContext: {},
		schedulerName: 'default-scheduler',
	})
	for (const list of ['containers', 'initContainers']) {
		if (Array.isArray(filled[list])) filled[list] = filled[list].map(container)
	}
	if (Array.isArray(filled['volumes'])) filled['volumes'] = filled['volumes'].map(volume)
	const account = textAt(filled, 'serviceAccountName') ?? textAt(filled, 'serviceAccount')
	if (account) Object.assign(filled, { serviceAccountName: account, serviceAccount: account })
	return filled
}

function template(value: unknown): Fields {
	const { metadata, spec, ...rest } = fieldsOf(value)
	return { ...rest, metadata: { ...fieldsOf(metadata) }, spec: defaultPodSpec(spec) }
}

function withSpec(object: KubeObject, spec: Fields): KubeObject {
	return { ...object, spec }
}

function deployment(object: KubeObject): KubeObject {
	const spec: Record<string, unknown> = fill(object['spec'], {
		replicas: 1,
		revisionHistoryLimit: 10,
		progressDeadlineSeconds: 600,
	})
	const strategy = fill(spec['strategy'], { type: 'RollingUpdate' })
	spec['strategy'] =
		strategy['type'] === 'RollingUpdate'
			? {
					...strategy,
					rollingUpdate: fill(strategy['rollingUpdate'], { maxSurge: '25%', maxUnavailable: '25%' }),
				}
			: strategy
	spec['template'] = template(spec['template'])
	return withSpec(object, spec)
}

function statefulSet(object: KubeObject): KubeObject {
	const spec: Record<string, unknown> = fill(object['spec'], {
		replicas: 1,
		revisionHistoryLimit: 10,
		podManagementPolicy: 'OrderedReady',
		persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain' },
	})
	const strategy = fill(spec['updateStrategy'], { type: 'RollingUpdate' })
	spec['updateStrategy'] =
		strategy['type'] === 'RollingUpdate'
			? { ...strategy, rollingUpdate: fill(strategy['rollingUpdate'], { partition: 0 }) }
			: strategy
	spec['template'] = template(spec['template'])
	if (Array.isArray(spec['volumeClaimTemplates'])) {
		spec['volumeClaimTemplates'] = spec['volumeClaimTemplates'].map((claim: unknown) => ({
			...fieldsOf(claim),
			apiVersion: 'v1',
			kind: 'PersistentVolumeClaim',
			spec: fill(at(claim, 'spec'), { volumeMode: 'Filesystem' }),
			status: { phase: 'Pending' },
		}))
	}
	return withSpec(object, spec)
}

function daemonSet(object: KubeObject): KubeObject {
	const spec: Record<string, unknown> = fill(object['spec'], { revisionHistoryLimit: 10 })
	const strategy = fill(spec['updateStrategy'], { type: 'RollingUpdate' })
	spec['updateStrategy'] =
		strategy['type'] === 'RollingUpdate'
			? { ...strategy, rollingUpdate: fill(strategy['rollingUpdate'], { maxSurge: 0, maxUnavailable: 1 }) }
			: strategy
	spec['template'] = template(spec['template'])
	return withSpec(object, spec)
}

function replicaSet(object: KubeObject): KubeObject {
	const spec = fill(object['spec'], { replicas: 1 })
	return withSpec(object, { ...spec, template: template(spec['template']) })
}

function jobSpec(value: unknown, uid: string | undefined): Fields {
	const spec: Record<string, unknown> = fill(value, {
		parallelism: 1,
		completions: 1,
		backoffLimit: 6,
		completionMode: 'NonIndexed',
		suspend: false,
		manualSelector: false,
		podReplacementPolicy: 'TerminatingOrFailed',
	})
	spec['template'] = template(spec['template'])
	if (uid !== undefined && spec['selector'] === undefined) {
		spec['selector'] = { matchLabels: { 'batch.kubernetes.io/controller-uid': uid } }
	}
	return spec
}

function job(object: KubeObject): KubeObject {
	const { uid, name } = object.metadata
	const spec = jobSpec(object['spec'], uid)
	if (uid === undefined || spec['manualSelector'] === true) return withSpec(object, spec)
	const labels = {
		'batch.kubernetes.io/controller-uid': uid,
		'batch.kubernetes.io/job-name': name,
		'controller-uid': uid,
		'job-name': name,
	}
	const metadata = fieldsAt(spec, 'template', 'metadata')
	const labelled = { ...metadata, labels: { ...fieldsAt(metadata, 'labels'), ...labels } }
	return withSpec(object, { ...spec, template: { ...fieldsAt(spec, 'template'), metadata: labelled } })
}

function cronJob(object: KubeObject): KubeObject {
	const spec = fill(object['spec'], {
		concurrencyPolicy: 'Allow',
		suspend: false,
		successfulJobsHistoryLimit: 3,
		failedJobsHistoryLimit: 1,
	})
	const inner = fieldsAt(spec, 'jobTemplate', 'spec')
	const jobTemplate = {
		...fieldsAt(spec, 'jobTemplate'),
		spec: { ...inner, template: template(inner['template']) },
	}
	return withSpec(object, { ...spec, jobTemplate })
}

function service(object: KubeObject): KubeObject {
	const spec: Record<string, unknown> = fill(object['spec'], {
		type: 'ClusterIP',
		sessionAffinity: 'None',
		internalTrafficPolicy: 'Cluster',
	})
	if (Array.isArray(spec['ports'])) {
		spec['ports'] = spec['ports'].map((port: unknown) =>
			fill(port, { protocol: 'TCP', targetPort: at(port, 'port') }),
		)
	}
	if (spec['type'] === 'NodePort' || spec['type'] === 'LoadBalancer') {
		spec['externalTrafficPolicy'] ??= 'Cluster'
		if (spec['type'] === 'LoadBalancer') spec['allocateLoadBalancerNodePorts'] ??= true
	}
	if (spec['type'] === 'ExternalName') delete spec['internalTrafficPolicy']
	else {
		spec['ipFamilies'] ??= ['IPv4']
		spec['ipFamilyPolicy'] ??= 'SingleStack'
	}
	return { ...object, spec, status: fill(object['status'], { loadBalancer: {} }) }
}

/** `stringData` becomes `data`; an absent type is `Opaque`. */
function secret(object: KubeObject): KubeObject {
	const { stringData, ...rest } = object
	const texts = Object.entries(fieldsOf(stringData)).map(
		([key, value]) => [key, Buffer.from(String(value)).toString('base64')] as const,
	)
	return {
		...(rest as KubeObject),
		type: textAt(object, 'type') ?? 'Opaque',
		...(texts.length > 0 && { data: { ...fieldsAt(object, 'data'), ...Object.fromEntries(texts) } }),
	}
}

function namespace(object: KubeObject): KubeObject {
	const { metadata } = object
	const labels = { ...metadata.labels, 'kubernetes.io/metadata.name': metadata.name }
	return {
		...object,
		metadata: { ...metadata, labels },
		spec: fill(object['spec'], { finalizers: ['kubernetes'] }),
		status: fill(object['status'], { phase: 'Active' }),
	}
}

function definition(object: KubeObject): KubeObject {
	const spec = fill(object['spec'], { conversion: { strategy: 'None' } })
	const names = fieldsAt(spec, 'names')
	const kind = textAt(names, 'kind') ?? ''
	return withSpec(object, {
		...spec,
		names: fill(names, { listKind: `${kind}List`, singular: kind.toLowerCase() }),
	})
}

function roleBinding(object: KubeObject): KubeObject {
	const subjects = listAt(object, 'subjects').map((subject) =>
		textAt(subject, 'kind') === 'ServiceAccount'
			? fieldsOf(subject)
			: fill(subject, { apiGroup: 'rbac.authorization.k8s.io' }),
	)
	return {
		...object,
		...(subjects.length > 0 && { subjects }),
		roleRef: fill(object['roleRef'], { apiGroup: 'rbac.authorization.k8s.io' }),
	}
}

function claim(object: KubeObject): KubeObject {
	const spec = fill(object['spec'], { volumeMode: 'Filesystem' })
	return { ...object, spec, status: fill(object['status'], { phase: 'Pending' }) }
}

const DEFAULTS: Readonly<Record<string, Defaulting>> = {
	'/pods': (object) => {
		const spec = defaultPodSpec(object['spec'])
		return withSpec(
			object,
			fill(spec, {
				enableServiceLinks: true,
				preemptionPolicy: 'PreemptLowerPriority',
				priority: 0,
				serviceAccountName: 'default',
				serviceAccount: 'default',
			}),
		)
	},
	'/services': service,
	'/secrets': secret,
	'/namespaces': namespace,
	'/persistentvolumeclaims': claim,
	'apps/deployments': deployment,
	'apps/statefulsets': statefulSet,
	'apps/daemonsets': daemonSet,
	'apps/replicasets': replicaSet,
	'batch/jobs': job,
	'batch/cronjobs': cronJob,
	'apiextensions.k8s.io/customresourcedefinitions': definition,
	'rbac.authorization.k8s.io/rolebindings': roleBinding,
	'rbac.authorization.k8s.io/clusterrolebindings': roleBinding,
	'networking.k8s.io/networkpolicies': (object) =>
		withSpec(
			object,
			fill(object['spec'], {
				policyTypes: at(object, 'spec', 'egress') === undefined ? ['Ingress'] : ['Ingress', 'Egress'],
			}),
		),
	'autoscaling/horizontalpodautoscalers': (object) =>
		withSpec(object, fill(object['spec'], { minReplicas: 1 })),
	'storage.k8s.io/storageclasses': (object) =>
		fill(object, { reclaimPolicy: 'Delete', volumeBindingMode: 'Immediate' }) as KubeObject,
}

/** Fills in what the API fills in for a built-in type, as far as diffs and tables show it. */
export function applyDefaults(storageKey: string, object: KubeObject): KubeObject {
	return DEFAULTS[storageKey]?.(object) ?? object
}
