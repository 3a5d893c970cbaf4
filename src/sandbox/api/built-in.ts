import type { KubeObject } from '../../cluster/index.ts'
import { convertEvent, convertScaler } from './conversion.ts'
import { type ScalePaths, type ServedResource } from './resource.ts'

interface Options {
	readonly short?: readonly string[]
	readonly all?: true
	readonly cluster?: true
	readonly status?: true
	readonly scale?: true
	readonly more?: readonly string[]
	readonly singular?: string
	readonly category?: string
}

type Row = readonly [kind: string, plural: string, options?: Options]

const WORKLOAD_SCALE: ScalePaths = {
	specReplicas: ['spec', 'replicas'],
	statusReplicas: ['status', 'replicas'],
	selector: ['spec', 'selector'],
}

const STREAMS = [
	'log',
	'exec',
	'attach',
	'portforward',
	'proxy',
	'eviction',
	'binding',
	'ephemeralcontainers',
]

/** The types of Kubernetes that the sandbox serves, by group and version. */
const TABLE: Readonly<Record<string, readonly Row[]>> = {
	v1: [
		['ConfigMap', 'configmaps', { short: ['cm'] }],
		['Endpoints', 'endpoints', { short: ['ep'] }],
		['Event', 'events', { short: ['ev'] }],
		['LimitRange', 'limitranges', { short: ['limits'] }],
		['Namespace', 'namespaces', { short: ['ns'], cluster: true, status: true, more: ['finalize'] }],
		['Node', 'nodes', { short: ['no'], cluster: true, status: true, more: ['proxy'] }],
		['PersistentVolumeClaim', 'persistentvolumeclaims', { short: ['pvc'], status: true }],
		['PersistentVolume', 'persistentvolumes', { short: ['pv'], cluster: true, status: true }],
		['Pod', 'pods', { short: ['po'], all: true, status: true, more: STREAMS }],
		['PodTemplate', 'podtemplates'],
		[
			'ReplicationController',
			'replicationcontrollers',
			{ short: ['rc'], all: true, status: true, scale: true },
		],
		['ResourceQuota', 'resourcequotas', { short: ['quota'], status: true }],
		['Secret', 'secrets'],
		['ServiceAccount', 'serviceaccounts', { short: ['sa'], more: ['token'] }],
		['Service', 'services', { short: ['svc'], all: true, status: true, more: ['proxy'] }],
	],
	'apps/v1': [
		['ControllerRevision', 'controllerrevisions'],
		['DaemonSet', 'daemonsets', { short: ['ds'], all: true, status: true }],
		['Deployment', 'deployments', { short: ['deploy'], all: true, status: true, scale: true }],
		['ReplicaSet', 'replicasets', { short: ['rs'], all: true, status: true, scale: true }],
		['StatefulSet', 'statefulsets', { short: ['sts'], all: true, status: true, scale: true }],
	],
	'batch/v1': [
		['CronJob', 'cronjobs', { short: ['cj'], all: true, status: true }],
		['Job', 'jobs', { all: true, status: true }],
	],
	'autoscaling/v2': [
		['HorizontalPodAutoscaler', 'horizontalpodautoscalers', { short: ['hpa'], all: true, status: true }],
	],
	'autoscaling/v1': [
		['HorizontalPodAutoscaler', 'horizontalpodautoscalers', { short: ['hpa'], all: true, status: true }],
	],
	'networking.k8s.io/v1': [
		['IngressClass', 'ingressclasses', { cluster: true }],
		['Ingress', 'ingresses', { short: ['ing'], status: true }],
		['IPAddress', 'ipaddresses', { short: ['ip'], cluster: true }],
		['NetworkPolicy', 'networkpolicies', { short: ['netpol'] }],
		['ServiceCIDR', 'servicecidrs', { cluster: true, status: true }],
	],
	'policy/v1': [['PodDisruptionBudget', 'poddisruptionbudgets', { short: ['pdb'], status: true }]],
	'rbac.authorization.k8s.io/v1': [
		['ClusterRoleBinding', 'clusterrolebindings', { cluster: true }],
		['ClusterRole', 'clusterroles', { cluster: true }],
		['RoleBinding', 'rolebindings'],
		['Role', 'roles'],
	],
	'storage.k8s.io/v1': [
		['CSIDriver', 'csidrivers', { cluster: true }],
		['CSINode', 'csinodes', { cluster: true }],
		['CSIStorageCapacity', 'csistoragecapacities'],
		['StorageClass', 'storageclasses', { short: ['sc'], cluster: true }],
		['VolumeAttachment', 'volumeattachments', { cluster: true, status: true }],
		['VolumeAttributesClass', 'volumeattributesclasses', { short: ['vac'], cluster: true }],
	],
	'coordination.k8s.io/v1': [['Lease', 'leases']],
	'discovery.k8s.io/v1': [['EndpointSlice', 'endpointslices']],
	'events.k8s.io/v1': [['Event', 'events', { short: ['ev'] }]],
	'admissionregistration.k8s.io/v1': [
		['MutatingWebhookConfiguration', 'mutatingwebhookconfigurations', { cluster: true }],
		['ValidatingAdmissionPolicy', 'validatingadmissionpolicies', { cluster: true, status: true }],
		['ValidatingAdmissionPolicyBinding', 'validatingadmissionpolicybindings', { cluster: true }],
		['ValidatingWebhookConfiguration', 'validatingwebhookconfigurations', { cluster: true }],
	],
	'apiextensions.k8s.io/v1': [
		[
			'CustomResourceDefinition',
			'customresourcedefinitions',
			{ short: ['crd', 'crds'], cluster: true, status: true, category: 'api-extensions' },
		],
	],
	'apiregistration.k8s.io/v1': [
		['APIService', 'apiservices', { cluster: true, status: true, category: 'api-extensions' }],
	],
	'certificates.k8s.io/v1': [
		[
			'CertificateSigningRequest',
			'certificatesigningrequests',
			{ short: ['csr'], cluster: true, status: true, more: ['approval'] },
		],
	],
	'flowcontrol.apiserver.k8s.io/v1': [
		['FlowSchema', 'flowschemas', { cluster: true, status: true }],
		['PriorityLevelConfiguration', 'prioritylevelconfigurations', { cluster: true, status: true }],
	],
	'node.k8s.io/v1': [['RuntimeClass', 'runtimeclasses', { cluster: true }]],
	'scheduling.k8s.io/v1': [['PriorityClass', 'priorityclasses', { short: ['pc'], cluster: true }]],
}

