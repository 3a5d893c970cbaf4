import {
	type Application,
	type Explanation,
	explain,
	progressOf,
	type Progress,
	type ResourceStatus,
	summarize,
	warningsOf,
} from '../argocd/index.ts'
import { InternalError, LadingError, RemoteError, unreachable } from '../errors/index.ts'
import type { ApplicationApi, ApplicationRef } from './application-api.ts'
import { isRefreshing } from './refresh.ts'
import { notFound } from './move-revision.ts'

export interface SyncResult extends ApplicationRef {
	readonly sync: 'Synced'
	readonly health: string
	/** The digest it runs at. */
	readonly revision?: string | undefined
	readonly resources: readonly ResourceStatus[]
	/** What there is to say of it all the same: warnings of Argo CD's, and what only looks well. */
	readonly explanations: readonly Explanation[]
	/** Milliseconds from the call until Synced at the digest, and until Healthy. */
	readonly durations: { readonly synced: number; readonly healthy?: number | undefined }
}

export interface WaitForSyncOptions extends ApplicationRef {
	/** What was pushed; absent: any. */
	readonly digest?: string | undefined
	/**
	 * As it was when the caller asked for a comparison. Where one was asked for already, it may have
	 * begun before that; Argo CD takes both requests away with its result (`persistAppStatus`).
	 */
	readonly before?: Application | undefined
	/** Credentials were changed just before: Argo CD hears of that a moment later, and may compare with those of before. */
	readonly isChanged?: boolean | undefined
	/** Waits for Healthy too; true. */
	readonly health?: boolean | undefined
	/** Milliseconds; five minutes. */
	readonly timeoutMs?: number | undefined
	readonly signal?: AbortSignal | undefined
	/** Told of every change. */
	readonly onChange?: ((application: Application, progress: Progress) => void) | undefined
	/**
	 * Whether Argo CD was given the registry's CA. While it was, an unknown CA only means
	 * that the kubelet has not written it to the pod yet, and the wait goes on.
	 */
	readonly isCaTrusted?: (() => Promise<boolean>) | undefined
	/** Why it is not Healthy, a line for each resource: Argo CD itself does not keep it. */
	readonly whyUnhealthy?: ((application: Application) => Promise<readonly string[]>) | undefined
	/** Milliseconds that Degraded, or a failed operation, must last to count: it may still be that of before; 3 s. */
	readonly graceMs?: number | undefined
	/** Milliseconds between refreshes while the CA is on its way, or the repo-server starts; 5 s. */
	readonly retryMs?: number | undefined
	/**
	 * Milliseconds without news after which a comparison is asked for again: Argo CD misses some changes
	 * (of a CustomResourceDefinition, say) until it looks by itself, every two minutes; 20 s.
	 */
	readonly nudgeMs?: number | undefined
	/** Milliseconds, of any clock that does not go back. */
	readonly now?: (() => number) | undefined
}

const TIMEOUT_MS = 300_000
const GRACE_MS = 3000
const RETRY_MS = 5000
const NUDGE_MS = 20_000
const UNKNOWN_CA = 'ca-unknown'
const NO_REPO_SERVER = 'repo-server-down'
/** The part of the timeout in which the repo-server may start: after a node or Argo CD itself was restarted, it does. */
const STARTING_PART = 0.2

type Verdict =
	| { readonly kind: 'wait' }
	/** Asked for again; the error, should that not help for long. */
	| { readonly kind: 'retry'; readonly error?: RemoteError }
	/** A no, should it last. */
	| { readonly kind: 'doubtful'; readonly error: RemoteError }
	| { readonly kind: 'done' }
	| { readonly kind: 'failed'; readonly error: RemoteError }

/**
 * Waits, by watching, until an Application is Synced at the digest and Healthy. Call it
 * after the change was written: what stood before the comparison then asked for does not count.
 * @throws RemoteError `SYNC_FAILED`, `APPLICATION_DEGRADED`, `TIMED_OUT`, `NOT_FOUND`
 */
