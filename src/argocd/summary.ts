import { unreachable } from '../errors/index.ts'
import { isDigest } from '../oci/index.ts'
import { ArgocdName } from './names.ts'
import { sourcesOf } from './source-match.ts'
import type {
	Application,
	ApplicationCondition,
	HealthStatusCode,
	OperationPhase,
	SyncStatusCode,
} from './types.ts'

/** What people ask of an Application. */
export interface ApplicationSummary {
	readonly name: string
	readonly namespace?: string | undefined
	readonly project: string
	readonly repoURL?: string | undefined
	/** As the spec has it. */
	readonly targetRevision?: string | undefined
	readonly sync: SyncStatusCode
	readonly health: HealthStatusCode
	/** The digest last compared with; absent before the first comparison and after a failed one. */
	readonly revision?: string | undefined
	readonly operation?:
		| {
				readonly phase: OperationPhase
				readonly message?: string | undefined
				readonly revision?: string | undefined
		  }
		| undefined
	readonly conditions: readonly ApplicationCondition[]
	/** Number of resources Argo CD manages for it. */
	readonly resources: number
	readonly automated: boolean
	/** Being removed. */
	readonly deleting: boolean
}

export function summarize(application: Application): ApplicationSummary {
	const { metadata, spec, status } = application
	const [source] = sourcesOf(application)
	const operation = status?.operationState
	const revision = status?.sync?.revision
	return {
		name: metadata.name,
		...(metadata.namespace !== undefined && { namespace: metadata.namespace }),
		project: spec.project,
		...(source !== undefined && { repoURL: source.repoURL, targetRevision: source.targetRevision ?? '' }),
		sync: status?.sync?.status ?? 'Unknown',
		health: status?.health?.status ?? 'Unknown',
		...(revision !== undefined && revision !== '' && { revision }),
		...(operation !== undefined && {
			operation: {
				phase: operation.phase,
				...(operation.message !== undefined && { message: operation.message }),
				...(operation.syncResult?.revision !== undefined && { revision: operation.syncResult.revision }),
			},
		}),
		conditions: status?.conditions ?? [],
		resources: status?.resources?.length ?? 0,
		automated: isAutomated(application),
		deleting: metadata.deletionTimestamp !== undefined,
	}
}

/** Whether what Argo CD says is of before the Application was changed, or a comparison asked for. */
export function isStale({ metadata, spec, status }: Application): boolean {
	if (metadata.annotations?.[ArgocdName.refreshAnnotation] !== undefined) return true
	const compared = status?.sync?.comparedTo?.source
	if (typeof compared !== 'object' || compared === null || spec.source === undefined) return false
	const { repoURL, targetRevision } = spec.source
	const before: Readonly<Record<string, unknown>> = { ...compared }
	return before.repoURL !== repoURL || (before.targetRevision ?? '') !== (targetRevision ?? '')
}

export function isAutomated({ spec }: Application): boolean {
	const automated = spec.syncPolicy?.automated
	return automated !== undefined && automated !== null && automated.enabled !== false
}

/** Whether the sync that runs has failed before, and is tried again. */
export function isRetrying({ status }: Application): boolean {
	const operation = status?.operationState
	if (operation?.phase !== 'Running') return false
	return (operation.retryCount ?? 0) > 0 || /Retrying attempt/.test(operation.message ?? '')
}

/**
 * Whether nothing but deleting is left to do, and Argo CD is not to delete: it calls that OutOfSync and starts no sync.
 * @see argo-cd controller/appcontroller.go autoSync
 */
export function waitsForPruning(application: Application): boolean {
	const { spec, status } = application
	if (status?.sync?.status !== 'OutOfSync' || !isAutomated(application)) return false
	if (spec.syncPolicy?.automated?.prune === true) return false
	const different = (status.resources ?? []).filter((each) => each.status === 'OutOfSync')
	return different.length > 0 && different.every(({ requiresPruning }) => requiresPruning === true)
}

const ERROR_CONDITION = /Error$/

