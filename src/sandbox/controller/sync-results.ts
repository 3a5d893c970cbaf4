import type { OperationPhase, OperationState, SyncOperationResource } from '../../argocd/index.ts'
import type { SyncPhase } from './hooks.ts'
import { listAt, textAt } from './object-fields.ts'
import { keyOf } from './resource-key.ts'
import type { SyncResult } from './sync-context.ts'
import { createTask, type ResultCode, resultKey } from './sync-task.ts'

/** The results of the steps so far, by key. */
export function knownResults(state: OperationState): Map<string, SyncResult> {
	const results = new Map<string, SyncResult>()
	for (const each of state.syncResult?.resources ?? []) {
		const syncPhase = (each.syncPhase ?? 'Sync') as SyncPhase
		const version = each.version ?? 'v1'
		const group = each.group ?? ''
		const metadata = { name: each.name, ...(each.namespace !== undefined && { namespace: each.namespace }) }
		const object = { apiVersion: group === '' ? version : `${group}/${version}`, kind: each.kind, metadata }
		results.set(resultKey(createTask(syncPhase, object)), {
			key: keyOf(object),
			version,
			status: each.status as ResultCode | undefined,
			message: each.message ?? '',
			hookType: textAt(each, 'hookType') === '' ? undefined : syncPhase,
			hookPhase: each.hookPhase as OperationPhase | undefined,
			syncPhase,
			images: listAt(each, 'images').filter((image) => typeof image === 'string'),
		})
	}
	return results
}

/** A result as it stands in `syncResult.resources`. */
export function formatResult(
	result: SyncResult,
): SyncOperationResource & { readonly images?: readonly string[] } {
	const { group, kind, namespace, name } = result.key
	return {
		group,
		version: result.version,
		kind,
		namespace,
		name,
		...(result.status !== undefined && { status: result.status }),
		...(result.message !== '' && { message: result.message }),
		...(result.hookType !== undefined && { hookType: result.hookType }),
		...(result.hookPhase !== undefined && { hookPhase: result.hookPhase }),
		syncPhase: result.syncPhase,
		...(result.images.length > 0 && { images: result.images }),
	}
}
