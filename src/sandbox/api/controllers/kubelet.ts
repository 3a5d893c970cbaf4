import type { KubeObject } from '../../../cluster/index.ts'
import { fieldsAt, listAt, textAt, withAt, withMetadata } from '../fields.ts'
import { builtIn, keyOf, NODE, PODS, setCondition, type Condition } from './ownership.ts'
import type { Controller, ControllerContext } from './runtime.ts'

const COMPONENT = 'sandbox-kubelet'
const SCHEDULER = 'sandbox-scheduler'
const IMAGE =
	/^(?:(?:[a-zA-Z0-9](?:[-a-zA-Z0-9.]*[a-zA-Z0-9])?|\[[a-fA-F0-9:]+\])(?::\d+)?\/)?[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*(?::\w[\w.-]{0,127})?(?:@[A-Za-z][A-Za-z0-9]*:[0-9a-fA-F]{32,})?$/

/** The sandbox's node: pods get there, run (nothing is pulled, nothing is started), and end. */
export function kubelet(context: ControllerContext): Controller {
	const { api, later, delays } = context
	const busy = new Set<string>()
	const step = (pod: KubeObject, ms: number, change: (live: KubeObject) => void): void => {
		const id = pod.metadata.uid ?? ''
		if (busy.has(id)) return
		busy.add(id)
		later(ms, () => {
			busy.delete(id)
			const live = api.store.get(PODS, keyOf(pod))
			if (live === undefined || live.metadata.uid !== pod.metadata.uid) return
			if (live.metadata.deletionTimestamp !== undefined) remove(context, live)
			else change(live)
		})
	}
	return {
		affected: (event) => (event.key === PODS && event.type !== 'DELETED' ? [keyOf(event.object)] : []),
		reconcile: (key) => {
			const pod = api.store.get(PODS, key)
			if (pod === undefined) return
			if (pod.metadata.deletionTimestamp !== undefined) {
				step(pod, delays.stopMs, (live) => remove(context, live))
				return
			}
			if (textAt(pod, 'spec', 'nodeName') === undefined) schedule(context, pod)
			else if (textAt(pod, 'status', 'phase') === 'Pending' && !isWaiting(pod))
				step(pod, delays.startMs, (live) => start(context, live))
			else if (textAt(pod, 'status', 'phase') === 'Running' && !isReady(pod))
				step(pod, delays.readyMs, (live) => becomeReady(context, live))
		},
	}
}

function isReady(pod: KubeObject): boolean {
	return conditionsOf(pod).some(
		(condition) => textAt(condition, 'type') === 'Ready' && textAt(condition, 'status') === 'True',
	)
}

function isWaiting(pod: KubeObject): boolean {
	return listAt(pod, 'status', 'containerStatuses').some(
		(status) => textAt(status, 'state', 'waiting', 'reason') === 'InvalidImageName',
	)
}

function conditionsOf(pod: KubeObject): readonly unknown[] {
	return listAt(pod, 'status', 'conditions')
}

function amendStatus(
	{ api }: ControllerContext,
	pod: KubeObject,
	change: Readonly<Record<string, unknown>>,
): void {
	api.amend(builtIn(api, PODS), keyOf(pod), (live) => ({
		...live,
		status: { ...fieldsAt(live, 'status'), ...change },
	}))
}

function schedule(context: ControllerContext, pod: KubeObject): void {
	const { api, events } = context
	const time = api.time()
	api.amend(builtIn(api, PODS), keyOf(pod), (live) => {
		const placed = withAt(live, ['spec', 'nodeName'], NODE)
		const conditions = setCondition(conditionsOf(live), { type: 'PodScheduled', status: 'True' }, { time })
		return {
			...(placed as KubeObject),
			status: { ...fieldsAt(live, 'status'), phase: 'Pending', conditions },
		}
	})
	const message = `Successfully assigned ${pod.metadata.namespace ?? ''}/${pod.metadata.name} to ${NODE}`
	events.record(pod, { type: 'Normal', reason: 'Scheduled', message, component: SCHEDULER })
}

function start(context: ControllerContext, pod: KubeObject): void {
	const { api, events } = context
	const time = api.time()
	const containers = listAt(pod, 'spec', 'containers')
	const malformed = containers.find((container) => !IMAGE.test(textAt(container, 'image') ?? ''))
	const conditions = withConditions(pod, time, [
		{ type: 'Initialized', status: 'True' },
		{ type: 'ContainersReady', status: 'False', reason: 'ContainersNotReady' },
		{ type: 'Ready', status: 'False', reason: 'ContainersNotReady' },
	])
	if (malformed !== undefined) {
		const image = textAt(malformed, 'image') ?? ''
		const message = `couldn't parse image name "${image}": invalid reference format (the lading sandbox pulls no images, and refuses malformed names only)`
		const containerStatuses = containers.map((container) =>
			containerStatus(container, {
				waiting: IMAGE.test(textAt(container, 'image') ?? '')
					? { reason: 'ContainerCreating' }
					: { reason: 'InvalidImageName', message },
			}),
		)
		amendStatus(context, pod, { startTime: time, conditions, containerStatuses })
		events.record(pod, { type: 'Warning', reason: 'InspectFailed', message, component: COMPONENT })
		return
	}
	const podIP = addressOf(context)
	amendStatus(context, pod, {
		phase: 'Running',
		startTime: time,
		hostIP: '127.0.0.1',
		hostIPs: [{ ip: '127.0.0.1' }],
		podIP,
		podIPs: [{ ip: podIP }],
		conditions,
		...(listAt(pod, 'spec', 'initContainers').length > 0 && {
			initContainerStatuses: listAt(pod, 'spec', 'initContainers').map((container) => ({
				...containerStatus(container, {
					terminated: { exitCode: 0, reason: 'Completed', startedAt: time, finishedAt: time },
				}),
				ready: true,
			})),
		}),
		containerStatuses: containers.map((container) =>
			containerStatus(container, { running: { startedAt: time } }),
		),
	})
	for (const container of containers) {
		const message = `Container ${textAt(container, 'name') ?? ''} counts as started (sandbox: no image was pulled, nothing runs)`
		events.record(pod, { type: 'Normal', reason: 'Started', message, component: COMPONENT })
	}
}

function becomeReady(context: ControllerContext, pod: KubeObject): void {
	const time = context.api.time()
	const containers = listAt(pod, 'spec', 'containers')
	const ends = (textAt(pod, 'spec', 'restartPolicy') ?? 'Always') !== 'Always'
	if (ends) {
		const terminated = {
			exitCode: 0,
			reason: 'Completed',
			startedAt: textAt(pod, 'status', 'startTime'),
			finishedAt: time,
		}
		amendStatus(context, pod, {
			phase: 'Succeeded',
			conditions: withConditions(pod, time, [
				{ type: 'Ready', status: 'False', reason: 'PodCompleted' },
				{ type: 'ContainersReady', status: 'False', reason: 'PodCompleted' },
			]),
			containerStatuses: containers.map((container) => containerStatus(container, { terminated })),
		})
		return
	}
	amendStatus(context, pod, {
		conditions: withConditions(pod, time, [
			{ type: 'ContainersReady', status: 'True' },
			{ type: 'Ready', status: 'True' },
		]),
		containerStatuses: containers.map((container) => ({
			...containerStatus(container, { running: { startedAt: textAt(pod, 'status', 'startTime') ?? time } }),
			ready: true,
			started: true,
		})),
	})
}

function withConditions(pod: KubeObject, time: string, wanted: readonly Condition[]): readonly unknown[] {
	let conditions = conditionsOf(pod)
	for (const condition of wanted) conditions = setCondition(conditions, condition, { time })
	return conditions
}

function containerStatus(
	container: unknown,
	state: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
	const image = textAt(container, 'image') ?? ''
	const terminated = state['terminated'] !== undefined
	return {
		name: textAt(container, 'name') ?? '',
		image,
		imageID: '',
		ready: false,
		restartCount: 0,
		started: !terminated && state['waiting'] === undefined,
		state,
		lastState: {},
	}
}

/** An address of 10.244.0.0/16 that no pod has. */
function addressOf({ api }: ControllerContext): string {
	const used = new Set(api.store.list(PODS).map((pod) => textAt(pod, 'status', 'podIP')))
	for (let number = 2; number < 65_534; number++) {
		const address = `10.244.${number >> 8}.${number & 255}`
		if (!used.has(address)) return address
	}
	return '10.244.255.254'
}

/** The containers have ended: what keeps the pod now are its finalizers. */
function remove({ api }: ControllerContext, pod: KubeObject): void {
	if (pod.metadata.finalizers === undefined || pod.metadata.finalizers.length === 0) {
		api.delete(builtIn(api, PODS), keyOf(pod), { graceSeconds: 0 })
		return
	}
	api.amend(builtIn(api, PODS), keyOf(pod), (live) => withMetadata(live, { deletionGracePeriodSeconds: 0 }))
}
