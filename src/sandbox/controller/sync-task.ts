import type { OperationPhase } from '../../argocd/index.ts'
import { InternalError } from '../../errors/index.ts'
import type { KubeObject } from '../../cluster/index.ts'
import { Annotation, hasOption, syncWave } from './annotations.ts'
import { type DeletePolicy, deletePolicies, isHook, type SyncPhase } from './hooks.ts'
import { groupOf, textAt } from './object-fields.ts'
import { keyOf, keyText } from './resource-key.ts'

export type ResultCode = 'Synced' | 'SyncFailed' | 'Pruned' | 'PruneSkipped'

/** What became of one object in an operation, as it stands in `syncResult.resources`. */
interface TaskResult {
	readonly status?: ResultCode | undefined
	readonly operationPhase?: OperationPhase | undefined
	readonly message: string
}

/**
 * One object to apply or, without a target, to prune, in one phase.
 * @see gitops-engine pkg/sync/sync_task.go
 */
export interface SyncTask {
	phase: SyncPhase
	target: KubeObject | undefined
	live: KubeObject | undefined
	/** Its kind comes with this very sync, so that the API cannot check it beforehand. */
	skipDryRun: boolean
	waveOverride: number | undefined
	result: TaskResult
}

export function createTask(phase: SyncPhase, target: KubeObject | undefined, live?: KubeObject): SyncTask {
	return { phase, target, live, skipDryRun: false, waveOverride: undefined, result: { message: '' } }
}

/** The target where there is one, else the live object. */
export function objectOf(task: SyncTask): KubeObject {
	const object = task.target ?? task.live
	if (object === undefined) throw new InternalError('a sync task has neither a target nor a live object')
	return object
}

export const isPrune = (task: SyncTask): boolean => task.target === undefined
export const isHookTask = (task: SyncTask): boolean => isHook(objectOf(task))
export const isPending = (task: SyncTask): boolean => task.result.operationPhase === undefined
export const isRunning = (task: SyncTask): boolean => task.result.operationPhase === 'Running'
export const isSuccessful = (task: SyncTask): boolean => task.result.operationPhase === 'Succeeded'
export const isCompleted = (task: SyncTask): boolean =>
	task.result.operationPhase !== undefined &&
	['Failed', 'Error', 'Succeeded'].includes(task.result.operationPhase)

export const waveOf = (task: SyncTask): number => task.waveOverride ?? syncWave(objectOf(task))
export const resultKey = (task: SyncTask): string => `${keyText(keyOf(objectOf(task)))}:${task.phase}`

export function hasDeletePolicy(task: SyncTask, policy: DeletePolicy): boolean {
	return task.live !== undefined && isHookTask(task) && deletePolicies(objectOf(task)).includes(policy)
}

export const isDeletedBeforeCreation = (task: SyncTask): boolean =>
	isPending(task) && hasDeletePolicy(task, 'BeforeHookCreation')

const PHASES: readonly SyncPhase[] = ['PreSync', 'Sync', 'PostSync', 'SyncFail']

/** Kinds that go before custom ones, in this order. @see gitops-engine pkg/sync/sync_tasks.go */
const KINDS: readonly string[] =
	'Namespace NetworkPolicy ResourceQuota LimitRange PodSecurityPolicy PodDisruptionBudget ServiceAccount Secret SecretList ConfigMap StorageClass PersistentVolume PersistentVolumeClaim CustomResourceDefinition ClusterRole ClusterRoleList ClusterRoleBinding ClusterRoleBindingList Role RoleList RoleBinding RoleBindingList Service DaemonSet Pod ReplicationController ReplicaSet Deployment HorizontalPodAutoscaler StatefulSet Job CronJob IngressClass Ingress APIService'.split(
		' ',
	)

const rank = (order: readonly string[], value: string): number => {
	const index = order.indexOf(value)
	return index < 0 ? order.length : index
}

/** By phase, wave, kind and name; then namespaces before what stands in them, definitions before their objects. */
export function sortTasks(tasks: readonly SyncTask[]): SyncTask[] {
	const sorted = [...tasks].sort((left, right) => {
		const a = objectOf(left)
		const b = objectOf(right)
		return (
			rank(PHASES, left.phase) - rank(PHASES, right.phase) ||
			waveOf(left) - waveOf(right) ||
			rank(KINDS, a.kind) - rank(KINDS, b.kind) ||
			(a.metadata.name < b.metadata.name ? -1 : Number(a.metadata.name > b.metadata.name))
		)
	})
	const byNamespace = liftDependencies(sorted, {
		provides: (object) =>
			object.kind === 'Namespace' && groupOf(object.apiVersion) === '' ? object.metadata.name : undefined,
		needs: (object) => object.metadata.namespace,
	})
	return liftDependencies(byNamespace, {
		provides: definedKind,
		needs: (object) => `${groupOf(object.apiVersion)}/${object.kind}`,
	})
}

/** `group/Kind` a CustomResourceDefinition defines; `undefined` for any other object. */
export function definedKind(object: KubeObject): string | undefined {
	if (object.kind !== 'CustomResourceDefinition') return undefined
	return `${textAt(object, 'spec', 'group')}/${textAt(object, 'spec', 'names', 'kind')}`
}

/** Moves a task before the first one that needs it, into that one's phase and wave. */
function liftDependencies(
	tasks: readonly SyncTask[],
	dependency: {
		readonly provides: (object: KubeObject) => string | undefined
		readonly needs: (object: KubeObject) => string | undefined
	},
): SyncTask[] {
	const lifted: SyncTask[] = []
	for (const task of tasks) {
		const provided = task.target && dependency.provides(task.target)
		const index =
			provided === undefined
				? -1
				: lifted.findIndex(
						(each) =>
							each.target !== undefined &&
							dependency.provides(each.target) === undefined &&
							dependency.needs(each.target) === provided,
					)
		const dependent = lifted[index]
		if (dependent === undefined) {
			lifted.push(task)
			continue
		}
		task.waveOverride = waveOf(dependent)
		task.phase = dependent.phase
		lifted.splice(index, 0, task)
	}
	return lifted
}

/**
 * Pruning goes through the waves backwards; with `PruneLast` it waits for the last one.
 * @see https://argo-cd.readthedocs.io/en/stable/user-guide/sync-waves/
 */
export function orderPruning(tasks: readonly SyncTask[], options: { readonly pruneLast: boolean }): void {
	const pruning = tasks.filter(isPrune)
	const waves = [...new Set(pruning.map(waveOf))].sort((left, right) => left - right)
	const reversed = new Map(waves.map((wave, index) => [wave, waves[waves.length - 1 - index]]))
	for (const task of pruning) task.waveOverride = reversed.get(waveOf(task))
	const last = 1 + Math.max(0, ...tasks.filter((task) => task.phase === 'Sync').map(waveOf))
	for (const task of pruning) {
		if (options.pruneLast || hasOption(task.live, Annotation.syncOptions, 'PruneLast=true'))
			task.waveOverride = last
	}
}
