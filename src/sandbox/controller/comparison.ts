import type { ApplicationSource, ResourceStatus, SyncStatusCode } from '../../argocd/index.ts'
import type { KubeObject } from '../../cluster/index.ts'
import type { NewCondition } from './conditions.ts'
import type { Health } from './health-status.ts'
import type { IgnoreRules } from './ignore-differences.ts'

export interface ManagedResource {
	readonly target: KubeObject | undefined
	readonly live: KubeObject | undefined
	readonly modified: boolean
}

export interface ResourceSummary extends ResourceStatus {
	readonly hook?: boolean
	readonly syncWave?: number
	readonly requiresDeletionConfirmation?: boolean
}

/** What is wanted against what is there. @see controller/state.go comparisonResult */
export interface Comparison {
	readonly status: SyncStatusCode
	/** Digest, or what was asked for when it could not be resolved. */
	readonly revision: string
	readonly source: ApplicationSource
	readonly sourceType: string | undefined
	readonly health: Health
	readonly resources: readonly ResourceSummary[]
	readonly managed: readonly ManagedResource[]
	readonly hooks: readonly KubeObject[]
	readonly conditions: readonly NewCondition[]
	readonly ignore: IgnoreRules
}
