import type { KubeObject } from '../../../cluster/index.ts'
import { at, listAt, textAt, textsAt } from '../fields.ts'
import { builtIn, isReady, keyOf, NODE, ownerReference, PODS } from './ownership.ts'
import type { Controller, ControllerContext } from './runtime.ts'

const SERVICES = '/services'
const SLICES = 'discovery.k8s.io/endpointslices'

/** An EndpointSlice for each Service with a selector: the addresses of its pods. */
export function endpointSliceController({ api }: ControllerContext): Controller {
	return {
		affected: ({ key, object, previous }) => {
			if (key === SERVICES) return [keyOf(object)]
			if (key !== PODS) return []
			return api.store
				.list(SERVICES, object.metadata.namespace)
				.filter(
					(service) => selects(service, object) || (previous !== undefined && selects(service, previous)),
				)
				.map(keyOf)
		},
		reconcile: (key) => {
			const service = api.store.get(SERVICES, key)
			if (service === undefined || Object.keys(textsAt(service, 'spec', 'selector')).length === 0) return
			if (service.metadata.deletionTimestamp !== undefined) return
			publish(service)
		},
	}

	function publish(service: KubeObject): void {
		const { name, namespace } = service.metadata
		const pods = api.store
			.list(PODS, namespace)
			.filter((pod) => selects(service, pod) && textAt(pod, 'status', 'podIP'))
		const endpoints = pods.map((pod) => ({
			addresses: [textAt(pod, 'status', 'podIP') ?? ''],
			conditions: {
				ready: isReady(pod),
				serving: isReady(pod),
				terminating: pod.metadata.deletionTimestamp !== undefined,
			},
			nodeName: NODE,
			targetRef: { kind: 'Pod', name: pod.metadata.name, namespace, uid: pod.metadata.uid },
		}))
		const ports = listAt(service, 'spec', 'ports').map((port) => ({
			name: textAt(port, 'name') ?? '',
			port: targetPort(port, pods[0]),
			protocol: textAt(port, 'protocol') ?? 'TCP',
		}))
		const sliceName = `${name}-sandbox`
		const resource = builtIn(api, SLICES)
		const live = api.store.get(SLICES, { namespace, name: sliceName })
		if (live) {
			api.amend(resource, keyOf(live), (slice) => ({ ...slice, endpoints, ports }))
			return
		}
		const metadata = {
			name: sliceName,
			labels: {
				'kubernetes.io/service-name': name,
				'endpointslice.kubernetes.io/managed-by': 'sandbox-endpointslice-controller',
			},
			ownerReferences: [ownerReference(service)],
		}
		api.create(resource, { metadata, addressType: 'IPv4', endpoints, ports }, { namespace, unowned: true })
	}
}

function selects(service: KubeObject, pod: KubeObject): boolean {
	const selector = Object.entries(textsAt(service, 'spec', 'selector'))
	return selector.length > 0 && selector.every(([key, value]) => pod.metadata.labels?.[key] === value)
}

/** A named target port is looked up in the pod. */
function targetPort(port: unknown, pod: KubeObject | undefined): number | undefined {
	const target = at(port, 'targetPort') ?? at(port, 'port')
	if (typeof target === 'number') return target
	const ports = listAt(pod, 'spec', 'containers').flatMap((container) => listAt(container, 'ports'))
	const number = at(
		ports.find((each) => at(each, 'name') === target),
		'containerPort',
	)
	return typeof number === 'number' ? number : undefined
}
