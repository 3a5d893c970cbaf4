import type { KubeObject } from '../../../cluster/index.ts'
import { at, listAt, textAt } from '../fields.ts'
import { builtIn, setCondition, setStatus, type Condition } from './ownership.ts'
import type { Controller, ControllerContext } from './runtime.ts'

const API_SERVICES = 'apiregistration.k8s.io/apiservices'
const SERVICES = '/services'
const SLICES = 'discovery.k8s.io/endpointslices'

/**
 * APIServices count as available once a pod stands behind their Service. Nobody answers
 * there: the resources they would add are not served.
 */
export function apiServiceController({ api }: ControllerContext): Controller {
	return {
		affected: ({ key, object, type }) => {
			if (key === API_SERVICES) return type === 'DELETED' ? [] : [{ name: object.metadata.name }]
			if (key !== SERVICES && key !== SLICES) return []
			const { namespace, name, labels } = object.metadata
			const service = key === SERVICES ? name : labels?.['kubernetes.io/service-name']
			return api.store
				.list(API_SERVICES)
				.filter((each) => textAt(each, 'spec', 'service', 'name') === service)
				.filter((each) => textAt(each, 'spec', 'service', 'namespace') === namespace)
				.map(({ metadata }) => ({ name: metadata.name }))
		},
		reconcile: (key) => {
			const object = api.store.get(API_SERVICES, key)
			if (object === undefined) return
			const conditions = setCondition(listAt(object, 'status', 'conditions'), availability(object), {
				time: api.time(),
			})
			setStatus(api, builtIn(api, API_SERVICES), { object, status: { conditions } })
		},
	}

	function availability(object: KubeObject): Condition {
		const service = at(object, 'spec', 'service')
		const type = 'Available'
		if (service === undefined)
			return { type, status: 'True', reason: 'Local', message: 'Local APIServices are always available' }
		const namespace = textAt(service, 'namespace') ?? 'default'
		const name = textAt(service, 'name') ?? ''
		if (api.store.get(SERVICES, { namespace, name }) === undefined) {
			const message = `service/${name} in "${namespace}" is not present`
			return { type, status: 'False', reason: 'ServiceNotFound', message }
		}
		const ready = api.store
			.list(SLICES, namespace)
			.filter(({ metadata }) => metadata.labels?.['kubernetes.io/service-name'] === name)
			.some((slice) =>
				listAt(slice, 'endpoints').some((endpoint) => at(endpoint, 'conditions', 'ready') === true),
			)
		if (!ready) {
			const message = `endpoints for service/${name} in "${namespace}" have no addresses`
			return { type, status: 'False', reason: 'MissingEndpoints', message }
		}
		const message = 'sandbox: counts as passed, nobody was asked'
		return { type, status: 'True', reason: 'Passed', message }
	}
}
