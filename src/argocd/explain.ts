import { clusterRows, type ExplanationRow, explanationRows, type Facts, inCommands } from './explanations.ts'
import { ArgocdName } from './names.ts'
import { parseRepoUrl } from './repo-url.ts'
import { sourcesOf } from './source-match.ts'
import { isAutomated, isRetrying, isStale, waitsForPruning } from './summary.ts'
import type { Application } from './types.ts'

/** What a message of Argo CD's means. */
export interface Explanation {
	/** Stable code of the cause; `unknown` where the message is passed on as it is. */
	readonly cause: string
	/** Whether it keeps the Application from being deployed. */
	readonly severity: 'error' | 'warning'
	readonly what: string
	readonly why: string
	/** What to do next. */
	readonly next: string
	/** Argo CD's words; absent where it says nothing. */
	readonly message?: string | undefined
}

export interface ExplainContext {
	/** Name of the registry that the user types, where it differs from the cluster's. */
	readonly registry?: string | undefined
	/** Milliseconds since the epoch; the clock of this machine without it. */
	readonly now?: number | undefined
}

/**
 * Argo CD compares within a moment after a sync, and writes whole seconds. Where both fall into the same one, this
 * time later it is the comparison after it.
 */
const SAME_SECOND_MS = 10_000

/** Explains every condition, the last operation, and the states in which Argo CD looks well and is not. */
export function explain(application: Application, context: ExplainContext = {}): readonly Explanation[] {
	const facts = factsOf(application, context)
	const messages = messagesOf(application)
	const explained = messages.map(({ text, severity, of }) => ({
		...(of === 'hook' ? explainHook(text, facts) : explainMessage(text, facts)),
		severity,
		message: text,
	}))
	const now = context.now ?? Date.now()
	const all = [...trapsOf(application, facts, now), ...explained]
	const causes = new Set(all.map(({ cause }) => cause))
	const found = all.filter(({ cause }) => !causes.has(SAID_BETTER.get(cause) ?? ''))
	return found.filter(
		(each, index) =>
			found.findIndex(
				(other) => other.cause === each.cause && (each.cause !== 'unknown' || other.message === each.message),
			) === index,
	)
}

/** What there is to say of an Application that is deployed all the same. */
export function warningsOf(application: Application): readonly Explanation[] {
	return explain(application).filter(({ severity }) => severity === 'warning')
}

/** What says nothing new, or the wrong thing, beside another. */
const SAID_BETTER: ReadonlyMap<string, string> = new Map([
	['crd-missing', 'version-unserved'],
	['tasks-failed', 'hook-failed'],
])

/** Explains one message; one of no known class comes back as it is. */
export function explainMessage(text: string, facts: Facts): Omit<Explanation, 'severity'> {
	// What a cluster says of an object may sound like what a registry says.
	for (const row of FROM_CLUSTER.test(text) ? clusterRows : explanationRows) {
		const match = row.pattern.exec(text)
		if (match !== null) return { ...fill(row, { facts, match }), message: text }
	}
	const { name, namespace } = inCommands(facts)
	return {
		cause: 'unknown',
		what: text,
		why: 'This is what Argo CD says.',
		next: `Look closer: kubectl describe application ${name} -n ${namespace}`,
		message: text,
	}
}

/** How Argo CD begins when it says why it could not apply. */
const FROM_CLUSTER =
	/^(?:[A-Z]\w* \S*: |(?:Failed last sync attempt to \[[^\]]*\]: )?one or more (?:objects|synchronization tasks|SyncFail hooks) )/

function explainHook(text: string, facts: Facts): Omit<Explanation, 'severity'> {
	const { name } = inCommands(facts)
	return {
		cause: 'hook-failed',
		what: 'A hook failed, and the sync with it.',
		why: text,
		next: `See which: lading status ${name} – and read its log with kubectl logs.`,
		message: text,
	}
}

function fill(
	row: ExplanationRow,
	{ facts, match }: { readonly facts: Facts; readonly match: RegExpExecArray },
): Omit<Explanation, 'severity' | 'message'> {
	return {
		cause: row.cause,
		what: row.what(facts, match),
		why: row.why(facts, match),
		next: row.next(inCommands(facts), match),
	}
}

