import type { ApplicationCondition } from '../../argocd/index.ts'

export type ConditionType =
	| 'ComparisonError'
	| 'InvalidSpecError'
	| 'SyncError'
	| 'UnknownError'
	| 'DeletionError'
	| 'SharedResourceWarning'
	| 'RepeatedResourceWarning'

export interface NewCondition {
	readonly type: ConditionType
	readonly message: string
}

/**
 * Replaces the conditions of the evaluated types. One whose message stays the same
 * keeps its `lastTransitionTime`.
 * @param now RFC 3339
 * @see pkg/apis/application/v1alpha1/types.go SetConditions
 */
export function setConditions(
	present: readonly ApplicationCondition[],
	change: {
		readonly conditions: readonly NewCondition[]
		readonly evaluated: readonly ConditionType[]
		readonly now: string
	},
): readonly ApplicationCondition[] {
	const evaluated = new Set<string>(change.evaluated)
	const kept = present.filter((each) => !evaluated.has(each.type))
	const set = change.conditions.map(
		(each): ApplicationCondition =>
			present.find((old) => old.type === each.type && old.message === each.message) ?? {
				...each,
				lastTransitionTime: change.now,
			},
	)
	const order = (each: ApplicationCondition): string => `${each.type}/${each.message}`
	return [...kept, ...set].sort((left, right) => (order(left) < order(right) ? -1 : 1))
}

/** Whether the conditions forbid an operation, and with what message it then ends. */
export function blockingConditions(conditions: readonly ApplicationCondition[]): string | undefined {
	const blocking = conditions.filter((each) => ['ComparisonError', 'InvalidSpecError'].includes(each.type))
	if (blocking.length === 0) return undefined
	return blocking.map((each) => `${each.type}: ${each.message}`).join(';')
}
