import type { KubeObject } from '../../cluster/index.ts'
import { resourceHealth } from './health.ts'
import { deleteHooks, hookProgress, removeHookFinalizer, terminate } from './sync-hooks.ts'
import { type Progressed, type SyncContext, setResult } from './sync-context.ts'
import { isNamespace, planTasks } from './sync-plan.ts'
import { needsPruneConfirmation } from './sync-options.ts'
import { runTasks } from './sync-run.ts'
import {
	hasDeletePolicy,
	isCompleted,
	isDeletedBeforeCreation,
	isHookTask,
	isPending,
	isPrune,
	isRunning,
	isSuccessful,
	objectOf,
	type SyncTask,
	waveOf,
} from './sync-task.ts'
import { keyOf, refFrom } from './resource-key.ts'

/**
 * Moves an operation on by one wave, or tells what it waits for.
 * @param terminating whether it is to be ended instead
 * @see gitops-engine pkg/sync/sync_context.go Sync
 */
export async function syncStep(context: SyncContext, terminating: boolean): Promise<Progressed> {
	const started = context.results.size > 0
	const { tasks, valid } = await planTasks(context)
	if (terminating) return terminate(context, tasks)
	if (!valid) return { phase: 'Failed', message: invalidMessage(context) }
	if (!started) {
		const refused = await rehearse(context, tasks)
		if (refused !== undefined) return refused
	}
	assess(context, tasks)
	const waiting = await waitingFor(context, tasks)
	if (waiting !== undefined) return waiting
	for (const task of tasks.filter((each) => isHookTask(each) && isCompleted(each)))
		await removeHookFinalizer(context, task)
	return nextWave(context, tasks)
}

function invalidMessage(context: SyncContext): string {
	const messages = [...context.results.values()]
		.filter((result) => result.status === 'SyncFailed' && result.message !== '')
		.map((result) => result.message)
	return withReasons('one or more synchronization tasks are not valid', [...new Set(messages)].sort(), {
		lead: ': ',
		between: '; ',
	})
}

function withReasons(
	message: string,
	reasons: readonly string[],
	style: { readonly lead: string; readonly between: string },
): string {
	return reasons.length === 0 ? message : `${message}${style.lead}${reasons.join(style.between)}`
}

/** Makes the namespace, which all else may stand in, then tries everything without doing it. */
async function rehearse(context: SyncContext, tasks: readonly SyncTask[]): Promise<Progressed | undefined> {
	const namespace = tasks.find(
		(task) =>
			task.live === undefined && task.target !== undefined && isNamespace(task.target, context.namespace),
	)
	if (namespace !== undefined && !context.options.dryRun) {
		if ((await runTasks(context, [namespace], { dryRun: false })) === 'failed')
			return endFailed(context, {
				syncFail: [],
				failed: [namespace],
				message: 'the namespace failed to apply',
			})
		namespace.live = await lookUp(context, namespace)
	}
	const rest = outOfSync(
		context,
		tasks.filter((task) => task !== namespace),
	)
	if ((await runTasks(context, rest, { dryRun: true })) === 'failed')
		return { phase: 'Failed', message: 'one or more objects failed to apply (dry run)' }
	return undefined
}

function outOfSync(context: SyncContext, tasks: readonly SyncTask[]): readonly SyncTask[] {
	if (!context.options.applyOutOfSyncOnly) return tasks
	const unmodified = new Set(
		context.managed
			.filter((each) => each.target !== undefined && each.live !== undefined && !each.modified)
			.map((each) => each.target),
	)
	return tasks.filter((task) => isHookTask(task) || !unmodified.has(task.target))
}

/** Brings the results of running tasks up to what their live objects say. */
function assess(context: SyncContext, tasks: readonly SyncTask[]): void {
	for (const task of tasks) {
		if (!isRunning(task) || task.live === undefined) continue
		const status = task.result.status
		if (isHookTask(task)) {
			setResult(context, task, { status, ...hookProgress(task.live) })
			continue
		}
		const health = resourceHealth(task.live)
		if (health === undefined || health.status === 'Healthy')
			setResult(context, task, { status, phase: 'Succeeded', message: health?.message })
		else if (health.status === 'Degraded')
			setResult(context, task, { status, phase: 'Failed', message: health.message })
	}
}

async function waitingFor(context: SyncContext, tasks: readonly SyncTask[]): Promise<Progressed | undefined> {
	const first = tasks[0]
	const last = tasks.at(-1)
	const multiStep =
		first !== undefined &&
		last !== undefined &&
		(first.phase !== last.phase || waveOf(first) !== waveOf(last))
	const running = tasks.filter((task) => (multiStep || isHookTask(task)) && isRunning(task))
	if (running.length > 0) {
		for (const task of running) {
			if (task.live !== undefined || (await lookUp(context, task)) !== undefined) continue
			const { group, kind, name } = keyOf(objectOf(task))
			const message = `Resource ${group}/${kind}/${name} is missing, it might have been deleted`
			setResult(context, task, { status: 'SyncFailed', phase: 'Error', message })
		}
		return runningMessage(context, running, { deletion: false })
	}
	const leaving = tasks.filter(
		(task) => task.result.status === 'Pruned' && task.live?.metadata.deletionTimestamp !== undefined,
	)
	return leaving.length > 0 ? runningMessage(context, leaving, { deletion: true }) : undefined
}

