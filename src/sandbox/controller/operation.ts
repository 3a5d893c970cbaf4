import type {
	Application,
	ApplicationSource,
	OperationPhase,
	OperationState,
	RevisionHistory,
} from '../../argocd/index.ts'
import type { KubeObject } from '../../cluster/index.ts'
import { Annotation, annotation } from './annotations.ts'
import { clusterMessage } from './apply.ts'
import { compareApplication } from './compare.ts'
import type { Comparison } from './comparison.ts'
import { blockingConditions, setConditions } from './conditions.ts'
import { type ControllerContext, type Handled, timestamp } from './controller-context.ts'
import { destinationOf } from './destination.ts'
import { ignoredPaths, withLiveValue } from './ignore-differences.ts'
import { type Fields, fieldsAt, groupOf, isFields, listAt, textAt, valueAt } from './object-fields.ts'
import { type Destination, isDestinationPermitted, isKindPermitted, type Project } from './project.ts'
import { keyOf } from './resource-key.ts'
import { parseRetry } from './retry.ts'
import { syncStep } from './sync-step.ts'
import { parseSyncOptions } from './sync-options.ts'
import type { SyncContext } from './sync-context.ts'
import { formatResult, knownResults } from './sync-results.ts'

/** A running operation is looked at this often even if nothing it waits for has told a change. */
const RECHECK_MS = 1000
const DEFAULT_HISTORY = 10

const isOver = (phase: OperationPhase): boolean => phase !== 'Running' && phase !== 'Terminating'

/** Moves the operation of an application on by one step. @see controller/appcontroller.go processRequestedAppOperation */
export async function processOperation(
	application: Application,
	context: ControllerContext,
): Promise<Handled> {
	const begun = beginOperation(application, context.now())
	if (begun.type === 'wait') return { application, againAfterMs: begun.afterMs }
	let current = application
	if (begun.changed) {
		const written = await context.writer.operationState(current, { state: begun.state })
		if (written === undefined) return { application: undefined }
		current = { ...current, status: { ...current.status, operationState: begun.state } }
	}
	const outcome = await runOperation(current, begun.state, context)
	const state = finish(outcome.state, { retry: valueAt(begun.state.operation, 'retry'), now: context.now() })
	const written = await context.writer.operationState(current, { state, history: outcome.history })
	if (isOver(state.phase)) await announce(current, state, context)
	const retryAt = state.phase === 'Running' ? state.finishedAt : undefined
	const againAfterMs =
		retryAt === undefined
			? RECHECK_MS
			: parseRetry(valueAt(state.operation, 'retry')).delay((state.retryCount ?? 1) - 1)
	return { application: written, ...(!isOver(state.phase) && { againAfterMs }) }
}

type Begun =
	| { readonly type: 'wait'; readonly afterMs: number }
	| { readonly type: 'run'; readonly state: OperationState; readonly changed: boolean }

/** Starts an operation, takes up one that runs, or begins a failed one anew when its time has come. */
function beginOperation(application: Application, now: number): Begun {
	const present = application.status?.operationState
	if (present === undefined || present === null || isOver(present.phase)) {
		const operation = application.operation ?? {}
		const state = { phase: 'Running', operation, startedAt: timestamp(now) } as const
		return { type: 'run', state, changed: true }
	}
	if (present.phase !== 'Running' || present.finishedAt === undefined)
		return { type: 'run', state: present, changed: false }
	const retries = present.retryCount ?? 0
	const retry = parseRetry(valueAt(present.operation, 'retry'))
	const wait = Date.parse(present.finishedAt) + retry.delay(Math.max(0, retries - 1)) - now
	if (wait > 0) return { type: 'wait', afterMs: wait }
	const { finishedAt: _, syncResult: __, ...rest } = present
	return {
		type: 'run',
		state: { ...rest, message: `Retrying operation. Attempt #${retries}` },
		changed: true,
	}
}

interface Outcome {
	readonly state: OperationState
	readonly history?: readonly RevisionHistory[]
}

