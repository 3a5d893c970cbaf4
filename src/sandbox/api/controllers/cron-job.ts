import type { KubeObject } from '../../../cluster/index.ts'
import { nextDue, parseCron } from '../../../schema/index.ts'
import { at, fieldsAt, numberAt, textAt, textsAt } from '../fields.ts'
import { builtIn, hasCondition, keyOf, ownedBy, ownerReference, ownOrChild, setStatus } from './ownership.ts'
import type { Controller, ControllerContext } from './runtime.ts'

const CRON_JOBS = 'batch/cronjobs'
const JOBS = 'batch/jobs'
const COMPONENT = 'sandbox-cronjob-controller'
const MINUTE = 60_000
/** Of the times that were missed, as after a long pause, only so many are looked through. */
const MAX_MISSED = 100

/** CronJobs own the Jobs that they start when it is time, and keep the last few. */
export function cronJobController(context: ControllerContext): Controller {
	const { api, later, now } = context
	const planned = new Map<string, number>()
	const reconcile = (key: { readonly namespace?: string | undefined; readonly name: string }): void => {
		const cronJob = api.store.get(CRON_JOBS, key)
		if (cronJob === undefined || cronJob.metadata.deletionTimestamp !== undefined) return
		const { due, next } = timesOf(cronJob, now().getTime())
		if (due !== undefined) start(context, cronJob, due)
		cleanUp(context, cronJob)
		writeStatus(context, cronJob, due)
		const { uid = '' } = cronJob.metadata
		if (next === undefined || planned.get(uid) === next) return
		planned.set(uid, next)
		later(next - now().getTime(), () => {
			planned.delete(uid)
			reconcile(key)
		})
	}
	return {
		affected: (event) => ownOrChild(event, { own: CRON_JOBS, kind: 'CronJob', children: JOBS }),
		reconcile,
	}
}

/** The latest time that has come since the last start, and the next one. */
function timesOf(
	cronJob: KubeObject,
	now: number,
): { readonly due: number | undefined; readonly next: number | undefined } {
	const schedule = parseCron(textAt(cronJob, 'spec', 'schedule') ?? '')
	if (schedule === undefined || at(cronJob, 'spec', 'suspend') === true)
		return { due: undefined, next: undefined }
	const timeZone = textAt(cronJob, 'spec', 'timeZone')
	const last = textAt(cronJob, 'status', 'lastScheduleTime') ?? cronJob.metadata.creationTimestamp ?? ''
	const deadline = numberAt(cronJob, 'spec', 'startingDeadlineSeconds')
	const earliest = deadline === undefined ? -Infinity : now - deadline * 1000
	let from = Math.max(Date.parse(last), earliest)
	let due: number | undefined
	for (let missed = 0; missed <= MAX_MISSED; missed++) {
		const time = nextDue(schedule, from, { timeZone })
		if (time === undefined || time > now) return { due, next: time }
		due = from = time
	}
	return { due, next: nextDue(schedule, now, { timeZone }) }
}

function isFinished(job: KubeObject): boolean {
	return hasCondition(job, 'Complete') || hasCondition(job, 'Failed')
}

function start({ api, events }: ControllerContext, cronJob: KubeObject, due: number): void {
	const { name: owner, namespace } = cronJob.metadata
	const active = ownedBy(api, JOBS, cronJob).filter((job) => !isFinished(job))
	const policy = textAt(cronJob, 'spec', 'concurrencyPolicy')
	if (policy === 'Forbid' && active.length > 0) {
		const message = 'Not starting job because prior execution is running and concurrency policy is Forbid'
		events.record(cronJob, { type: 'Normal', reason: 'JobAlreadyActive', message, component: COMPONENT })
		return
	}
	if (policy === 'Replace')
		for (const job of active) api.delete(builtIn(api, JOBS), keyOf(job), { propagation: 'Background' })
	const name = `${owner.slice(0, 52)}-${due / MINUTE}`
	if (api.store.get(JOBS, { namespace, name })) return
	const template = fieldsAt(cronJob, 'spec', 'jobTemplate')
	const metadata = {
		name,
		labels: textsAt(template, 'metadata', 'labels'),
		annotations: {
			...textsAt(template, 'metadata', 'annotations'),
			'batch.kubernetes.io/cronjob-scheduled-timestamp': new Date(due).toISOString().replace('.000Z', 'Z'),
		},
		ownerReferences: [ownerReference(cronJob)],
	}
	api.create(builtIn(api, JOBS), { metadata, spec: fieldsAt(template, 'spec') }, { namespace, unowned: true })
	const message = `Created job ${name}`
	events.record(cronJob, { type: 'Normal', reason: 'SuccessfulCreate', message, component: COMPONENT })
}

/** Only so many finished Jobs are kept. */
function cleanUp({ api }: ControllerContext, cronJob: KubeObject): void {
	const finished = ownedBy(api, JOBS, cronJob)
		.filter(isFinished)
		.toSorted((a, b) => startOf(b) - startOf(a))
	const limits = [
		{ type: 'Complete', limit: numberAt(cronJob, 'spec', 'successfulJobsHistoryLimit') ?? 3 },
		{ type: 'Failed', limit: numberAt(cronJob, 'spec', 'failedJobsHistoryLimit') ?? 1 },
	]
	for (const { type, limit } of limits) {
		for (const job of finished.filter((each) => hasCondition(each, type)).slice(limit))
			api.delete(builtIn(api, JOBS), keyOf(job), { propagation: 'Background' })
	}
}

function startOf(job: KubeObject): number {
	return Date.parse(textAt(job, 'status', 'startTime') ?? job.metadata.creationTimestamp ?? '')
}

function writeStatus({ api }: ControllerContext, cronJob: KubeObject, due: number | undefined): void {
	const jobs = ownedBy(api, JOBS, cronJob)
	const active = jobs
		.filter((job) => !isFinished(job))
		.map(({ metadata: { name, namespace, uid, resourceVersion } }) => ({
			apiVersion: 'batch/v1',
			kind: 'Job',
			name,
			namespace,
			uid,
			resourceVersion,
		}))
	const successes = jobs.flatMap((job) => textAt(job, 'status', 'completionTime') ?? [])
	const before = fieldsAt(cronJob, 'status')
	const lastScheduleTime =
		due === undefined ? before['lastScheduleTime'] : new Date(due).toISOString().replace('.000Z', 'Z')
	const lastSuccessfulTime = successes.toSorted().at(-1) ?? before['lastSuccessfulTime']
	setStatus(api, builtIn(api, CRON_JOBS), {
		object: cronJob,
		status: {
			...(active.length > 0 && { active }),
			...(lastScheduleTime !== undefined && { lastScheduleTime }),
			...(lastSuccessfulTime !== undefined && { lastSuccessfulTime }),
		},
	})
}