export async function waitForSync(api: ApplicationApi, options: WaitForSyncOptions): Promise<SyncResult> {
	const { signal, timeoutMs = TIMEOUT_MS, now = () => performance.now() } = options
	const started = now()
	const timers = new Timers(signal)
	timers.after('timeout', timeoutMs, () => timers.stop())
	const refresh = ({ ifPossible }: { readonly ifPossible: boolean }): void => {
		api.refresh(options, { signal: timers.signal }).catch((error: unknown) => {
			// The watch goes on all the same, and tells what there is to tell.
			if (!(ifPossible && error instanceof LadingError)) timers.fail(error)
		})
	}
	const failWith = (error: RemoteError) => (): void => timers.fail(error)
	let last: Application | undefined
	let synced: number | undefined
	let failure: Error | undefined
	let shared = sharedIn(options.before)
	/** What a failed comparison is worth: where it may be one of before, another is asked for, and seen to be. */
	let doubt: 'of before' | 'asked again' | undefined =
		options.isChanged === true || (options.before !== undefined && isRefreshing(options.before))
			? 'of before'
			: undefined
	try {
		for await (const application of api.watch(options, { signal: timers.signal })) {
			if (application === undefined) {
				if (last !== undefined) throw gone(options)
				// A watch may start a moment before the object is visible; the caller has just written it.
				timers.after('absent', options.graceMs ?? GRACE_MS, () => timers.fail(notFound(api, options)))
				continue
			}
			timers.cancel('absent')
			last = application
			shared = sharedIn(application) ?? shared
			const progress: Progress = isRefreshing(application)
				? { state: 'running', why: 'not-compared' }
				: progressOf(application, { digest: options.digest })
			options.onChange?.(application, progress)
			if (synced === undefined && isSynced(application, options.digest)) synced = now() - started
			if (doubt === 'asked again' && isRefreshing(application)) doubt = undefined
			const judged = await judge(application, { progress, options })
			const isCompared = judged.kind === 'failed' && isComparisonFailed(progress)
			const verdict: Verdict =
				isCompared && doubt !== undefined ? { kind: 'doubtful', error: judged.error } : judged
			if (isCompared && doubt === 'of before') {
				doubt = 'asked again'
				refresh({ ifPossible: true })
			}
			if (verdict.kind !== 'doubtful') timers.cancel('doubtful')
			if (verdict.kind !== 'retry') timers.cancel('retry')
			const isAsked = progress.state === 'running' && progress.why === 'not-compared'
			if (verdict.kind !== 'retry' && !isAsked) timers.cancel('starting')
			timers.cancel('nudge')
			switch (verdict.kind) {
				case 'wait':
					timers.after('nudge', options.nudgeMs ?? NUDGE_MS, () => refresh({ ifPossible: true }))
					break
				case 'retry':
					timers.after('retry', options.retryMs ?? RETRY_MS, () => refresh({ ifPossible: false }))
					if (verdict.error) timers.after('starting', timeoutMs * STARTING_PART, failWith(verdict.error))
					break
				case 'doubtful':
					timers.after('doubtful', options.graceMs ?? GRACE_MS, failWith(verdict.error))
					break
				case 'done':
					return resultOf(application, {
						synced: synced ?? now() - started,
						healthy: now() - started,
						shared,
						options,
					})
				case 'failed':
					throw verdict.error
				default:
					unreachable(verdict)
			}
		}
	} finally {
		failure = timers.failure
		timers.stop()
	}
	signal?.throwIfAborted()
	const causes = (last && (await options.whyUnhealthy?.(last))) ?? []
	if (failure instanceof RemoteError && failure.code === 'APPLICATION_DEGRADED' && last !== undefined)
		throw degraded(last, causes)
	if (failure !== undefined) throw failure
	throw timedOut(last, { options, causes, trouble: await lastTrouble(api, options) })
}

/** That another Application has a resource too: a sync takes it over, and no comparison after it tells of that. */
function sharedIn(application: Application | undefined): Explanation | undefined {
	return application && warningsOf(application).find(({ cause }) => cause === 'resource-shared')
}

function isComparisonFailed(progress: Progress): boolean {
	return progress.state === 'stopped' && progress.why === 'comparison-failed'
}

function hasSyncError({ status }: Application): boolean {
	return status?.conditions?.some(({ type }) => type === 'SyncError') === true
}

function isSynced(application: Application, digest: string | undefined): boolean {
	const sync = application.status?.sync
	return (
		!isRefreshing(application) &&
		sync?.status === 'Synced' &&
		(digest === undefined || sync.revision === digest)
	)
}