async function runOperation(
	application: Application,
	state: OperationState,
	context: ControllerContext,
): Promise<Outcome> {
	const failed = (message: string): Outcome => ({ state: { ...state, phase: 'Error', message } })
	const sync = valueAt(state.operation, 'sync')
	if (!isFields(sync)) return failed('Invalid operation request: no operation specified')
	const project = context.project(application.spec.project)
	if (project === undefined)
		return failed(
			`Failed to load application project: appproject.argoproj.io "${application.spec.project}" not found`,
		)
	const destination = destinationOf(application)
	if ('problem' in destination) return failed(`Failed to get destination cluster: ${destination.problem}`)
	const source = state.syncResult?.source ?? sourceOf(sync) ?? application.spec.source
	if (source === undefined) return failed('Invalid operation request: the application has no source')
	const wanted = state.syncResult?.revision ?? textAt(sync, 'revision')
	const revision = wanted === '' ? (source.targetRevision ?? '') : wanted
	try {
		const comparison = await compareApplication(
			application,
			{ source, revision, hard: false },
			{ ...context, project, destination },
		)
		const compared = { ...state, syncResult: { ...state.syncResult, source, revision: comparison.revision } }
		const blocked = blockingConditions(
			setConditions(application.status?.conditions ?? [], {
				conditions: comparison.conditions,
				evaluated: ['ComparisonError'],
				now: timestamp(context.now()),
			}),
		)
		if (blocked !== undefined) return { state: { ...compared, phase: 'Error', message: blocked } }
		const step = syncContextOf(application, {
			state: compared,
			sync,
			comparison,
			project,
			destination,
			context,
		})
		const shared = comparison.conditions.find((each) => each.type === 'SharedResourceWarning')
		if (step.options.failOnSharedResource && shared !== undefined)
			return {
				state: { ...compared, phase: 'Failed', message: `Shared resource found: ${shared.message}` },
			}
		const progressed = await syncStep(step, state.phase === 'Terminating')
		const resources = [...step.results.values()].map(formatResult)
		const next: OperationState = {
			...compared,
			...progressed,
			syncResult: { ...compared.syncResult, resources },
		}
		const whole = !step.options.dryRun && listAt(sync, 'resources').length === 0
		return progressed.phase === 'Succeeded' && whole
			? { state: next, history: grownHistory(application, { state: next, source, now: context.now() }) }
			: { state: next }
	} catch (error) {
		if (context.signal.aborted) throw error
		return failed(clusterMessage(error))
	}
}

function sourceOf(sync: Fields): ApplicationSource | undefined {
	const source = sync['source']
	return isFields(source) && typeof source['repoURL'] === 'string'
		? (source as unknown as ApplicationSource)
		: undefined
}

function syncContextOf(
	application: Application,
	input: {
		readonly state: OperationState
		readonly sync: Fields
		readonly comparison: Comparison
		readonly project: Project
		readonly destination: Destination
		readonly context: ControllerContext
	},
): SyncContext {
	const { state, sync, comparison, project, destination, context } = input
	const startedAt = state.startedAt ?? timestamp(context.now())
	const selected = listAt(sync, 'resources')
	const strategy = fieldsAt(sync, 'syncStrategy')
	const approved = Date.parse(annotation(application, Annotation.deletionApproved) ?? '')
	const options = parseSyncOptions(
		listAt(sync, 'syncOptions').filter((each) => typeof each === 'string'),
		{
			prune: sync['prune'] === true,
			dryRun: sync['dryRun'] === true,
			force: valueAt(strategy, 'apply', 'force') === true || valueAt(strategy, 'hook', 'force') === true,
			skipHooks: strategy['apply'] !== undefined || selected.length > 0,
			pruneConfirmed: approved >= Date.parse(startedAt),
		},
	)
	const metadata = valueAt(application.spec.syncPolicy, 'managedNamespaceMetadata')
	return {
		cluster: context.cluster,
		live: context.live,
		discovery: context.discovery,
		namespace: destination.namespace,
		revision: comparison.revision,
		startedAt,
		options,
		managed: options.respectIgnoreDifferences ? respecting(comparison) : comparison.managed,
		hooks: comparison.hooks,
		namespaceMetadata: isFields(metadata) ? metadata : undefined,
		forbids: (object, namespaced) => forbidden(object, { namespaced, project, destination }),
		includes: (object) => selected.length === 0 || selected.some((each) => selects(each, object)),
		betweenWaves: () => context.sleep(context.syncWaveDelayMs),
		signal: context.signal,
		results: knownResults(state),
	}
}

