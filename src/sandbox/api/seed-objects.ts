import type { Fields } from './fields.ts'
import type { ObjectApi } from './object-api.ts'
import { SANDBOX_VERSION } from './version.ts'

const NODE = 'lading-sandbox'

const anything = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }

interface ArgoType {
	readonly kind: string
	readonly plural: string
	readonly shortNames: readonly string[]
	readonly hasSpec: readonly string[]
	readonly columns: readonly Fields[]
	readonly subresources: Fields
}

const ARGO_TYPES: readonly ArgoType[] = [
	{
		kind: 'Application',
		plural: 'applications',
		shortNames: ['app', 'apps'],
		hasSpec: ['metadata', 'spec'],
		columns: [
			{ name: 'Sync Status', type: 'string', jsonPath: '.status.sync.status' },
			{ name: 'Health Status', type: 'string', jsonPath: '.status.health.status' },
			{ name: 'Revision', type: 'string', priority: 10, jsonPath: '.status.sync.revision' },
			{ name: 'Project', type: 'string', priority: 10, jsonPath: '.spec.project' },
		],
		subresources: {},
	},
	{
		kind: 'AppProject',
		plural: 'appprojects',
		shortNames: ['appproj', 'appprojs'],
		hasSpec: ['metadata', 'spec'],
		columns: [],
		subresources: {},
	},
	{
		kind: 'ApplicationSet',
		plural: 'applicationsets',
		shortNames: ['appset', 'appsets'],
		hasSpec: ['metadata', 'spec'],
		columns: [],
		subresources: { status: {} },
	},
]

function argoDefinition({ kind, plural, shortNames, hasSpec, columns, subresources }: ArgoType): Fields {
	const singular = kind.toLowerCase()
	const properties = {
		spec: anything,
		status: anything,
		...(kind === 'Application' && { operation: anything }),
	}
	return {
		apiVersion: 'apiextensions.k8s.io/v1',
		kind: 'CustomResourceDefinition',
		metadata: {
			name: `${plural}.argoproj.io`,
			labels: { 'app.kubernetes.io/name': `${plural}.argoproj.io`, 'app.kubernetes.io/part-of': 'argocd' },
		},
		spec: {
			group: 'argoproj.io',
			names: { kind, listKind: `${kind}List`, plural, singular, shortNames },
			scope: 'Namespaced',
			versions: [
				{
					name: 'v1alpha1',
					served: true,
					storage: true,
					...(columns.length > 0 && { additionalPrinterColumns: columns }),
					schema: { openAPIV3Schema: { type: 'object', required: hasSpec, properties } },
					subresources,
				},
			],
		},
	}
}

function namespace(name: string): Fields {
	return { apiVersion: 'v1', kind: 'Namespace', metadata: { name } }
}

function argoConfig(name: string): Fields {
	const labels = { 'app.kubernetes.io/name': name, 'app.kubernetes.io/part-of': 'argocd' }
	return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'argocd', labels } }
}

const resources = { cpu: '4', memory: '8Gi', pods: '500', 'ephemeral-storage': '10Gi' }

function node(time: string): Fields {
	const healthy = { lastHeartbeatTime: time, lastTransitionTime: time }
	return {
		apiVersion: 'v1',
		kind: 'Node',
		metadata: {
			name: NODE,
			labels: {
				'kubernetes.io/hostname': NODE,
				'kubernetes.io/os': 'linux',
				'kubernetes.io/arch': 'amd64',
				'node-role.kubernetes.io/sandbox': '',
			},
		},
		spec: { providerID: 'lading://sandbox' },
		status: {
			addresses: [
				{ type: 'InternalIP', address: '127.0.0.1' },
				{ type: 'Hostname', address: NODE },
			],
			allocatable: resources,
			capacity: resources,
			conditions: [
				{
					type: 'Ready',
					status: 'True',
					reason: 'KubeletReady',
					message: 'the lading sandbox is ready; no container runs here',
					...healthy,
				},
			],
			nodeInfo: {
				architecture: 'amd64',
				operatingSystem: 'linux',
				osImage: 'lading sandbox',
				kernelVersion: 'sandbox',
				kubeletVersion: SANDBOX_VERSION.gitVersion,
				kubeProxyVersion: '',
				containerRuntimeVersion: 'sandbox://0',
				machineID: '',
				systemUUID: '',
				bootID: '',
			},
		},
	}
}

const project: Fields = {
	apiVersion: 'argoproj.io/v1alpha1',
	kind: 'AppProject',
	metadata: { name: 'default', namespace: 'argocd' },
	spec: {
		clusterResourceWhitelist: [{ group: '*', kind: '*' }],
		destinations: [{ namespace: '*', server: '*' }],
		sourceRepos: ['*'],
	},
}

const kubernetesService: Fields = {
	apiVersion: 'v1',
	kind: 'Service',
	metadata: {
		name: 'kubernetes',
		namespace: 'default',
		labels: { component: 'apiserver', provider: 'kubernetes' },
	},
	spec: { clusterIP: '10.96.0.1', ports: [{ name: 'https', port: 443, protocol: 'TCP', targetPort: 6443 }] },
}

/** Makes what a cluster with Argo CD has from the start, where it is not there yet. */
export function seed(api: ObjectApi): void {
	const objects: readonly Fields[] = [
		...['default', 'kube-system', 'kube-public', 'argocd'].map(namespace),
		node(api.time()),
		kubernetesService,
		...ARGO_TYPES.map(argoDefinition),
		project,
		argoConfig('argocd-cm'),
		argoConfig('argocd-tls-certs-cm'),
	]
	for (const object of objects) {
		const { apiVersion, kind, metadata } = object as {
			apiVersion: string
			kind: string
			metadata: { name: string; namespace?: string }
		}
		const resource = api.catalog.ofKind(apiVersion, kind)
		if (resource === undefined || api.store.get(resource.storageKey, metadata)) continue
		api.create(resource, object, { namespace: metadata.namespace, unowned: true })
	}
}
