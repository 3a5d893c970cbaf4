import { at } from '../fields.ts'
import { noteRevision } from './controller-revision.ts'
import {
	builtIn,
	isReady,
	keyOf,
	ownedBy,
	ownOrChild,
	podFrom,
	PODS,
	setStatus,
	templateHash,
} from './ownership.ts'
import type { Controller, ControllerContext } from './runtime.ts'

const DAEMON_SETS = 'apps/daemonsets'
const REVISION = 'controller-revision-hash'
const COMPONENT = 'sandbox-daemonset-controller'

/** DaemonSets own one pod on the one node. */
export function daemonSetController({ api, events }: ControllerContext): Controller {
	return {
		affected: (event) => ownOrChild(event, { own: DAEMON_SETS, kind: 'DaemonSet', children: PODS }),
		reconcile: (key) => {
			const set = api.store.get(DAEMON_SETS, key)
			if (set === undefined) return
			const template = at(set, 'spec', 'template')
			const revision = templateHash(template)
			const pods = ownedBy(api, PODS, set)
			const current = pods.filter((pod) => pod.metadata.labels?.[REVISION] === revision)
			if (set.metadata.deletionTimestamp === undefined) {
				noteRevision(api, set, { name: `${set.metadata.name}-${revision}`, hash: revision })
				if (pods.length === 0) {
					const labels = {
						[REVISION]: revision,
						'pod-template-generation': String(set.metadata.generation ?? 1),
					}
					const pod = podFrom(set, template, { metadata: { generateName: `${set.metadata.name}-`, labels } })
					const made = api.create(builtIn(api, PODS), pod, {
						namespace: set.metadata.namespace,
						unowned: true,
					})
					const message = `Created pod: ${made.metadata.name}`
					events.record(set, { type: 'Normal', reason: 'SuccessfulCreate', message, component: COMPONENT })
				}
				const surplus = [...pods.filter((pod) => !current.includes(pod)), ...current.slice(1)]
				for (const pod of surplus) {
					if (pod.metadata.deletionTimestamp === undefined) api.delete(builtIn(api, PODS), keyOf(pod))
				}
			}
			const ready = pods.filter(isReady).length
			setStatus(api, builtIn(api, DAEMON_SETS), {
				object: set,
				status: {
					currentNumberScheduled: Math.min(pods.length, 1),
					desiredNumberScheduled: 1,
					numberMisscheduled: 0,
					numberReady: ready,
					...(ready > 0 && { numberAvailable: ready }),
					...(ready === 0 && { numberUnavailable: 1 }),
					...(current.length > 0 && { updatedNumberScheduled: current.length }),
					observedGeneration: set.metadata.generation,
				},
			})
		},
	}
}