/** Where an Application stands on its way to a digest. */
export type Progress =
	/** Synced at the digest and Healthy. */
	| { readonly state: 'settled' }
	/** Still on its way: waiting makes sense. */
	| {
			readonly state: 'running'
			readonly why: 'not-compared' | 'other-revision' | 'syncing' | 'progressing' | 'deleting'
	  }
	/** Only a person, or a changed artifact, moves it on. */
	| {
			readonly state: 'stopped'
			readonly why: 'comparison-failed' | 'sync-failed' | 'degraded' | 'manual' | 'suspended'
			readonly message?: string | undefined
	  }

export interface ProgressOptions {
	/** What was pushed; absent: any revision will do. */
	readonly digest?: string | undefined
	/** RFC 3339 time of the refresh: a failed comparison or sync from before it does not count. */
	readonly since?: string | undefined
}

/**
 * Where an Application stands. "Healthy" alone means nothing: Argo CD keeps it while
 * the sync status is Unknown, and "Synced" may still be that of the revision before.
 */
export function progressOf(application: Application, options: ProgressOptions = {}): Progress {
	const { status, metadata } = application
	if (metadata.deletionTimestamp !== undefined) return { state: 'running', why: 'deleting' }
	if (status?.sync === undefined || isOlder(status.reconciledAt, options.since)) {
		return { state: 'running', why: 'not-compared' }
	}
	const condition = status.conditions?.find(({ type }) => ERROR_CONDITION.test(type))
	const operation = status.operationState
	const syncing = operation?.phase === 'Running' || operation?.phase === 'Terminating'
	if (condition !== undefined && !syncing) {
		return {
			state: 'stopped',
			why: condition.type === 'SyncError' ? 'sync-failed' : 'comparison-failed',
			message: condition.message,
		}
	}
	if (options.digest !== undefined && status.sync.revision !== options.digest) {
		return { state: 'running', why: 'other-revision' }
	}
	if (syncing) return { state: 'running', why: 'syncing' }
	if (status.sync.status !== 'Synced') return outOfSync(application)
	return healthProgress(application)
}

function isOlder(time: string | undefined | null, since: string | undefined): boolean {
	if (since === undefined) return false
	// Kubernetes keeps whole seconds: within the same one, the comparison counts as new.
	return time === undefined || time === null || Date.parse(time) < Math.floor(Date.parse(since) / 1000) * 1000
}

function outOfSync(application: Application): Progress {
	const operation = application.status?.operationState
	const revision = application.status?.sync?.revision
	const failed = operation?.phase === 'Failed' || operation?.phase === 'Error'
	const here = operation?.syncResult?.revision === undefined || operation.syncResult.revision === revision
	if (failed && here) {
		return {
			state: 'stopped',
			why: 'sync-failed',
			...(operation.message !== undefined && { message: operation.message }),
		}
	}
	const startsNone = !isAutomated(application) || waitsForPruning(application)
	if (startsNone && application.operation === undefined) return { state: 'stopped', why: 'manual' }
	return { state: 'running', why: 'syncing' }
}

function healthProgress({ status }: Application): Progress {
	const { status: code, message } = status?.health ?? {}
	const said = message === undefined ? {} : { message }
	switch (code) {
		case 'Healthy':
			return { state: 'settled' }
		case 'Degraded':
			return { state: 'stopped', why: 'degraded', ...said }
		case 'Suspended':
			return { state: 'stopped', why: 'suspended', ...said }
		case 'Progressing':
		case 'Missing':
		case 'Unknown':
		case undefined:
			return { state: 'running', why: 'progressing' }
		default:
			return unreachable(code)
	}
}

/** Synced at the digest (any, where none is asked for) and Healthy. */
export function isSettled(application: Application, options: ProgressOptions = {}): boolean {
	return progressOf(application, options).state === 'settled'
}

/** Digests an Application was deployed at, the newest first. */
export function deployedDigests({ status }: Application): readonly string[] {
	return (status?.history ?? [])
		.map(({ revision }) => revision)
		.filter((revision) => revision !== undefined && isDigest(revision))
		.toReversed()
}