async function judge(
	application: Application,
	{ progress, options }: { readonly progress: Progress; readonly options: WaitForSyncOptions },
): Promise<Verdict> {
	if (progress.state === 'settled') return { kind: 'done' }
	const operation = application.status?.operationState?.phase
	const busy = application.operation !== undefined || operation === 'Running' || operation === 'Terminating'
	const atHome = options.health === false && isSynced(application, options.digest) && !busy
	if (atHome) return { kind: 'done' }
	const explanations = explain(application)
	if (progress.state === 'running') {
		if (progress.why !== 'syncing' || !isLeftSo(application, explanations)) return { kind: 'wait' }
		return {
			kind: 'doubtful',
			error: failed({ application, explanations, said: saidOfManual(explanations) }),
		}
	}
	switch (progress.why) {
		case 'degraded':
			return { kind: 'doubtful', error: degraded(application) }
		case 'suspended':
			return {
				kind: 'failed',
				error: failed({ application, explanations, said: 'is suspended', message: progress.message }),
			}
		case 'manual':
			// A sync that was asked for is still written here.
			if (busy) return { kind: 'wait' }
			return {
				// The comparison that follows a sync comes a moment after its end.
				kind: application.status?.operationState?.phase === 'Succeeded' ? 'doubtful' : 'failed',
				error: failed({ application, explanations, said: saidOfManual(explanations) }),
			}
		case 'sync-failed':
			if (busy) return { kind: 'wait' }
			return {
				// Without a condition it may be the operation before this one.
				kind: hasSyncError(application) ? 'failed' : 'doubtful',
				error: failed({ application, explanations, said: 'could not be synced', message: progress.message }),
			}
		case 'comparison-failed': {
			const errors = explanations.filter(({ severity }) => severity === 'error')
			const isOnly = (wanted: string): boolean =>
				errors.length > 0 && errors.every(({ cause }) => cause === wanted)
			if (isOnly(UNKNOWN_CA) && (await options.isCaTrusted?.()) === true) return { kind: 'retry' }
			const said = 'could not be compared with its artifact'
			const error = failed({ application, explanations, said, message: progress.message })
			return { kind: isOnly(NO_REPO_SERVER) ? 'retry' : 'failed', error }
		}
		default:
			return unreachable(progress)
	}
}

/** Whether Argo CD has applied all it was given, and lets the difference stand. */
function isLeftSo({ spec }: Application, explanations: readonly Explanation[]): boolean {
	if (spec.syncPolicy?.automated?.selfHeal === true) return false
	return explanations.some(({ cause }) => cause === 'still-different')
}

/** They only say that there is more to say. */
const GENERAL: ReadonlySet<string> = new Set(['objects-failed', 'tasks-failed', 'tasks-invalid', 'unknown'])

function saidOfManual(explanations: readonly Explanation[]): string {
	const left = explanations.some(({ cause }) => cause === 'not-pruned' || cause === 'still-different')
	return left ? 'is synced as far as Argo CD was asked to' : 'does not sync by itself'
}

interface Failed {
	readonly application: Application
	readonly explanations: readonly Explanation[]
	readonly said: string
	readonly message?: string | undefined
}

function failed({ application, explanations, said, message }: Failed): RemoteError {
	const errors = explanations.filter(({ severity }) => severity === 'error')
	const cause = errors.find((each) => !GENERAL.has(each.cause)) ?? errors[0] ?? explanations[0]
	const told = cause?.cause === 'unknown' ? cause.what : `${cause?.what} ${cause?.why}`
	const why = cause === undefined ? (message ?? '') : told
	const { name, namespace = 'argocd' } = application.metadata
	return new RemoteError('SYNC_FAILED', `the Application ${name} ${said}${why === '' ? '' : `: ${why}`}`, {
		hint: cause?.next ?? `Look closer: kubectl describe application ${name} -n ${namespace}`,
		details: explanations.flatMap((each) => (each.message === undefined ? [] : [each.message])),
	})
}

function degraded(application: Application, causes: readonly string[] = []): RemoteError {
	const unhealthy = [...causes, ...unhealthyResources(application)]
	const { name } = application.metadata
	const message = application.status?.health?.message
	return new RemoteError(
		'APPLICATION_DEGRADED',
		`the Application ${name} is Synced and Degraded${message === undefined ? '' : `: ${message}`}`,
		{
			hint: `See why: lading status ${name}, and kubectl get events -n ${application.spec.destination.namespace ?? 'default'}`,
			details: unhealthy,
		},
	)
}

function unhealthyResources({ status }: Application): readonly string[] {
	return (status?.resources ?? []).flatMap(({ kind, name, health }) =>
		health?.status === undefined || health.status === 'Healthy'
			? []
			: [`${kind} ${name}: ${health.status}${health.message === undefined ? '' : ` (${health.message})`}`],
	)
}

function gone({ name }: ApplicationRef): RemoteError {
	return new RemoteError('NOT_FOUND', `the Application ${name} was deleted while it was waited for`, {
		hint: 'Someone else removed it. Deploy it again: lading deploy',
	})
}

const LAST_LOOK_MS = 5000

/** Whether it was the connection that kept news away: a watch reconnects in silence. */
async function lastTrouble(
	api: ApplicationApi,
	options: WaitForSyncOptions,
): Promise<LadingError | undefined> {
	const timeout = AbortSignal.timeout(LAST_LOOK_MS)
	try {
		await api.get(options, { signal: options.signal ? AbortSignal.any([options.signal, timeout]) : timeout })
		return undefined
	} catch (error) {
		options.signal?.throwIfAborted()
		return error instanceof LadingError ? error : undefined
	}
}

