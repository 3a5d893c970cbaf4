import type { KubeObject } from '../../../cluster/index.ts'
import { amountOf } from '../amount.ts'
import { at, fieldsAt, listAt, numberAt, textAt, textsAt, withAt, type Fields } from '../fields.ts'
import {
	builtIn,
	canonical,
	hasCondition,
	keyOf,
	ownedBy,
	ownerReference,
	ownOrChild,
	setCondition,
	setStatus,
	templateHash,
	withAnnotations,
} from './ownership.ts'
import type { Controller, ControllerContext } from './runtime.ts'

const DEPLOYMENTS = 'apps/deployments'
const REPLICA_SETS = 'apps/replicasets'
const REVISION = 'deployment.kubernetes.io/revision'
const HASH = 'pod-template-hash'
const CHANGE_CAUSE = 'kubernetes.io/change-cause'
const COMPONENT = 'sandbox-deployment-controller'

/** Deployments own ReplicaSets, one for each template they had, and move pods from the old to the new. */
export function deploymentController(context: ControllerContext): Controller {
	const { api } = context
	return {
		affected: (event) => ownOrChild(event, { own: DEPLOYMENTS, kind: 'Deployment', children: REPLICA_SETS }),
		reconcile: (key) => {
			const deployment = api.store.get(DEPLOYMENTS, key)
			if (deployment === undefined || deployment.metadata.deletionTimestamp !== undefined) return
			reconcile(context, deployment)
		},
	}
}

function reconcile(context: ControllerContext, deployment: KubeObject): void {
	const { api } = context
	const all = ownedBy(api, REPLICA_SETS, deployment).filter(
		(set) => set.metadata.deletionTimestamp === undefined,
	)
	const template = withoutHash(at(deployment, 'spec', 'template'))
	let current = all.find((set) => withoutHash(at(set, 'spec', 'template')) === template)
	const paused = at(deployment, 'spec', 'paused') === true
	if (!paused) {
		const old = all.filter((set) => set !== current)
		const revision = Math.max(0, ...old.map(revisionOf)) + 1
		if (current === undefined) {
			createSet(context, deployment, revision)
			// Its own creation calls again.
			return
		}
		if (revisionOf(current) < revision && old.length > 0) {
			api.amend(builtIn(api, REPLICA_SETS), keyOf(current), (set) =>
				withAnnotations(set, { [REVISION]: String(revision) }),
			)
			return
		}
		noteRevision(context, deployment, current)
		roll(context, deployment, { current, old })
		cleanUp(context, deployment, old)
		current = api.store.get(REPLICA_SETS, keyOf(current)) ?? current
	} else if (current) {
		scaleSet(context, deployment, { set: current, replicas: desiredOf(deployment) })
	}
	writeStatus(context, {
		deployment: api.store.get(DEPLOYMENTS, keyOf(deployment)) ?? deployment,
		current,
		paused,
	})
}

function withoutHash(template: unknown): string {
	const { [HASH]: _, ...labels } = textsAt(template, 'metadata', 'labels')
	return canonical({ ...fieldsAt(template), metadata: { ...fieldsAt(template, 'metadata'), labels } })
}

function revisionOf(set: KubeObject): number {
	return Number(set.metadata.annotations?.[REVISION] ?? 0)
}

function desiredOf(object: KubeObject): number {
	return numberAt(object, 'spec', 'replicas') ?? 1
}

function createSet({ api, events }: ControllerContext, deployment: KubeObject, revision: number): void {
	const template = fieldsAt(deployment, 'spec', 'template')
	const hash = templateHash(template)
	const name = `${deployment.metadata.name}-${hash}`
	const labels = { ...textsAt(template, 'metadata', 'labels'), [HASH]: hash }
	const selector = fieldsAt(deployment, 'spec', 'selector')
	const cause = deployment.metadata.annotations?.[CHANGE_CAUSE]
	const fresh = ownedBy(api, REPLICA_SETS, deployment).every((set) => desiredOf(set) === 0)
	const replicas =
		fresh && textAt(deployment, 'spec', 'strategy', 'type') !== 'Recreate' ? desiredOf(deployment) : 0
	api.create(
		builtIn(api, REPLICA_SETS),
		{
			apiVersion: 'apps/v1',
			kind: 'ReplicaSet',
			metadata: {
				name,
				labels,
				annotations: {
					'deployment.kubernetes.io/desired-replicas': String(desiredOf(deployment)),
					[REVISION]: String(revision),
					...(cause !== undefined && { [CHANGE_CAUSE]: cause }),
				},
				ownerReferences: [ownerReference(deployment)],
			},
			spec: {
				replicas,
				...(numberAt(deployment, 'spec', 'minReadySeconds') && {
					minReadySeconds: numberAt(deployment, 'spec', 'minReadySeconds'),
				}),
				selector: { ...selector, matchLabels: { ...textsAt(selector, 'matchLabels'), [HASH]: hash } },
				template: { ...template, metadata: { ...fieldsAt(template, 'metadata'), labels } },
			},
		},
		{ namespace: deployment.metadata.namespace, unowned: true },
	)
	if (replicas > 0) {
		const message = `Scaled up replica set ${name} from 0 to ${replicas}`
		events.record(deployment, { type: 'Normal', reason: 'ScalingReplicaSet', message, component: COMPONENT })
	}
}