function lookUp(context: SyncContext, task: SyncTask): Promise<KubeObject | undefined> {
	const object = objectOf(task)
	return context.cluster.get(refFrom(keyOf(object), object.apiVersion), { signal: context.signal })
}

function runningMessage(
	context: SyncContext,
	tasks: readonly SyncTask[],
	options: { readonly deletion: boolean },
): Progressed {
	const hooks = tasks.filter(isHookTask)
	const confirmable = tasks.filter(
		(task) => isPrune(task) && needsPruneConfirmation(task.live, context.options),
	)
	const first = confirmable[0] ?? hooks[0] ?? tasks[0]
	if (first === undefined) return { phase: 'Running', message: '' }
	let reason = hooks.length === 0 ? 'healthy state of' : 'completion of hook'
	if (options.deletion) reason = hooks.length === 0 ? 'deletion of' : 'deletion of hook'
	if (confirmable.length > 0) reason = 'pruning confirmation of'
	const more = (confirmable.length > 0 ? confirmable.length : tasks.length) - 1
	const { group, kind, name } = keyOf(objectOf(first))
	const what = hooks.length === tasks.length ? 'hooks' : 'resources'
	const others = more > 0 ? ` and ${more} more ${what}` : ''
	return { phase: 'Running', message: `waiting for ${reason} ${group}/${kind}/${name}${others}` }
}

async function nextWave(context: SyncContext, all: readonly SyncTask[]): Promise<Progressed> {
	const settled = all.filter((task) => isHookTask(task) && !isRunning(task))
	const doneHooks = settled.filter((task) => hasDeletePolicy(task, 'HookSucceeded'))
	const failedHooks = settled.filter((task) => hasDeletePolicy(task, 'HookFailed'))
	const syncFail = all.filter((task) => task.phase === 'SyncFail')
	const tasks = all.filter((task) => task.phase !== 'SyncFail')
	if (tasks.some((task) => isCompleted(task) && !isSuccessful(task))) {
		await deleteHooks(context, failedHooks)
		const failed = tasks.filter((task) => task.result.status === 'SyncFailed')
		const message = 'one or more synchronization tasks completed unsuccessfully'
		return endFailed(context, { syncFail, failed, message })
	}
	const pending = outOfSync(context, tasks.filter(isPending))
	const first = pending[0]
	if (first === undefined) {
		await deleteHooks(context, doneHooks)
		return { phase: 'Succeeded', message: 'successfully synced (no more tasks)' }
	}
	const wave = pending.filter((task) => task.phase === first.phase && waveOf(task) === waveOf(first))
	const state = await runTasks(context, wave, { dryRun: false })
	if (state !== 'failed' && wave.length < pending.length) await context.betweenWaves()
	switch (state) {
		case 'failed':
			return waveFailed(context, { wave, syncFail, failedHooks })
		case 'pending': {
			const waits = wave.filter((task) => isDeletedBeforeCreation(task) || (isPrune(task) && isPending(task)))
			return runningMessage(context, waits, { deletion: true })
		}
		case 'successful':
			if (wave.length < pending.length || wave.some(isHookTask))
				return runningMessage(context, wave, { deletion: false })
			await deleteHooks(context, doneHooks)
			return { phase: 'Succeeded', message: 'successfully synced (all tasks run)' }
	}
}

async function waveFailed(
	context: SyncContext,
	tasks: {
		readonly wave: readonly SyncTask[]
		readonly syncFail: readonly SyncTask[]
		readonly failedHooks: readonly SyncTask[]
	},
): Promise<Progressed> {
	const failed = tasks.wave.filter((task) => task.result.status === 'SyncFailed')
	const message = 'one or more objects failed to apply'
	const hooks = tasks.wave.filter((task) => isHookTask(task) && isRunning(task))
	if (hooks.length > 0) {
		if (tasks.syncFail.length > 0) await endFailed(context, { syncFail: tasks.syncFail, failed, message })
		return runningMessage(context, hooks, { deletion: false })
	}
	const ended = await endFailed(context, { syncFail: tasks.syncFail, failed, message })
	if (ended.phase === 'Failed') await deleteHooks(context, tasks.failedHooks)
	return ended
}

/** Ends as failed, after the SyncFail hooks have run. */
async function endFailed(
	context: SyncContext,
	outcome: {
		readonly syncFail: readonly SyncTask[]
		readonly failed: readonly SyncTask[]
		readonly message: string
	},
): Promise<Progressed> {
	const reasons = (tasks: readonly SyncTask[]): readonly string[] => [
		...new Set(tasks.map((task) => task.result.message)),
	]
	const style = { lead: ', reason: ', between: ',' }
	const message = withReasons(outcome.message, reasons(outcome.failed), style)
	if (outcome.syncFail.every(isCompleted)) {
		const hooks = outcome.syncFail.filter((task) => task.result.status === 'SyncFailed')
		if (hooks.length === 0) return { phase: 'Failed', message }
		const more = withReasons('one or more SyncFail hooks failed', reasons(hooks), style)
		return { phase: 'Failed', message: `${message}\n${more}` }
	}
	const pending = outcome.syncFail.filter(isPending)
	await runTasks(context, pending, { dryRun: false })
	return runningMessage(context, pending, { deletion: false })
}