interface TimedOut {
	readonly options: WaitForSyncOptions
	readonly causes: readonly string[]
	readonly trouble: LadingError | undefined
}

function timedOut(application: Application | undefined, { options, causes, trouble }: TimedOut): RemoteError {
	const { name, timeoutMs = TIMEOUT_MS, digest } = options
	const seconds = `${timeoutMs / 1000} s`
	if (trouble !== undefined) {
		return new RemoteError(
			'TIMED_OUT',
			`what became of the Application ${name} is not known after ${seconds}: ${trouble.message}`,
			{ hint: `Once the cluster answers, look: lading status ${name}`, cause: trouble },
		)
	}
	if (application === undefined) {
		return new RemoteError('TIMED_OUT', `nothing was heard of the Application ${name} within ${seconds}`, {
			hint: 'See whether the cluster answers: lading doctor',
		})
	}
	const { sync, health, revision } = summarize(application)
	const at = revision === undefined ? '' : ` at ${revision}`
	const explanations = explain(application)
	const cause = explanations.find(({ severity }) => severity === 'error') ?? explanations[0]
	const why = isRefreshing(application)
		? 'Argo CD has not compared it yet'
		: cause !== undefined
			? cause.what
			: digest !== undefined && revision !== digest
				? `it is not at ${digest} yet`
				: whyOnItsWay(application)
	return new RemoteError(
		'TIMED_OUT',
		`the Application ${name} is ${sync}${at} and ${health} after ${seconds}: ${why}`,
		{
			hint: isRefreshing(application)
				? `See whether Argo CD works: kubectl get pods -n ${options.namespace} -l app.kubernetes.io/name=argocd-application-controller`
				: (cause?.next ?? `Wait longer with --timeout, or look: lading status ${name}`),
			details: [
				...causes,
				...unhealthyResources(application),
				...explain(application).map(({ what, why }) => `${what} ${why}`),
			],
		},
	)
}

function whyOnItsWay(application: Application): string {
	const { status } = application
	const explained = explain(application)[0]
	if (explained !== undefined) return explained.what
	if (status?.health?.message !== undefined) return status.health.message
	const operation = status?.operationState
	if (operation?.phase === 'Running' && operation.message !== undefined) return operation.message
	if (status?.sync?.status !== 'Synced') return 'Argo CD has not applied it yet'
	return 'it does not become Healthy'
}

interface Settled {
	readonly synced: number
	readonly healthy: number
	readonly shared: Explanation | undefined
	readonly options: WaitForSyncOptions
}

/** Of an Application that is settled, so that there is nothing to wait for. */
export function settledResult(application: Application, ref: ApplicationRef): SyncResult {
	return resultOf(application, { synced: 0, healthy: 0, shared: undefined, options: ref })
}

function resultOf(application: Application, { synced, healthy, shared, options }: Settled): SyncResult {
	const { health, revision } = summarize(application)
	const warnings = warningsOf(application)
	const isToldStill = warnings.some(({ cause }) => cause === shared?.cause)
	const isTakenOver = shared !== undefined && !isToldStill && hasSyncedSince(options.before, application)
	return {
		name: options.name,
		namespace: options.namespace,
		sync: 'Synced',
		health,
		revision,
		resources: application.status?.resources ?? [],
		explanations: isTakenOver ? [...warnings, shared] : warnings,
		durations: { synced, ...(health === 'Healthy' && { healthy }) },
	}
}

function hasSyncedSince(before: Application | undefined, { status }: Application): boolean {
	return status?.operationState?.startedAt !== before?.status?.operationState?.startedAt
}

/** Named timers that end with the wait; `fail` ends it with an error. */
class Timers {
	readonly #controller = new AbortController()
	readonly #timers = new Map<string, NodeJS.Timeout>()
	readonly signal: AbortSignal
	failure: Error | undefined

	constructor(signal: AbortSignal | undefined) {
		this.signal = signal ? AbortSignal.any([signal, this.#controller.signal]) : this.#controller.signal
	}

	/** A timer of this name that runs already goes on. */
	after(name: string, milliseconds: number, run: () => void): void {
		if (this.#timers.has(name)) return
		this.#timers.set(
			name,
			setTimeout(() => {
				this.#timers.delete(name)
				run()
			}, milliseconds),
		)
	}

	cancel(name: string): void {
		clearTimeout(this.#timers.get(name))
		this.#timers.delete(name)
	}

	fail(error: unknown): void {
		this.failure ??=
			error instanceof Error ? error : new InternalError('a wait failed with no error', { cause: error })
		this.stop()
	}

	stop(): void {
		for (const name of this.#timers.keys()) this.cancel(name)
		this.#controller.abort()
	}
}
