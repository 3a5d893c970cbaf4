import { type ExplanationRow, explanationRows, type Facts } from './explanations.ts'
import { ArgocdName } from './names.ts'
import { parseRepoUrl } from './repo-url.ts'
import { sourcesOf } from './source-match.ts'
import { isAutomated, isRetrying, waitsForPruning } from './summary.ts'
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
}

/** Explains every condition, the last operation, and the states in which Argo CD looks well and is not. */
export function explain(application: Application, context: ExplainContext = {}): readonly Explanation[] {
	const facts = factsOf(application, context)
	const messages = messagesOf(application)
	const explained = messages.map(({ text, severity }) => ({
		...explainMessage(text, facts),
		severity,
		message: text,
	}))
	const found = [...trapsOf(application, facts), ...explained]
	return found.filter(
		(each, index) =>
			found.findIndex(
				(other) => other.cause === each.cause && (each.cause !== 'unknown' || other.message === each.message),
			) === index,
	)
}

/** Explains one message; one of no known class comes back as it is. */
export function explainMessage(text: string, facts: Facts): Omit<Explanation, 'severity'> {
	for (const row of explanationRows) {
		const match = row.pattern.exec(text)
		if (match !== null) return { ...fill(row, { facts, match }), message: text }
	}
	return {
		cause: 'unknown',
		what: text,
		why: 'This is what Argo CD says.',
		next: `Look closer: kubectl describe application ${facts.name} -n ${facts.namespace}`,
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
		next: row.next(facts, match),
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
			url === undefined ? (source?.repoURL ?? 'the source') : `${registry ?? url.registry}/${url.repository}`,
		targetRevision: source?.targetRevision ?? '',
		path: source?.path ?? '.',
		project: application.spec.project,
	}
}

interface Message {
	readonly text: string
	readonly severity: Explanation['severity']
}

function messagesOf(application: Application): readonly Message[] {
	const { status } = application
	const messages: Message[] = (status?.conditions ?? []).map(({ type, message }) => ({
		text: message,
		severity: type.endsWith('Warning') ? 'warning' : 'error',
	}))
	const operation = status?.operationState
	if (operation === undefined) return messages
	const failed = operation.phase === 'Failed' || operation.phase === 'Error'
	if (!failed && !isRetrying(application)) return messages
	for (const { kind, name, status: outcome, hookPhase, message } of operation.syncResult?.resources ?? []) {
		const bad = outcome === 'SyncFailed' || hookPhase === 'Failed' || hookPhase === 'Error'
		if (bad && message !== undefined)
			messages.push({ text: `${kind} ${name}: ${message}`, severity: 'error' })
	}
	if (operation.message !== undefined) messages.push({ text: operation.message, severity: 'error' })
	return messages
}

const MAX_NAMED = 3

/** The resources that Argo CD leaves as they are at this very revision; `undefined` while that is not known. */
function leftAsTheyAre(
	application: Application,
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
	// Whole seconds: within the same one, the comparison may be that of before the sync.
	const isCompared = Date.parse(status?.reconciledAt ?? '') > Date.parse(last?.finishedAt ?? '')
	if (changed.length > 0 && !isCompared) return undefined
	const names = told.slice(0, MAX_NAMED).map(({ kind, name }) => `${kind} ${name}`)
	const more = told.length - names.length
	return {
		why: changed.length > 0 ? 'different' : 'extra',
		names: `${names.join(', ')}${more > 0 ? ` and ${more} more` : ''}`,
	}
}

/** States that look well, and sources Argo CD reads otherwise than they look. */
function trapsOf(application: Application, facts: Facts): readonly Explanation[] {
	const { status } = application
	const found: Explanation[] = []
	if (application.metadata.deletionTimestamp !== undefined) {
		found.push({
			cause: 'deleting',
			severity: 'warning',
			what: 'The Application is being removed.',
			why: 'Its finalizer keeps it until all it deployed is gone; a finalizer of one of these may hold that up.',
			next: `See what is left: kubectl describe application ${facts.name} -n ${facts.namespace}`,
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
				next: `Take it out of repoURL: lading deploy ${facts.name} ${facts.place}:${facts.targetRevision}`,
			})
		}
		if (source.chart !== undefined && source.chart !== '') {
			found.push({
				cause: 'chart-with-oci',
				severity: 'warning',
				what: `The source has chart: ${source.chart} beside an oci:// URL; Argo CD passes over it.`,
				why: 'With oci:// the URL names the whole repository; charts by name want a URL without the scheme.',
				next: `Put it into the URL: oci://${facts.registry}/…/${source.chart}, and take chart out.`,
			})
		}
	}
	if (application.metadata.annotations?.[ArgocdName.manifestGeneratePathsAnnotation] !== undefined) {
		found.push({
			cause: 'manifest-generate-paths',
			severity: 'warning',
			what: 'The annotation manifest-generate-paths is set on an OCI source.',
			why: 'From 3.4 on Argo CD may then miss that a tag has moved.',
			next: `Remove it: kubectl annotate application ${facts.name} -n ${facts.namespace} ${ArgocdName.manifestGeneratePathsAnnotation}-`,
		})
	}
	if (status?.sync?.status === 'Synced' && (status.resources?.length ?? 0) === 0) {
		found.push({
			cause: 'nothing-deployed',
			severity: 'warning',
			what: 'Argo CD calls it Synced, and it has no resource.',
			why: 'The artifact has no manifest at this path: an empty layer, files in subdirectories only, or YAML without apiVersion and kind.',
			next: `See why: lading check ${facts.place}:${facts.targetRevision}`,
		})
	}
	const left = leftAsTheyAre(application)
	if (left?.why === 'different') {
		found.push({
			cause: 'still-different',
			severity: 'warning',
			what: `Argo CD has applied the artifact, and the cluster still differs: ${left.names}.`,
			why: 'The API server drops or changes a field (a typing error, a default, a webhook), or a controller writes it back.',
			next: `See which field: argocd app diff ${facts.name} – and mend the manifest, or name the field in ignoreDifferences.`,
		})
	}
	if (left?.why === 'extra') {
		found.push({
			cause: 'not-pruned',
			severity: 'warning',
			what: `What is no longer in the artifact is still in the cluster: ${left.names}.`,
			why: 'Argo CD deletes only where it is told to prune.',
			next: `Delete it: lading sync ${facts.name} --prune`,
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
			next: `Sync it: lading sync ${facts.name} ${facts.targetRevision}`,
		})
	}
	return found
}
