import type { Cluster, KubeObject, ResourceType } from '../../cluster/index.ts'
import { groupOf, listAt, textAt, valueAt, versionOf } from './object-fields.ts'

export type Scope = 'namespaced' | 'cluster'

/** Which kinds a cluster serves. */
export interface Discovery {
	/** `undefined` for a kind that is not served. */
	scopeOf(type: ResourceType): Promise<Scope | undefined>
}

const DEFINITIONS: ResourceType = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition' }

/**
 * Discovery from a table of built-in kinds and the cluster's own CustomResourceDefinitions.
 * @param builtIn the scope of a kind that needs no definition
 */
export function createDiscovery(
	cluster: Cluster,
	builtIn: (type: ResourceType) => Scope | undefined,
): Discovery {
	return {
		async scopeOf(type) {
			const scope = builtIn(type)
			if (scope !== undefined) return scope
			const group = groupOf(type.apiVersion)
			if (!group.includes('.')) return undefined
			const { items } = await cluster.list(DEFINITIONS)
			const definition = items.find(
				(each) =>
					textAt(each, 'spec', 'group') === group &&
					textAt(each, 'spec', 'names', 'kind') === type.kind &&
					isServed(each, versionOf(type.apiVersion)),
			)
			if (definition === undefined) return undefined
			return textAt(definition, 'spec', 'scope') === 'Cluster' ? 'cluster' : 'namespaced'
		},
	}
}

function isServed(definition: KubeObject, version: string): boolean {
	return listAt(definition, 'spec', 'versions').some(
		(each) => textAt(each, 'name') === version && valueAt(each, 'served') !== false,
	)
}

const BUILT_IN: Readonly<Record<string, { readonly namespaced?: string; readonly cluster?: string }>> = {
	v1: {
		namespaced:
			'ConfigMap Endpoints Event LimitRange PersistentVolumeClaim Pod PodTemplate ReplicationController ResourceQuota Secret Service ServiceAccount',
		cluster: 'Namespace Node PersistentVolume',
	},
	'apps/v1': { namespaced: 'ControllerRevision DaemonSet Deployment ReplicaSet StatefulSet' },
	'batch/v1': { namespaced: 'CronJob Job' },
	'autoscaling/v1': { namespaced: 'HorizontalPodAutoscaler' },
	'autoscaling/v2': { namespaced: 'HorizontalPodAutoscaler' },
	'networking.k8s.io/v1': {
		namespaced: 'Ingress NetworkPolicy',
		cluster: 'IngressClass IPAddress ServiceCIDR',
	},
	'policy/v1': { namespaced: 'PodDisruptionBudget' },
	'rbac.authorization.k8s.io/v1': {
		namespaced: 'Role RoleBinding',
		cluster: 'ClusterRole ClusterRoleBinding',
	},
	'storage.k8s.io/v1': {
		namespaced: 'CSIStorageCapacity',
		cluster: 'CSIDriver CSINode StorageClass VolumeAttachment VolumeAttributesClass',
	},
	'scheduling.k8s.io/v1': { cluster: 'PriorityClass' },
	'node.k8s.io/v1': { cluster: 'RuntimeClass' },
	'coordination.k8s.io/v1': { namespaced: 'Lease' },
	'discovery.k8s.io/v1': { namespaced: 'EndpointSlice' },
	'events.k8s.io/v1': { namespaced: 'Event' },
	'admissionregistration.k8s.io/v1': {
		cluster:
			'MutatingWebhookConfiguration ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding ValidatingWebhookConfiguration',
	},
	'apiextensions.k8s.io/v1': { cluster: 'CustomResourceDefinition' },
	'apiregistration.k8s.io/v1': { cluster: 'APIService' },
	'certificates.k8s.io/v1': { cluster: 'CertificateSigningRequest' },
	'flowcontrol.apiserver.k8s.io/v1': { cluster: 'FlowSchema PriorityLevelConfiguration' },
}

/** The kinds of Kubernetes the sandbox serves without a definition. */
export function builtInScope(type: ResourceType): Scope | undefined {
	const kinds = BUILT_IN[type.apiVersion]
	if (kinds?.namespaced?.split(' ').includes(type.kind) === true) return 'namespaced'
	return kinds?.cluster?.split(' ').includes(type.kind) === true ? 'cluster' : undefined
}

/** What Argo CD says of a kind the cluster does not serve. */
export function notServedMessage(type: ResourceType): string {
	if (type.apiVersion === '')
		return "failed to discover server resources for group version : groupVersion shouldn't be empty"
	const version = groupOf(type.apiVersion) === '' ? `/${type.apiVersion}` : type.apiVersion
	return `failed to discover server resources for group version ${version}: the server could not find the requested resource`
}
