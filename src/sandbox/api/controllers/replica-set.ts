import type { KubeObject } from '../../../cluster/index.ts'
import { numberAt } from '../fields.ts'
import {
	builtIn,
	isActive,
	isReady,
	keyOf,
	ownedBy,
	MAX_PODS,
	ownOrChild,
	podFrom,
	PODS,
	setStatus,
} from './ownership.ts'
import type { Controller, ControllerContext } from './runtime.ts'

const REPLICA_SETS = 'apps/replicasets'
const COMPONENT = 'sandbox-replicaset-controller'

/** ReplicaSets own as many pods as they say. */
export function replicaSetController(context: ControllerContext): Controller {
	const { api } = context
	return {
		affected: (event) => ownOrChild(event, { own: REPLICA_SETS, kind: 'ReplicaSet', children: PODS }),
		reconcile: (key) => {
			const set = api.store.get(REPLICA_SETS, key)
			if (set === undefined) return
			if (set.metadata.deletionTimestamp === undefined) matchReplicas(context, set)
			writeStatus(context, set)
		},
	}
}

function matchReplicas({ api, events }: ControllerContext, set: KubeObject): void {
	const active = ownedBy(api, PODS, set).filter(isActive)
	const wanted = Math.min(numberAt(set, 'spec', 'replicas') ?? 1, MAX_PODS)
	for (let count = active.length; count < wanted; count++) {
		const pod = podFrom(set, set['spec'] && (set['spec'] as { readonly template?: unknown }).template, {
			metadata: { generateName: `${set.metadata.name}-` },
		})
		const made = api.create(builtIn(api, PODS), pod, { namespace: set.metadata.namespace, unowned: true })
		const message = `Created pod: ${made.metadata.name}`
		events.record(set, { type: 'Normal', reason: 'SuccessfulCreate', message, component: COMPONENT })
	}
	const surplus = active
		.toSorted((a, b) => Number(isReady(a)) - Number(isReady(b)))
		.slice(0, Math.max(0, active.length - wanted))
	for (const pod of surplus) {
		api.delete(builtIn(api, PODS), keyOf(pod))
		const message = `Deleted pod: ${pod.metadata.name}`
		events.record(set, { type: 'Normal', reason: 'SuccessfulDelete', message, component: COMPONENT })
	}
}

function writeStatus({ api }: ControllerContext, set: KubeObject): void {
	const active = ownedBy(api, PODS, set).filter(isActive)
	const ready = active.filter(isReady).length
	setStatus(api, builtIn(api, REPLICA_SETS), {
		object: set,
		status: {
			replicas: active.length,
			...(active.length > 0 && { fullyLabeledReplicas: active.length }),
			...(ready > 0 && { readyReplicas: ready, availableReplicas: ready }),
			observedGeneration: set.metadata.generation,
		},
	})
}
