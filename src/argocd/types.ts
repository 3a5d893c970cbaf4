import type { KubeObject, ObjectMeta } from '../cluster/index.ts'

/** @see argo-cd pkg/apis/application/v1alpha1/types.go ApplicationSource, the fields lading reads or writes */
export interface ApplicationSource {
	readonly repoURL: string
	readonly targetRevision?: string | undefined
	readonly path?: string | undefined
	readonly chart?: string | undefined
	readonly ref?: string | undefined
	readonly directory?:
		| {
				readonly recurse?: boolean | undefined
				readonly include?: string | undefined
				readonly exclude?: string | undefined
		  }
		| undefined
	readonly kustomize?: Readonly<Record<string, unknown>> | undefined
	readonly helm?: Readonly<Record<string, unknown>> | undefined
}

export interface ApplicationDestination {
	readonly server?: string | undefined
	readonly name?: string | undefined
	readonly namespace?: string | undefined
}

export interface SyncPolicy {
	readonly automated?:
		| {
				readonly prune?: boolean | undefined
				readonly selfHeal?: boolean | undefined
				readonly allowEmpty?: boolean | undefined
				readonly enabled?: boolean | undefined
		  }
		| undefined
	readonly syncOptions?: readonly string[] | undefined
	readonly retry?: Readonly<Record<string, unknown>> | undefined
}

export interface ApplicationSpec {
	readonly project: string
	readonly source?: ApplicationSource | undefined
	readonly sources?: readonly ApplicationSource[] | undefined
	readonly destination: ApplicationDestination
	readonly syncPolicy?: SyncPolicy | undefined
	readonly revisionHistoryLimit?: number | undefined
}

export type SyncStatusCode = 'Synced' | 'OutOfSync' | 'Unknown'
export type HealthStatusCode = 'Healthy' | 'Progressing' | 'Degraded' | 'Suspended' | 'Missing' | 'Unknown'
export type OperationPhase = 'Running' | 'Terminating' | 'Failed' | 'Error' | 'Succeeded'

export interface ApplicationCondition {
	readonly type: string
	readonly message: string
	readonly lastTransitionTime?: string | undefined
}

export interface ResourceStatus {
	readonly group?: string | undefined
	readonly version?: string | undefined
	readonly kind: string
	readonly namespace?: string | undefined
	readonly name: string
	readonly status?: SyncStatusCode | undefined
	readonly health?:
		| { readonly status?: HealthStatusCode | undefined; readonly message?: string | undefined }
		| undefined
	readonly requiresPruning?: boolean | undefined
}

export interface RevisionHistory {
	readonly id: number
	/** The digest of the artifact. */
	readonly revision?: string | undefined
	readonly deployedAt: string
	readonly deployStartedAt?: string | undefined
	readonly source?: ApplicationSource | undefined
	readonly initiatedBy?:
		| { readonly username?: string | undefined; readonly automated?: boolean | undefined }
		| undefined
}

export interface SyncOperationResource {
	readonly group?: string | undefined
	readonly version?: string | undefined
	readonly kind: string
	readonly namespace?: string | undefined
	readonly name: string
	readonly status?: string | undefined
	readonly message?: string | undefined
	readonly hookPhase?: string | undefined
	/** Only hooks have one; a phase have all that were applied. */
	readonly hookType?: string | undefined
	readonly syncPhase?: string | undefined
}

export interface OperationState {
	readonly phase: OperationPhase
	readonly message?: string | undefined
	readonly startedAt?: string | undefined
	readonly finishedAt?: string | undefined
	readonly retryCount?: number | undefined
	readonly operation?: Readonly<Record<string, unknown>> | undefined
	readonly syncResult?:
		| {
				readonly revision?: string | undefined
				readonly source?: ApplicationSource | undefined
				readonly resources?: readonly SyncOperationResource[] | undefined
		  }
		| undefined
}

export interface ApplicationStatus {
	readonly sync?:
		| {
				readonly status: SyncStatusCode
				readonly revision?: string | undefined
				readonly revisions?: readonly string[] | undefined
				readonly comparedTo?: Readonly<Record<string, unknown>> | undefined
		  }
		| undefined
	readonly health?:
		| { readonly status?: HealthStatusCode | undefined; readonly message?: string | undefined }
		| undefined
	readonly conditions?: readonly ApplicationCondition[] | undefined
	readonly resources?: readonly ResourceStatus[] | undefined
	readonly history?: readonly RevisionHistory[] | undefined
	readonly operationState?: OperationState | undefined
	readonly reconciledAt?: string | undefined
	readonly sourceType?: string | undefined
	readonly summary?: Readonly<Record<string, unknown>> | undefined
}

/** `argoproj.io/v1alpha1 Application`. */
export interface Application extends KubeObject {
	readonly apiVersion: 'argoproj.io/v1alpha1'
	readonly kind: 'Application'
	readonly metadata: ObjectMeta
	readonly spec: ApplicationSpec
	readonly status?: ApplicationStatus | undefined
	readonly operation?: Readonly<Record<string, unknown>> | undefined
}
