import type { KubeObject } from '../../../cluster/index.ts'
import { at, fieldsAt, listAt, textAt } from '../fields.ts'
import { builtIn, keyOf, setCondition, setStatus } from './ownership.ts'
import type { Controller, ControllerContext } from './runtime.ts'

const HOST = 'lading-sandbox.invalid'

/**
 * What a cluster gets from around it, as far as health depends on it: addresses of
 * load balancers, bound volumes, an autoscaler that can scale.
 */
export function outsideWorldController({ api }: ControllerContext): Controller {
	const statuses: Readonly<
		Record<string, (object: KubeObject) => Readonly<Record<string, unknown>> | undefined>
	> = {
		'/services': (service) => {
			const wants =
				textAt(service, 'spec', 'type') === 'LoadBalancer' &&
				listAt(service, 'status', 'loadBalancer', 'ingress').length === 0
			return wants ? { loadBalancer: { ingress: [{ hostname: HOST }] } } : undefined
		},
		'networking.k8s.io/ingresses': (ingress) =>
			listAt(ingress, 'status', 'loadBalancer', 'ingress').length > 0
				? undefined
				: { loadBalancer: { ingress: [{ hostname: HOST }] } },
		'/persistentvolumeclaims': (claim) =>
			textAt(claim, 'status', 'phase') === 'Bound'
				? undefined
				: {
						phase: 'Bound',
						accessModes: listAt(claim, 'spec', 'accessModes'),
						capacity: fieldsAt(claim, 'spec', 'resources', 'requests'),
					},
		'autoscaling/horizontalpodautoscalers': (scaler) => {
			if (at(scaler, 'status', 'conditions') !== undefined) return undefined
			const message = 'the lading sandbox measures nothing and scales nothing'
			const condition = { type: 'AbleToScale', status: 'True', reason: 'Sandbox', message } as const
			return {
				currentReplicas: 0,
				desiredReplicas: 0,
				conditions: setCondition([], condition, { time: api.time() }),
			}
		},
	}
	return {
		affected: ({ key, object, type }) =>
			type !== 'DELETED' && Object.hasOwn(statuses, key)
				? [{ namespace: `${key} ${object.metadata.namespace ?? ''}`, name: object.metadata.name }]
				: [],
		reconcile: ({ namespace: place = '', name }) => {
			const [storageKey = '', namespace] = place.split(' ')
			const object = api.store.get(storageKey, { namespace, name })
			const status = object && statuses[storageKey]?.(object)
			if (object === undefined || status === undefined) return
			setStatus(api, builtIn(api, storageKey), {
				object: { ...object, metadata: { ...object.metadata, ...keyOf(object) } },
				status,
			})
		},
	}
}