function noteRevision({ api }: ControllerContext, deployment: KubeObject, current: KubeObject): void {
	const revision = current.metadata.annotations?.[REVISION]
	if (revision === undefined || deployment.metadata.annotations?.[REVISION] === revision) return
	api.amend(builtIn(api, DEPLOYMENTS), keyOf(deployment), (live) =>
		withAnnotations(live, { [REVISION]: revision }),
	)
}

interface Sets {
	readonly current: KubeObject
	readonly old: readonly KubeObject[]
}

function roll(context: ControllerContext, deployment: KubeObject, { current, old }: Sets): void {
	const desired = desiredOf(deployment)
	const running = old.filter((set) => desiredOf(set) > 0)
	if (textAt(deployment, 'spec', 'strategy', 'type') === 'Recreate') {
		for (const set of running) scaleSet(context, deployment, { set, replicas: 0 })
		const stopped = old.every((set) => (numberAt(set, 'status', 'replicas') ?? 0) === 0)
		if (running.length === 0 && stopped) scaleSet(context, deployment, { set: current, replicas: desired })
		return
	}
	const surge = amountOf(at(deployment, 'spec', 'strategy', 'rollingUpdate', 'maxSurge'), {
		of: desired,
		up: true,
	})
	const asked = amountOf(at(deployment, 'spec', 'strategy', 'rollingUpdate', 'maxUnavailable'), {
		of: desired,
		up: false,
	})
	const unavailable = surge === 0 && asked === 0 ? 1 : asked
	const total = desiredOf(current) + running.reduce((sum, set) => sum + desiredOf(set), 0)
	const room = Math.max(0, desired + surge - total)
	const wanted = desiredOf(current) > desired ? desired : Math.min(desired, desiredOf(current) + room)
	scaleSet(context, deployment, { set: current, replicas: wanted })
	const notReady = desiredOf(current) - (numberAt(current, 'status', 'availableReplicas') ?? 0)
	let removable = Math.max(0, total - (desired - unavailable) - Math.max(0, notReady))
	// Old pods that never became available hold nothing up.
	const byHealth = running.toSorted((a, b) => availableOf(a) - availableOf(b))
	for (const set of byHealth) {
		const broken = desiredOf(set) - availableOf(set)
		const remove = Math.min(desiredOf(set), Math.max(broken, removable))
		removable -= remove
		if (remove > 0) scaleSet(context, deployment, { set, replicas: desiredOf(set) - remove })
	}
}

function availableOf(set: KubeObject): number {
	return numberAt(set, 'status', 'availableReplicas') ?? 0
}

function scaleSet(
	{ api, events }: ControllerContext,
	deployment: KubeObject,
	{ set, replicas }: { readonly set: KubeObject; readonly replicas: number },
): void {
	const before = desiredOf(set)
	if (before === replicas) return
	api.amend(
		builtIn(api, REPLICA_SETS),
		keyOf(set),
		(live) => withAt(live, ['spec', 'replicas'], replicas) as KubeObject,
	)
	const message = `Scaled ${replicas > before ? 'up' : 'down'} replica set ${set.metadata.name} from ${before} to ${replicas}`
	events.record(deployment, { type: 'Normal', reason: 'ScalingReplicaSet', message, component: COMPONENT })
}

function cleanUp({ api }: ControllerContext, deployment: KubeObject, old: readonly KubeObject[]): void {
	const limit = numberAt(deployment, 'spec', 'revisionHistoryLimit') ?? 10
	const idle = old.filter((set) => desiredOf(set) === 0 && (numberAt(set, 'status', 'replicas') ?? 0) === 0)
	const surplus = idle
		.toSorted((a, b) => revisionOf(a) - revisionOf(b))
		.slice(0, Math.max(0, idle.length - limit))
	for (const set of surplus) api.delete(builtIn(api, REPLICA_SETS), keyOf(set))
}