/** What a message about an Application can be told with. */
export function factsOf(
	application: Pick<Application, 'metadata' | 'spec'>,
	{ registry }: ExplainContext = {},
): Facts {
	const [source] = sourcesOf(application)
	const parsed = parseRepoUrl(source?.repoURL ?? '')
	const url = parsed.ok ? parsed.url : undefined
	const host = url?.registry ?? 'the registry'
	return {
		name: application.metadata.name,
		namespace: application.metadata.namespace ?? ArgocdName.defaultNamespace,
		registry: host,
		host: host.replace(/:\d+$/, ''),
		place:
			url === undefined
				? (source?.repoURL.replace(/^oci:\/\//, '') ?? 'the source')
				: `${registry ?? url.registry}/${url.repository}`,
		targetRevision: source?.targetRevision ?? '',
		path: source?.path ?? '.',
		project: application.spec.project,
		destination: application.spec.destination.namespace ?? 'default',
	}
}

interface Message {
	readonly text: string
	readonly of?: 'hook'
	readonly severity: Explanation['severity']
}

function messagesOf(application: Application): readonly Message[] {
	const { status } = application
	const conditions = (status?.conditions ?? []).map(
		({ type, message: text }): Message & { type: string } => ({
			type,
			text,
			severity: type.endsWith('Warning') ? 'warning' : 'error',
		}),
	)
	// A SyncError says of all resources together what each of them says more exactly.
	const [late, early] = [true, false].map((is) =>
		conditions.filter(({ type }) => (type === 'SyncError') === is),
	)
	return [...(early ?? []), ...operationMessages(application, late ?? [])]
}

function operationMessages(application: Application, syncErrors: readonly Message[]): readonly Message[] {
	const operation = application.status?.operationState
	if (operation === undefined) return syncErrors
	const failed = operation.phase === 'Failed' || operation.phase === 'Error'
	if (!failed && !isRetrying(application)) return syncErrors
	const messages: Message[] = []
	for (const each of operation.syncResult?.resources ?? []) {
		const { kind, name, message, hookType } = each
		const ended = each.hookPhase === 'Failed' || each.hookPhase === 'Error'
		if ((!ended && each.status !== 'SyncFailed') || message === undefined) continue
		// A hook that could not even be made is like any other object.
		const isHook = hookType !== undefined && hookType !== '' && each.status !== 'SyncFailed'
		messages.push({ text: `${kind} ${name}: ${message}`, severity: 'error', ...(isHook && { of: 'hook' }) })
	}
	messages.push(...syncErrors)
	if (operation.message !== undefined) messages.push({ text: operation.message, severity: 'error' })
	return messages
}

const MAX_NAMED = 3

/** The resources that Argo CD leaves as they are at this very revision; `undefined` while that is not known. */
function leftAsTheyAre(
	application: Application,
	now: number,
): { readonly why: 'different' | 'extra'; readonly names: string } | undefined {
	const { status, operation } = application
	const last = status?.operationState
	const { sync, resources = [] } = status ?? {}
	if (sync?.status !== 'OutOfSync' || operation !== undefined) return undefined
	const isSyncedHere =
		last?.phase === 'Succeeded' &&
		last.syncResult?.revision !== undefined &&
		last.syncResult.revision === sync.revision
	if (!isSyncedHere && !waitsForPruning(application)) return undefined
	const different = resources.filter((each) => each.status === 'OutOfSync')
	const changed = different.filter(({ requiresPruning }) => requiresPruning !== true)
	const told = changed.length > 0 ? changed : different
	if (told.length === 0) return undefined
	const finished = Date.parse(last?.finishedAt ?? '')
	const compared = Date.parse(status?.reconciledAt ?? '')
	const isCompared = compared > finished || (compared === finished && now - finished > SAME_SECOND_MS)
	if (changed.length > 0 && !isCompared) return undefined
	const names = told.slice(0, MAX_NAMED).map(({ kind, name }) => `${kind} ${name}`)
	const more = told.length - names.length
	return {
		why: changed.length > 0 ? 'different' : 'extra',
		names: `${names.join(', ')}${more > 0 ? ` and ${more} more` : ''}`,
	}
}

/** States that look well, and sources Argo CD reads otherwise than they look. */
function trapsOf(application: Application, facts: Facts, now: number): readonly Explanation[] {
	const { status } = application
	const words = inCommands(facts)
	const found: Explanation[] = []
	if (application.metadata.deletionTimestamp !== undefined) {
		found.push({
			cause: 'deleting',
			severity: 'warning',
			what: 'The Application is being removed.',
			why: 'Its finalizer keeps it until all it deployed is gone; a finalizer of one of these may hold that up.',
			next: `See what is left: kubectl describe application ${words.name} -n ${words.namespace}`,
		})
	}
	if (isStale(application)) {
		found.push({
			cause: 'not-compared',
			severity: 'warning',
			what: 'Argo CD has not compared it since it was changed or asked to.',
			why: 'What it says is of before. Should that last, its application-controller is busy or does not run.',
			next: `See whether it runs: kubectl get pods -n ${words.namespace} -l app.kubernetes.io/name=argocd-application-controller`,
		})
	}
	const [source] = sourcesOf(application)
	if (source?.repoURL.startsWith('oci://') === true) {
		const url = parseRepoUrl(source.repoURL)
		if (url.ok && url.url.ignored !== undefined) {
			found.push({
				cause: 'tag-in-url',
				severity: 'warning',
				what: `The repoURL carries "${url.url.ignored}", which Argo CD passes over.`,
				why: `Only targetRevision counts: ${facts.targetRevision}.`,
				next: `Take it out of repoURL: lading deploy ${words.name} ${words.place}:${words.targetRevision}`,
			})
		}
		if (source.chart !== undefined && source.chart !== '') {
			found.push({
				cause: 'chart-with-oci',
				severity: 'warning',
				what: `The source has chart: ${source.chart} beside an oci:// URL; Argo CD passes over it.`,
				why: 'With oci:// the URL names the whole repository; charts by name want a URL without the scheme.',
				next: `Put it into the URL: oci://${words.registry}/…/${source.chart}, and take chart out.`,
			})
		}
	}
	if (application.metadata.annotations?.[ArgocdName.manifestGeneratePathsAnnotation] !== undefined) {
		found.push({
			cause: 'manifest-generate-paths',
			severity: 'warning',
			what: 'The annotation manifest-generate-paths is set on an OCI source.',
			why: 'From 3.4 on Argo CD may then miss that a tag has moved.',
			next: `Remove it: kubectl annotate application ${words.name} -n ${words.namespace} ${ArgocdName.manifestGeneratePathsAnnotation}-`,
		})
	}
	if (status?.sync?.status === 'Synced' && (status.resources?.length ?? 0) === 0) {
		const isExcluded = status.conditions?.some(({ type }) => type === 'ExcludedResourceWarning') === true
		found.push({
			cause: 'nothing-deployed',
			severity: 'warning',
			what: 'Argo CD calls it Synced, and it has no resource.',
			why: isExcluded
				? 'Argo CD is told to leave alone all that the artifact has.'
				: 'The artifact has no manifest at this path: an empty layer, files in subdirectories only, or YAML without apiVersion and kind.',
			next: isExcluded
				? `See what: lading status ${words.name}`
				: `See why: lading check ${words.place}:${words.targetRevision}`,
		})
	}
	const left = leftAsTheyAre(application, now)
	if (left?.why === 'different') {
		found.push({
			cause: 'still-different',
			severity: 'warning',
			what: `Argo CD has applied the artifact, and the cluster still differs: ${left.names}.`,
			why: 'The API server drops or changes a field (a typing error, a default, a webhook), or a controller writes it back.',
			next: `See which field: argocd app diff ${words.name} – and mend the manifest, or name the field in ignoreDifferences.`,
		})
	}
	if (left?.why === 'extra') {
		found.push({
			cause: 'not-pruned',
			severity: 'warning',
			what: `What is no longer in the artifact is still in the cluster: ${left.names}.`,
			why: 'Argo CD deletes only where it is told to prune.',
			next: `Delete it: lading sync ${words.name} --prune`,
		})
	}
	if (
		status?.sync?.status === 'OutOfSync' &&
		left === undefined &&
		!isAutomated(application) &&
		status.operationState?.phase !== 'Running'
	) {
		found.push({
			cause: 'manual-sync',
			severity: 'warning',
			what: 'The Application differs from its artifact and does not sync by itself.',
			why: 'Auto-sync is off.',
			next: `Sync it: lading sync ${words.name} ${words.targetRevision}`,
		})
	}
	return found
}
