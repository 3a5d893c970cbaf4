import type { OperationPhase } from '../../argocd/index.ts'
import type { Cluster, KubeObject } from '../../cluster/index.ts'
import type { ManagedResource } from './comparison.ts'
import type { Discovery } from './discovery.ts'
import type { LiveStore } from './live-store.ts'
import { versionOf } from './object-fields.ts'
import { isHook, type SyncPhase } from './hooks.ts'
import { imagesOf } from './images.ts'
import { keyOf, type ResourceKey } from './resource-key.ts'
import type { SyncOptions } from './sync-options.ts'
import { objectOf, type ResultCode, resultKey, type SyncTask } from './sync-task.ts'

/** One line of `operationState.syncResult.resources`. */
export interface SyncResult {
	readonly key: ResourceKey
	readonly version: string
	readonly status: ResultCode | undefined
	readonly message: string
	readonly hookType: SyncPhase | undefined
	readonly hookPhase: OperationPhase | undefined
	readonly syncPhase: SyncPhase
	readonly images: readonly string[]
}

/** Everything one step of an operation needs; `results` and `phase` are what it moves on. */
export interface SyncContext {
	readonly cluster: Cluster
	readonly live: LiveStore
	readonly discovery: Discovery
	/** Namespace of the application's destination. */
	readonly namespace: string
	/** Digest of the artifact, for the names of hooks. */
	readonly revision: string
	/** RFC 3339. */
	readonly startedAt: string
	readonly options: SyncOptions
	readonly managed: readonly ManagedResource[]
	readonly hooks: readonly KubeObject[]
	/** Labels and annotations of a namespace Argo CD manages; `undefined` where it does not. */
	readonly namespaceMetadata:
		| {
				readonly labels?: Readonly<Record<string, string>> | undefined
				readonly annotations?: Readonly<Record<string, string>> | undefined
		  }
		| undefined
	/** Why the project forbids an object; `undefined` when it does not. */
	readonly forbids: (object: KubeObject, namespaced: boolean) => string | undefined
	/** Objects the operation is limited to; `undefined` for all. */
	readonly includes: (object: KubeObject) => boolean
	/** Lets other controllers see a wave before the next one is judged. */
	readonly betweenWaves: () => Promise<void>
	readonly signal: AbortSignal
	/** By {@link resultKey}, in the order of their making. */
	readonly results: Map<string, SyncResult>
}

export interface Progressed {
	readonly phase: OperationPhase
	readonly message: string
}

/** Notes what became of a task, in the task and in the results. An empty message keeps the last one. */
export function setResult(
	context: SyncContext,
	task: SyncTask,
	result: {
		readonly status: ResultCode | undefined
		readonly phase: OperationPhase | undefined
		readonly message?: string | undefined
	},
): void {
	const message = (result.message ?? '') === '' ? task.result.message : (result.message ?? '')
	task.result = { status: result.status, operationPhase: result.phase, message }
	const object = objectOf(task)
	context.results.set(resultKey(task), {
		key: keyOf(object),
		version: versionOf(object.apiVersion),
		status: result.status,
		message,
		hookType: isHook(object) ? task.phase : undefined,
		hookPhase: result.phase,
		syncPhase: task.phase,
		images: imagesOf(object),
	})
}