function writeStatus(
	context: ControllerContext,
	{
		deployment,
		current,
		paused,
	}: { readonly deployment: KubeObject; readonly current: KubeObject | undefined; readonly paused: boolean },
): void {
	const { api } = context
	const sets = ownedBy(api, REPLICA_SETS, deployment)
	const sum = (field: string): number =>
		sets.reduce((total, set) => total + (numberAt(set, 'status', field) ?? 0), 0)
	const counts = {
		replicas: sum('replicas'),
		updatedReplicas: numberAt(current, 'status', 'replicas') ?? 0,
		readyReplicas: sum('readyReplicas'),
		availableReplicas: sum('availableReplicas'),
	}
	const desired = desiredOf(deployment)
	const missing = Math.max(0, desired - counts.availableReplicas)
	const complete =
		counts.updatedReplicas === desired && counts.replicas === desired && counts.availableReplicas >= desired
	const status: Fields = {
		observedGeneration: deployment.metadata.generation,
		...Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0)),
		...(missing > 0 && { unavailableReplicas: missing }),
		conditions: conditionsOf(context, deployment, {
			current,
			complete,
			paused,
			available: counts.availableReplicas,
		}),
	}
	setStatus(api, builtIn(api, DEPLOYMENTS), { object: deployment, status })
}

function conditionsOf(
	{ api, later, now }: Pick<ControllerContext, 'api' | 'later' | 'now'>,
	deployment: KubeObject,
	state: {
		readonly current: KubeObject | undefined
		readonly complete: boolean
		readonly paused: boolean
		readonly available: number
	},
): readonly unknown[] {
	const time = api.time()
	const desired = desiredOf(deployment)
	const tolerated = amountOf(at(deployment, 'spec', 'strategy', 'rollingUpdate', 'maxUnavailable') ?? 0, {
		of: desired,
		up: false,
	})
	const enough = state.available >= desired - tolerated
	const old = listAt(deployment, 'status', 'conditions')
	const withAvailable = setCondition(
		old,
		enough
			? {
					type: 'Available',
					status: 'True',
					reason: 'MinimumReplicasAvailable',
					message: 'Deployment has minimum availability.',
				}
			: {
					type: 'Available',
					status: 'False',
					reason: 'MinimumReplicasUnavailable',
					message: 'Deployment does not have minimum availability.',
				},
		{ time, updates: true },
	)
	const set = state.current?.metadata.name ?? ''
	if (state.paused) {
		return setCondition(
			withAvailable,
			{ type: 'Progressing', status: 'Unknown', reason: 'DeploymentPaused', message: 'Deployment is paused' },
			{ time, updates: true },
		)
	}
	if (state.complete) {
		const message = `ReplicaSet "${set}" has successfully progressed.`
		return setCondition(
			withAvailable,
			{ type: 'Progressing', status: 'True', reason: 'NewReplicaSetAvailable', message },
			{ time, updates: true },
		)
	}
	const progressing = old.find((condition) => textAt(condition, 'type') === 'Progressing')
	const stale = numberAt(deployment, 'status', 'observedGeneration') !== deployment.metadata.generation
	const deadlineMs = 1000 * (numberAt(deployment, 'spec', 'progressDeadlineSeconds') ?? 600)
	const since = Date.parse(textAt(progressing, 'lastUpdateTime') ?? '')
	const waiting =
		textAt(progressing, 'reason') === 'ReplicaSetUpdated' ||
		textAt(progressing, 'reason') === 'ProgressDeadlineExceeded'
	if (waiting && !stale && now().getTime() - since >= deadlineMs) {
		const message = `ReplicaSet "${set}" has timed out progressing.`
		return setCondition(
			withAvailable,
			{ type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded', message },
			{ time, updates: true },
		)
	}
	later(deadlineMs + 1000, () => {
		const live = api.store.get(DEPLOYMENTS, keyOf(deployment))
		if (live && live.metadata.uid === deployment.metadata.uid && !hasCondition(live, 'Available')) {
			const conditions = conditionsOf({ api, later: () => undefined, now }, live, state)
			setStatus(api, builtIn(api, DEPLOYMENTS), {
				object: live,
				status: { ...fieldsAt(live, 'status'), conditions },
			})
		}
	})
	const message = `ReplicaSet "${set}" is progressing.`
	return setCondition(
		withAvailable,
		{ type: 'Progressing', status: 'True', reason: 'ReplicaSetUpdated', message },
		{ time, updates: true },
	)
}
