import type { Cluster, KubeObject } from '../../cluster/index.ts'
import { clusterMessage, clusterReason } from './apply.ts'
import { resourceHealth } from './health.ts'
import { HOOK_FINALIZER } from './hooks.ts'
import { keyOf, refFrom } from './resource-key.ts'
import { type Progressed, type SyncContext, setResult } from './sync-context.ts'
import { hasDeletePolicy, isCompleted, isHookTask, isRunning, objectOf, type SyncTask } from './sync-task.ts'

/** How far a hook is, by the health of its live object. */
export function hookProgress(live: KubeObject): Progressed {
	const health = resourceHealth(live)
	const message = health?.message ?? ''
	switch (health?.status) {
		case undefined:
			return { phase: 'Succeeded', message: `${live.metadata.name} created` }
		case 'Unknown':
		case 'Degraded':
			return { phase: 'Failed', message }
		case 'Progressing':
		case 'Suspended':
			return { phase: 'Running', message }
		case 'Healthy':
			return { phase: 'Succeeded', message }
		case 'Missing':
			return { phase: 'Succeeded', message: `${live.metadata.name} created` }
	}
}

/** Deletes the object of a task; `false` when it was gone already. */
export async function deleteTask(context: SyncContext, task: SyncTask): Promise<boolean> {
	const object = objectOf(task)
	const propagation = context.options.propagation
	return context.cluster.delete(refFrom(keyOf(object), object.apiVersion), {
		propagation,
		signal: context.signal,
	})
}

/** Lets a hook be deleted. What cannot be done is noted in the task's result. */
export async function removeHookFinalizer(context: SyncContext, task: SyncTask): Promise<boolean> {
	try {
		await releaseHook(context.cluster, objectOf(task), context.signal)
		return true
	} catch (error) {
		const message = `Failed to remove hook finalizer: ${clusterMessage(error)}`
		setResult(context, task, { status: task.result.status, phase: 'Error', message })
		return false
	}
}

const ATTEMPTS = 5

/** Takes our finalizer off a hook, again where somebody else wrote meanwhile. */
async function releaseHook(cluster: Cluster, hook: KubeObject, signal: AbortSignal): Promise<void> {
	const ref = refFrom(keyOf(hook), hook.apiVersion)
	for (let attempt = 1; ; attempt += 1) {
		const live = await cluster.get(ref, { signal })
		const finalizers = live?.metadata.finalizers ?? []
		if (!finalizers.includes(HOOK_FINALIZER)) return
		const metadata = {
			resourceVersion: live?.metadata.resourceVersion,
			finalizers: finalizers.filter((each) => each !== HOOK_FINALIZER),
		}
		try {
			await cluster.patch(ref, { metadata }, { type: 'application/merge-patch+json', signal })
			return
		} catch (error) {
			if (clusterReason(error) !== 'Conflict' || attempt === ATTEMPTS) throw error
		}
	}
}

export async function deleteHooks(context: SyncContext, tasks: readonly SyncTask[]): Promise<void> {
	for (const task of tasks) {
		try {
			await deleteTask(context, task)
		} catch (error) {
			const message = `failed to delete resource: ${clusterMessage(error)}`
			setResult(context, task, { status: task.result.status, phase: 'Error', message })
		}
	}
}

/**
 * Ends an operation at a person's wish: running hooks are let go and deleted.
 * @see gitops-engine pkg/sync/sync_context.go Terminate
 */
export async function terminate(context: SyncContext, tasks: readonly SyncTask[]): Promise<Progressed> {
	let clean = true
	for (const task of tasks.filter(isHookTask)) {
		if (!isRunning(task)) {
			if (isCompleted(task)) await removeHookFinalizer(context, task)
			continue
		}
		if (task.live === undefined) {
			setResult(context, task, { status: task.result.status, phase: 'Succeeded', message: 'Terminated' })
			continue
		}
		const progress = hookProgress(task.live)
		if (!(await removeHookFinalizer(context, task))) {
			clean = false
			continue
		}
		if (progress.phase === 'Running' || hasDeletePolicy(task, 'HookFailed'))
			await deleteHooks(context, [task])
		const ended =
			progress.phase === 'Running' ? { phase: 'Failed' as const, message: 'Terminated' } : progress
		setResult(context, task, { status: task.result.status, phase: ended.phase, message: ended.message })
	}
	return clean
		? { phase: 'Failed', message: 'Operation terminated' }
		: { phase: 'Error', message: 'Operation termination had errors' }
}
