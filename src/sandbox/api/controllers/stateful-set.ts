import type { KubeObject } from '../../../cluster/index.ts'
import { at, fieldsOf, listAt, numberAt, textAt } from '../fields.ts'
import { noteRevision } from './controller-revision.ts'
import {
	builtIn,
	isReady,
	keyOf,
	ownedBy,
	MAX_PODS,
	ownOrChild,
	podFrom,
	PODS,
	setStatus,
	templateHash,
} from './ownership.ts'
import type { Controller, ControllerContext } from './runtime.ts'

const STATEFUL_SETS = 'apps/statefulsets'
const REVISION = 'controller-revision-hash'
const COMPONENT = 'sandbox-statefulset-controller'

/** StatefulSets own pods with numbers: made upwards, replaced and removed downwards. */
export function statefulSetController(context: ControllerContext): Controller {
	const { api } = context
	return {
		affected: (event) => ownOrChild(event, { own: STATEFUL_SETS, kind: 'StatefulSet', children: PODS }),
		reconcile: (key) => {
			const set = api.store.get(STATEFUL_SETS, key)
			if (set === undefined) return
			const hash = templateHash(at(set, 'spec', 'template'))
			const revision = `${set.metadata.name}-${hash}`
			if (set.metadata.deletionTimestamp === undefined) {
				noteRevision(api, set, { name: revision, hash })
				step(context, set, revision)
			}
			writeStatus(context, set, revision)
		},
	}
}

function ordinalOf(pod: KubeObject): number {
	return Number(/-(\d+)$/.exec(pod.metadata.name)?.[1] ?? -1)
}

function step(context: ControllerContext, set: KubeObject, revision: string): void {
	const { api } = context
	const pods = new Map(ownedBy(api, PODS, set).map((pod) => [ordinalOf(pod), pod]))
	const replicas = Math.min(numberAt(set, 'spec', 'replicas') ?? 1, MAX_PODS)
	const parallel = textAt(set, 'spec', 'podManagementPolicy') === 'Parallel'
	for (let ordinal = 0; ordinal < replicas; ordinal++) {
		const pod = pods.get(ordinal)
		if (pod === undefined) create(context, set, { ordinal, revision })
		if (!parallel && (pod === undefined || !isReady(pod))) return
	}
	const surplus = [...pods].filter(([ordinal]) => ordinal >= replicas).sort(([a], [b]) => b - a)
	for (const [, pod] of surplus) {
		remove(context, pod)
		if (!parallel) return
	}
	if (textAt(set, 'spec', 'updateStrategy', 'type') === 'OnDelete') return
	const partition = numberAt(set, 'spec', 'updateStrategy', 'rollingUpdate', 'partition') ?? 0
	const outdated = [...pods]
		.filter(([ordinal, pod]) => ordinal >= partition && pod.metadata.labels?.[REVISION] !== revision)
		.sort(([a], [b]) => b - a)
	if (outdated[0]) remove(context, outdated[0][1])
}

function create(
	{ api, events }: ControllerContext,
	set: KubeObject,
	{ ordinal, revision }: { readonly ordinal: number; readonly revision: string },
): void {
	const name = `${set.metadata.name}-${ordinal}`
	const { namespace } = set.metadata
	const claims = listAt(set, 'spec', 'volumeClaimTemplates')
	for (const claim of claims) {
		const claimName = `${textAt(claim, 'metadata', 'name') ?? ''}-${name}`
		if (api.store.get('/persistentvolumeclaims', { namespace, name: claimName })) continue
		const body = { ...fieldsOf(claim), metadata: { name: claimName, namespace } }
		api.create(builtIn(api, '/persistentvolumeclaims'), body, { namespace, unowned: true })
	}
	const template = at(set, 'spec', 'template')
	const volumes = claims.map((claim) => {
		const volume = textAt(claim, 'metadata', 'name') ?? ''
		return { name: volume, persistentVolumeClaim: { claimName: `${volume}-${name}` } }
	})
	const pod = podFrom(set, template, {
		metadata: {
			name,
			labels: {
				[REVISION]: revision,
				'statefulset.kubernetes.io/pod-name': name,
				'apps.kubernetes.io/pod-index': String(ordinal),
			},
		},
		spec: {
			hostname: name,
			subdomain: textAt(set, 'spec', 'serviceName'),
			volumes: [...listAt(template, 'spec', 'volumes'), ...volumes],
		},
	})
	api.create(builtIn(api, PODS), pod, { namespace, unowned: true })
	const message = `create Pod ${name} in StatefulSet ${set.metadata.name} successful`
	events.record(set, { type: 'Normal', reason: 'SuccessfulCreate', message, component: COMPONENT })
}

function remove({ api }: ControllerContext, pod: KubeObject): void {
	if (pod.metadata.deletionTimestamp === undefined) api.delete(builtIn(api, PODS), keyOf(pod))
}

function writeStatus({ api }: ControllerContext, set: KubeObject, revision: string): void {
	const pods = ownedBy(api, PODS, set)
	const ready = pods.filter(isReady).length
	const updated = pods.filter((pod) => pod.metadata.labels?.[REVISION] === revision).length
	const replicas = numberAt(set, 'spec', 'replicas') ?? 1
	const done = updated === replicas && ready === replicas && pods.length === replicas
	const current = done ? revision : (textAt(set, 'status', 'currentRevision') ?? revision)
	const currentReplicas = pods.filter((pod) => pod.metadata.labels?.[REVISION] === current).length
	setStatus(api, builtIn(api, STATEFUL_SETS), {
		object: set,
		status: {
			observedGeneration: set.metadata.generation,
			replicas: pods.length,
			...(ready > 0 && { readyReplicas: ready }),
			availableReplicas: ready,
			...(currentReplicas > 0 && { currentReplicas }),
			...(updated > 0 && { updatedReplicas: updated }),
			currentRevision: current,
			updateRevision: revision,
			collisionCount: 0,
		},
	})
}
