import type { KubeObject } from '../../../cluster/index.ts'
import { at, fieldsAt, numberAt, textAt } from '../fields.ts'
import {
	builtIn,
	hasCondition,
	isActive,
	isReady,
	keyOf,
	ownedBy,
	MAX_PODS,
	ownOrChild,
	podFrom,
	PODS,
	setCondition,
	setStatus,
} from './ownership.ts'
import type { Controller, ControllerContext } from './runtime.ts'

const JOBS = 'batch/jobs'
const COMPONENT = 'sandbox-job-controller'

/** Jobs own pods until enough of them have succeeded; in the sandbox every pod does. */
export function jobController(context: ControllerContext): Controller {
	const { api } = context
	return {
		affected: (event) => ownOrChild(event, { own: JOBS, kind: 'Job', children: PODS }),
		reconcile: (key) => {
			const job = api.store.get(JOBS, key)
			if (job === undefined || job.metadata.deletionTimestamp !== undefined) return
			if (hasCondition(job, 'Complete')) expire(context, job)
			else step(context, job)
		},
	}
}

function step({ api, events }: ControllerContext, job: KubeObject): void {
	const pods = ownedBy(api, PODS, job)
	const succeeded = pods.filter((pod) => textAt(pod, 'status', 'phase') === 'Succeeded').length
	const suspended = at(job, 'spec', 'suspend') === true
	const completions = numberAt(job, 'spec', 'completions') ?? 1
	const parallelism = Math.min(numberAt(job, 'spec', 'parallelism') ?? 1, MAX_PODS)
	const active = pods.filter(isActive)
	const wanted = suspended ? 0 : Math.min(parallelism, completions - succeeded)
	for (let count = active.length; count < wanted; count++) {
		const pod = podFrom(job, at(job, 'spec', 'template'), {
			metadata: { generateName: `${job.metadata.name}-` },
		})
		const made = api.create(builtIn(api, PODS), pod, { namespace: job.metadata.namespace, unowned: true })
		const message = `Created pod: ${made.metadata.name}`
		events.record(job, { type: 'Normal', reason: 'SuccessfulCreate', message, component: COMPONENT })
	}
	const time = api.time()
	const running = ownedBy(api, PODS, job).filter(isActive)
	const complete = succeeded >= completions
	let conditions: readonly unknown[] = []
	if (complete) {
		const message = 'Reached expected number of succeeded pods'
		for (const type of ['SuccessCriteriaMet', 'Complete']) {
			conditions = setCondition(
				conditions,
				{ type, status: 'True', reason: 'CompletionsReached', message },
				{ time },
			)
		}
		events.record(job, {
			type: 'Normal',
			reason: 'Completed',
			message: 'Job completed (sandbox: nothing ran)',
			component: COMPONENT,
		})
	} else if (suspended) {
		conditions = setCondition(
			[],
			{ type: 'Suspended', status: 'True', reason: 'JobSuspended', message: 'Job suspended' },
			{ time },
		)
	}
	setStatus(api, builtIn(api, JOBS), {
		object: job,
		status: {
			startTime: textAt(job, 'status', 'startTime') ?? time,
			...(running.length > 0 && { active: running.length }),
			ready: running.filter(isReady).length,
			...(succeeded > 0 && { succeeded }),
			terminating: 0,
			uncountedTerminatedPods: {},
			...(complete && { completionTime: time }),
			...(conditions.length > 0 && { conditions }),
		},
	})
}

function expire({ api, later, now }: ControllerContext, job: KubeObject): void {
	const seconds = numberAt(job, 'spec', 'ttlSecondsAfterFinished')
	if (seconds === undefined) return
	const left =
		Date.parse(textAt(fieldsAt(job, 'status'), 'completionTime') ?? '') + seconds * 1000 - now().getTime()
	later(Math.max(0, left), () => {
		const live = api.store.get(JOBS, keyOf(job))
		if (live?.metadata.uid === job.metadata.uid) api.delete(builtIn(api, JOBS), keyOf(job))
	})
}
