import type { OperationPhase } from '../../argocd/index.ts'
import { Annotation, hasOption } from './annotations.ts'
import { applyObject, clusterMessage, clusterReason, predict } from './apply.ts'
import { refFrom, keyOf } from './resource-key.ts'
import { deleteTask, removeHookFinalizer } from './sync-hooks.ts'
import { applyStrategy, isPruneDisabled, needsPruneConfirmation } from './sync-options.ts'
import { type SyncContext, setResult } from './sync-context.ts'
import {
	isDeletedBeforeCreation,
	isHookTask,
	isPending,
	isPrune,
	objectOf,
	type ResultCode,
	type SyncTask,
} from './sync-task.ts'

export type RunState = 'successful' | 'pending' | 'failed'

const PHASE_OF: Readonly<Record<ResultCode, OperationPhase>> = {
	Synced: 'Running',
	SyncFailed: 'Failed',
	Pruned: 'Succeeded',
	PruneSkipped: 'Succeeded',
}

/** Outcomes of tasks that ran side by side: one failure fails all, one wait makes all wait. */
function combine(states: readonly RunState[]): RunState {
	if (states.includes('failed')) return 'failed'
	return states.includes('pending') ? 'pending' : 'successful'
}

/**
 * Runs tasks of one phase and wave: prunes, deletes hooks that are made anew, applies.
 * @see gitops-engine pkg/sync/sync_context.go runTasks
 */
export async function runTasks(
	context: SyncContext,
	tasks: readonly SyncTask[],
	options: { readonly dryRun: boolean },
): Promise<RunState> {
	const dryRun = options.dryRun || context.options.dryRun
	if (!dryRun) {
		for (const task of tasks.filter(
			(each) => isHookTask(each) && isPending(each) && each.live !== undefined,
		)) {
			if (!(await removeHookFinalizer(context, task))) return 'failed'
		}
	}
	const pruning = tasks.filter(isPrune)
	if (pruning.some((task) => needsPruneConfirmation(task.live, context.options))) return 'pending'
	const pruned = await Promise.all(pruning.map((task) => prune(context, task, { dryRun })))
	if (combine(pruned) !== 'successful') return combine(pruned)

	const applying = tasks.filter((task) => !isPrune(task))
	if (!dryRun) {
		const deleted = await Promise.all(
			applying.filter(isDeletedBeforeCreation).map((task) => deleteFirst(context, task)),
		)
		if (combine(deleted) !== 'successful') return combine(deleted)
	}
	let state: RunState = 'successful'
	for (const group of byKind(applying)) {
		const states = await Promise.all(group.map((task) => apply(context, task, { dryRun })))
		state = combine([state, ...states])
	}
	return state
}

/** Neighbours of one kind are applied side by side, kinds one after the other. */
function byKind(tasks: readonly SyncTask[]): readonly (readonly SyncTask[])[] {
	const groups: SyncTask[][] = []
	for (const task of tasks) {
		const last = groups.at(-1)
		if (last?.[0] !== undefined && objectOf(last[0]).kind === objectOf(task).kind) last.push(task)
		else groups.push([task])
	}
	return groups
}

interface RunMode {
	readonly dryRun: boolean
}

async function prune(context: SyncContext, task: SyncTask, mode: RunMode): Promise<RunState> {
	const { status, message } = await pruneObject(context, task, mode)
	// a dry run before the real one leaves no trace unless it fails
	if (!mode.dryRun || context.options.dryRun || status === 'SyncFailed')
		setResult(context, task, { status, phase: PHASE_OF[status], message })
	return status === 'SyncFailed' ? 'failed' : 'successful'
}

async function pruneObject(
	context: SyncContext,
	task: SyncTask,
	mode: RunMode,
): Promise<{ readonly status: ResultCode; readonly message: string }> {
	const live = objectOf(task)
	if (!context.options.prune) return { status: 'PruneSkipped', message: 'ignored (requires pruning)' }
	if (isPruneDisabled(live, context.options)) return { status: 'PruneSkipped', message: 'ignored (no prune)' }
	if (mode.dryRun) return { status: 'Pruned', message: 'pruned (dry run)' }
	try {
		if (live.metadata.deletionTimestamp === undefined)
			await context.cluster.delete(refFrom(keyOf(live), live.apiVersion), {
				propagation: context.options.propagation,
				signal: context.signal,
			})
		return { status: 'Pruned', message: 'pruned' }
	} catch (error) {
		return { status: 'SyncFailed', message: clusterMessage(error) }
	}
}

async function deleteFirst(context: SyncContext, task: SyncTask): Promise<RunState> {
	try {
		if (await deleteTask(context, task)) return 'pending'
		task.live = undefined
		return 'successful'
	} catch (error) {
		const message = `failed to delete resource: ${clusterMessage(error)}`
		setResult(context, task, { status: task.result.status, phase: 'Error', message })
		return 'failed'
	}
}

async function apply(context: SyncContext, task: SyncTask, mode: RunMode): Promise<RunState> {
	const { target } = task
	if (target === undefined || (mode.dryRun && task.skipDryRun)) return 'successful'
	const { cluster, signal, options } = context
	try {
		let message
		if (mode.dryRun) {
			await predict(target, { cluster, signal })
			message = `${target.kind}/${target.metadata.name} (dry run)`
		} else {
			const strategy = applyStrategy(target, { live: task.live, options })
			const applied = await applyObject(target, { cluster, signal, live: task.live, ...strategy })
			context.live.record(applied.object)
			message = applied.message
		}
		if (!mode.dryRun || options.dryRun)
			setResult(context, task, { status: 'Synced', phase: mode.dryRun ? 'Succeeded' : 'Running', message })
		return 'successful'
	} catch (error) {
		if (mode.dryRun && !isRefusal(error, target)) return 'successful'
		setResult(context, task, { status: 'SyncFailed', phase: 'Failed', message: clusterMessage(error) })
		return 'failed'
	}

	/** A dry run is about the object alone: that its namespace is still to come is no fault of it. */
	function isRefusal(error: unknown, object: typeof target): boolean {
		if (hasOption(object, Annotation.syncOptions, 'Validate=false')) return false
		return clusterReason(error) === 'Invalid' || clusterReason(error) === 'BadRequest'
	}
}