const identity = (object: KubeObject): KubeObject => object

function served(groupVersion: string, [kind, plural, options = {}]: Row): ServedResource {
	const slash = groupVersion.indexOf('/')
	const group = slash === -1 ? '' : groupVersion.slice(0, slash)
	const version = groupVersion.slice(slash + 1)
	const resource: ServedResource = {
		group,
		version,
		kind,
		plural,
		singular: kind.toLowerCase(),
		shortNames: options.short ?? [],
		categories: [...(options.all ? ['all'] : []), ...(options.category ? [options.category] : [])],
		namespaced: options.cluster !== true,
		status: options.status === true,
		scale: options.scale ? WORKLOAD_SCALE : undefined,
		subresources: options.more ?? [],
		storageVersion: version,
		storageKey: `${group}/${plural}`,
		custom: undefined,
		decode: identity,
		encode: identity,
	}
	if (groupVersion === 'events.k8s.io/v1') return { ...resource, storageKey: '/events', ...convertEvent }
	if (groupVersion === 'autoscaling/v1') return { ...resource, storageVersion: 'v2', ...convertScaler }
	return resource
}

export const builtInResources: readonly ServedResource[] = Object.entries(TABLE).flatMap(
	([groupVersion, rows]) => rows.map((row) => served(groupVersion, row)),
)
