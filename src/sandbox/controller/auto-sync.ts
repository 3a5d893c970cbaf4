import type { Application, OperationState } from '../../argocd/index.ts'
import type { Comparison } from './comparison.ts'
import type { NewCondition } from './conditions.ts'
import { numberAt, sameJson } from './object-fields.ts'

/** What automated sync makes of a comparison. */
export type AutoSync =
	| { readonly type: 'none' }
	| { readonly type: 'condition'; readonly condition: NewCondition }
	/** Self-healing again is not due yet; look again after this time. */
	| { readonly type: 'later'; readonly afterMs: number }
	| { readonly type: 'sync'; readonly operation: Readonly<Record<string, unknown>> }

const NONE: AutoSync = { type: 'none' }
const DEFAULT_RETRIES = 5

/** Argo CD's defaults: 2 s, three times as long each time, 300 s at most, none before the first. */
const SELF_HEAL = { firstMs: 2000, factor: 3, longestMs: 300_000 } as const

/** @see controller/appcontroller.go autoSync */
export function planAutoSync(
	application: Application,
	comparison: Comparison,
	/** Milliseconds since the epoch. */
	now: number,
): AutoSync {
	const policy = application.spec.syncPolicy
	const automated = policy?.automated
	if (automated === undefined || automated === null || automated.enabled === false) return NONE
	if (application.operation !== undefined && application.operation !== null) return NONE
	if (application.metadata.deletionTimestamp !== undefined || comparison.status !== 'OutOfSync') return NONE
	const { resources, revision, source } = comparison
	const prune = automated.prune === true
	if (!prune && resources.every((each) => each.status === 'Synced' || each.requiresPruning === true))
		return NONE

	const last = application.status?.operationState
	const sync: Record<string, unknown> = {
		source,
		revision,
		...(prune && { prune }),
		...(policy?.syncOptions !== undefined && { syncOptions: policy.syncOptions }),
	}
	if (wasAttempted(last, comparison)) {
		if (last?.phase !== 'Succeeded') {
			const message = `Failed last sync attempt to [${last?.syncResult?.revision ?? ''}]: ${last?.message ?? ''}`
			return { type: 'condition', condition: { type: 'SyncError', message } }
		}
		if (automated.selfHeal !== true) return NONE
		const attempts = numberAt(last.operation, 'sync', 'autoHealAttemptsCount') ?? 0
		const afterMs = selfHealDelay(last, { attempts, now })
		if (afterMs > 0) return { type: 'later', afterMs }
		sync['autoHealAttemptsCount'] = attempts + 1
		sync['resources'] = resources
			.filter((each) => each.status !== 'Synced')
			.map(({ group, kind, name }) => ({ ...(group !== undefined && { group }), kind, name }))
	}
	if (prune && automated.allowEmpty !== true && resources.every((each) => each.requiresPruning === true)) {
		const message = `Skipping sync attempt to [${revision}]: auto-sync will wipe out all resources`
		return { type: 'condition', condition: { type: 'SyncError', message } }
	}
	const retry = policy?.retry ?? { limit: DEFAULT_RETRIES }
	return { type: 'sync', operation: { sync, initiatedBy: { automated: true }, retry } }
}

/** Whether the last operation was for this very revision and source. */
function wasAttempted(last: OperationState | undefined | null, comparison: Comparison): boolean {
	if (last === undefined || last === null) return false
	if (last.syncResult === undefined || last.syncResult === null)
		return last.phase !== 'Running' && last.phase !== 'Terminating'
	return (
		last.syncResult.revision === comparison.revision && sameJson(last.syncResult.source, comparison.source)
	)
}

function selfHealDelay(
	last: OperationState,
	context: { readonly attempts: number; readonly now: number },
): number {
	if (context.attempts === 0) return 0
	const { firstMs, factor, longestMs } = SELF_HEAL
	const wait = Math.min(longestMs, firstMs * factor ** (context.attempts - 1))
	const since = last.finishedAt === undefined ? 0 : context.now - Date.parse(last.finishedAt)
	return wait - since
}