/** Ignored fields of the targets take their live value, so that applying leaves them alone. */
function respecting(comparison: Comparison): Comparison['managed'] {
	return comparison.managed.map((each) => {
		if (each.target === undefined || each.live === undefined) return each
		const paths = ignoredPaths(comparison.ignore, each.target, each.live)
		const target = paths.reduce<unknown>((value, path) => withLiveValue(value, each.live, path), each.target)
		return { ...each, target: target as KubeObject }
	})
}

/** @see controller/sync.go validateSyncPermissions */
function forbidden(
	object: KubeObject,
	scope: { readonly namespaced: boolean; readonly project: Project; readonly destination: Destination },
): string | undefined {
	const { group, kind, name, namespace } = keyOf(object)
	const { namespaced, project, destination } = scope
	if (!isKindPermitted(project, { group, kind, name, namespaced }))
		return `resource ${group}:${kind} is not permitted in project ${project.name}`
	if (namespaced && !isDestinationPermitted(project, { ...destination, namespace }))
		return `namespace ${namespace} is not permitted in project '${project.name}'`
	return undefined
}

function selects(selector: unknown, object: KubeObject): boolean {
	const namespace = textAt(selector, 'namespace')
	return (
		textAt(selector, 'kind') === object.kind &&
		textAt(selector, 'group') === groupOf(object.apiVersion) &&
		textAt(selector, 'name') === object.metadata.name &&
		(namespace === '' || namespace === object.metadata.namespace)
	)
}

function grownHistory(
	application: Application,
	entry: { readonly state: OperationState; readonly source: ApplicationSource; readonly now: number },
): readonly RevisionHistory[] {
	const history = application.status?.history ?? []
	const initiatedBy = fieldsAt(entry.state.operation, 'initiatedBy')
	const id = (history.at(-1)?.id ?? -1) + 1
	const { startedAt, syncResult } = entry.state
	const limit = application.spec.revisionHistoryLimit ?? DEFAULT_HISTORY
	const grown: readonly RevisionHistory[] = [
		...history,
		{
			id,
			revision: syncResult?.revision,
			source: entry.source,
			deployedAt: timestamp(entry.now),
			...(startedAt !== undefined && { deployStartedAt: startedAt }),
			initiatedBy,
		},
	]
	return limit <= 0 ? [] : grown.slice(-limit)
}

/** Turns a failure into a wait for the next attempt while there are attempts left. */
function finish(
	state: OperationState,
	policy: { readonly retry: unknown; readonly now: number },
): OperationState {
	const finishedAt = timestamp(policy.now)
	if (!isOver(state.phase)) return state
	if (state.phase === 'Succeeded') return { ...state, finishedAt }
	const retry = parseRetry(policy.retry)
	const retries = state.retryCount ?? 0
	if (state.message !== 'Operation terminated' && (retry.limit < 0 || retries < retry.limit)) {
		const at = timestamp(policy.now + retry.delay(retries))
		const message = `${state.message}. Retrying attempt #${retries + 1} at ${at}.`
		return { ...state, phase: 'Running', finishedAt, retryCount: retries + 1, message }
	}
	const message = retries === 0 ? state.message : `${state.message} (retried ${retries} times).`
	return { ...state, message, finishedAt }
}

async function announce(
	application: Application,
	state: OperationState,
	context: ControllerContext,
): Promise<void> {
	const partial = listAt(state.operation, 'sync', 'resources').length > 0
	const revision = state.syncResult?.revision
	const what = `${partial ? 'Partial sync' : 'Sync'} operation${revision === undefined ? '' : ` to ${revision}`}`
	const succeeded = state.phase === 'Succeeded'
	await context.event(application, {
		type: succeeded ? 'Normal' : 'Warning',
		reason: 'OperationCompleted',
		message: succeeded ? `${what} succeeded` : `${what} failed: ${state.message ?? ''}`,
	})
}
