import { type KubeObject, type ResourceType } from '../../cluster/index.ts'
import { Annotation, hasOption } from './annotations.ts'
import { clusterMessage } from './apply.ts'
import { notServedMessage } from './discovery.ts'
import { HOOK_FINALIZER, isHook, syncPhases } from './hooks.ts'
import { groupOf } from './object-fields.ts'
import { keyOf, withMetadata } from './resource-key.ts'
import { type SyncContext, setResult } from './sync-context.ts'
import {
	createTask,
	definedKind,
	objectOf,
	orderPruning,
	resultKey,
	sortTasks,
	type SyncTask,
} from './sync-task.ts'

export interface Plan {
	readonly tasks: readonly SyncTask[]
	/** Whether every task may be run. */
	readonly valid: boolean
}

/**
 * The tasks of an operation in their order, with what became of each so far.
 * @see gitops-engine pkg/sync/sync_context.go getSyncTasks
 */
export async function planTasks(context: SyncContext): Promise<Plan> {
	const tasks = [...resourceTasks(context), ...hookTasks(context)]
	const namespace = await namespaceTask(context)
	if (namespace !== undefined) tasks.push(namespace)
	for (const task of tasks) {
		if (task.target !== undefined && task.live === undefined) task.live = await findLive(context, task.target)
	}
	const defined = new Set(
		tasks.flatMap((task) => (task.target === undefined ? [] : (definedKind(task.target) ?? []))),
	)
	let valid = true
	for (const task of tasks) {
		const problem = await problemOf(context, task, defined)
		if (problem === undefined) continue
		setResult(context, task, { status: 'SyncFailed', phase: undefined, message: problem })
		valid = false
	}
	orderPruning(tasks, context.options)
	const sorted = sortTasks(tasks)
	for (const task of sorted) {
		const known = context.results.get(resultKey(task))
		if (known !== undefined)
			task.result = { status: known.status, operationPhase: known.hookPhase, message: known.message }
	}
	return { tasks: sorted, valid }
}

function resourceTasks(context: SyncContext): SyncTask[] {
	return context.managed.flatMap(({ target, live }) => {
		const object = target ?? live
		if (object === undefined || !context.includes(object) || isHook(object)) return []
		return syncPhases(object).map((phase) => createTask(phase, target, live))
	})
}

function hookTasks(context: SyncContext): SyncTask[] {
	if (context.options.skipHooks) return []
	return context.hooks.flatMap((hook) =>
		syncPhases(hook).map((phase) => {
			const { generateName } = hook.metadata as { readonly generateName?: string }
			const postfix = `${context.revision.slice(0, 7)}-${phase}-${Math.floor(Date.parse(context.startedAt) / 1000)}`
			// a digest holds a colon, which no name may
			const name = hook.metadata.name || `${generateName ?? ''}${postfix.toLowerCase().replaceAll(':', '-')}`
			const finalizers = [...new Set([...(hook.metadata.finalizers ?? []), HOOK_FINALIZER])]
			return createTask(phase, withMetadata(hook, { name, finalizers }))
		}),
	)
}

/** `CreateNamespace=true`: the destination's namespace, where no manifest brings it. */
async function namespaceTask(context: SyncContext): Promise<SyncTask | undefined> {
	const { namespace, namespaceMetadata } = context
	if (!context.options.createNamespace || namespace === '') return undefined
	if (context.managed.some(({ target }) => target !== undefined && isNamespace(target, namespace)))
		return undefined
	const live = await context.cluster.get(
		{ apiVersion: 'v1', kind: 'Namespace', name: namespace },
		{ signal: context.signal },
	)
	if (live !== undefined && namespaceMetadata === undefined) return undefined
	const metadata = {
		name: namespace,
		...(namespaceMetadata !== undefined && {
			labels: namespaceMetadata.labels,
			annotations: { ...namespaceMetadata.annotations, [Annotation.syncOptions]: 'ServerSideApply=true' },
		}),
	}
	return createTask('PreSync', { apiVersion: 'v1', kind: 'Namespace', metadata }, live)
}

export function isNamespace(object: KubeObject, name: string): boolean {
	return object.kind === 'Namespace' && groupOf(object.apiVersion) === '' && object.metadata.name === name
}

async function findLive(context: SyncContext, target: KubeObject): Promise<KubeObject | undefined> {
	const managed = context.managed.find((each) => each.target === target)
	if (managed !== undefined) return managed.live
	const { namespace, name } = target.metadata
	const { apiVersion, kind } = target
	return context.cluster.get(
		{ apiVersion, kind, name, ...(namespace !== undefined && { namespace }) },
		{ signal: context.signal },
	)
}

async function problemOf(
	context: SyncContext,
	task: SyncTask,
	defined: ReadonlySet<string>,
): Promise<string | undefined> {
	const object = objectOf(task)
	const { apiVersion, kind } = object
	const type: ResourceType = { apiVersion, kind }
	let scope
	try {
		scope = await context.discovery.scopeOf(type)
	} catch (error) {
		return clusterMessage(error)
	}
	if (scope !== undefined) return context.forbids(object, scope === 'namespaced')
	const mayCome =
		context.options.skipDryRunOnMissingResource ||
		hasOption(task.target, Annotation.syncOptions, 'SkipDryRunOnMissingResource=true') ||
		defined.has(`${keyOf(object).group}/${kind}`)
	if (!mayCome) return notServedMessage(type)
	task.skipDryRun = true
	return undefined
}
