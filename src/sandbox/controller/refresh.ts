import type { Application, ApplicationStatus } from '../../argocd/index.ts'
import { Annotation, annotation } from './annotations.ts'
import { planAutoSync } from './auto-sync.ts'
import { compareApplication } from './compare.ts'
import type { Comparison } from './comparison.ts'
import { type NewCondition, setConditions } from './conditions.ts'
import { type ControllerContext, type Handled, timestamp } from './controller-context.ts'
import { destinationOf, validatePermissions } from './destination.ts'
import { imagesOf } from './images.ts'
import { sameJson } from './object-fields.ts'

/**
 * How much of an application is looked at: its live objects against the revision it
 * was compared with last, against the newest one, or the same because somebody asked.
 */
export type RefreshLevel = 'recent' | 'latest' | 'requested'

/** How long a failing registry is kept quiet when nobody asked, in milliseconds. */
const GRACE_MS = 180_000

/** What an application needs by itself. @see controller/appcontroller.go needRefreshAppStatus */
export function dueRefresh(
	application: Application,
	options: { readonly now: number; readonly reconciliationMs: number },
): RefreshLevel | undefined {
	const { status, spec } = application
	if (annotation(application, Annotation.refresh) !== undefined) return 'requested'
	const compared = status?.sync?.comparedTo ?? {}
	if (!sameJson(spec.source ?? {}, compared['source'] ?? {})) return 'requested'
	if (status?.reconciledAt === undefined) return 'latest'
	const { reconciliationMs, now } = options
	if (reconciliationMs > 0 && Date.parse(status.reconciledAt) + reconciliationMs <= now) return 'latest'
	if (!sameJson(spec.destination, compared['destination'])) return 'latest'
	return sameJson(ignoredBy(application) ?? [], compared['ignoreDifferences'] ?? []) ? undefined : 'latest'
}

const ignoredBy = (application: Application): unknown =>
	(application.spec as { readonly ignoreDifferences?: unknown }).ignoreDifferences

/** Compares, writes the status, and starts an automated sync. @see controller/appcontroller.go processAppRefreshQueueItem */
export async function refreshApplication(
	application: Application,
	level: RefreshLevel,
	context: ControllerContext,
): Promise<Handled> {
	const project = context.project(application.spec.project)
	const missing: NewCondition = {
		type: 'InvalidSpecError',
		message: `Application referencing project ${application.spec.project} which does not exist`,
	}
	const invalid = project === undefined ? [missing] : validatePermissions(application, project)
	const now = timestamp(context.now())
	const conditions = setConditions(application.status?.conditions ?? [], {
		conditions: invalid,
		evaluated: ['InvalidSpecError', 'UnknownError'],
		now,
	})
	const destination = destinationOf(application)
	const source = application.spec.source
	if (project === undefined || invalid.length > 0 || 'problem' in destination || source === undefined) {
		const sync = { ...application.status?.sync, status: 'Unknown' as const }
		const status = { ...application.status, conditions, sync, health: { status: 'Unknown' as const } }
		return { application: await persist(application, status, context) }
	}
	const hard = level === 'requested' && annotation(application, Annotation.refresh) === 'hard'
	const target = source.targetRevision ?? ''
	const revision = level === 'recent' ? (application.status?.sync?.revision ?? target) : target
	const comparison = await compareApplication(
		application,
		{ source, revision, hard },
		{ ...context, project, destination },
	)
	if (isQuiet(application, { level, comparison, context })) return { application }
	return conclude({ ...application, status: { ...application.status, conditions } }, application, {
		comparison,
		level,
		context,
	})
}

/** Whether a failure is kept to ourselves: nobody asked, and it may pass. */
function isQuiet(
	application: Application,
	outcome: {
		readonly level: RefreshLevel
		readonly comparison: Comparison
		readonly context: ControllerContext
	},
): boolean {
	const { level, comparison, context } = outcome
	const name = application.metadata.name
	const failed = comparison.conditions.some((each) => each.message.startsWith('Failed to load target state'))
	if (!failed) context.sourceFailures.delete(name)
	if (!failed || level === 'requested') return false
	const since = context.sourceFailures.get(name)
	if (since === undefined) context.sourceFailures.set(name, context.now())
	return since === undefined || context.now() - since <= GRACE_MS
}

async function conclude(
	evaluated: Application,
	original: Application,
	outcome: {
		readonly comparison: Comparison
		readonly level: RefreshLevel
		readonly context: ControllerContext
	},
): Promise<Handled> {
	const { comparison, level, context } = outcome
	const now = timestamp(context.now())
	const decision = planAutoSync(original, comparison, context.now())
	const conditions = setConditions(evaluated.status?.conditions ?? [], {
		conditions: [...comparison.conditions, ...(decision.type === 'condition' ? [decision.condition] : [])],
		evaluated: ['ComparisonError', 'SharedResourceWarning', 'RepeatedResourceWarning', 'SyncError'],
		now,
	})
	const reconciledAt = level === 'recent' ? (original.status?.reconciledAt ?? now) : now
	const status = {
		...original.status,
		...statusOf(original, comparison, context.namespace),
		conditions,
		reconciledAt,
	}
	const written = await persist(original, status, context)
	if (written === undefined || decision.type === 'none' || decision.type === 'condition')
		return { application: written }
	if (decision.type === 'later') return { application: written, againAfterMs: decision.afterMs }
	const started = await context.writer.startOperation(original, decision.operation)
	if (started !== undefined)
		await context.event(original, {
			type: 'Normal',
			reason: 'OperationStarted',
			message: `Initiated automated sync to '${comparison.revision}'`,
		})
	return { application: started ?? written }
}

function statusOf(application: Application, comparison: Comparison, namespace: string): ApplicationStatus {
	const ignoreDifferences = ignoredBy(application)
	const comparedTo = {
		source: comparison.source,
		destination: application.spec.destination,
		...(ignoreDifferences !== undefined && { ignoreDifferences }),
	}
	const images = [
		...new Set(comparison.managed.flatMap(({ live }) => (live === undefined ? [] : imagesOf(live)))),
	]
	const status = {
		sync: { status: comparison.status, revision: comparison.revision, comparedTo },
		health: comparison.health,
		resources: comparison.resources,
		sourceType: comparison.sourceType,
		summary: images.length === 0 ? {} : { images: images.sort() },
		controllerNamespace: namespace,
		resourceHealthSource: 'appTree',
	}
	return status
}

/** Writes a status; a change of health is timed, and its message kept until the next change. */
async function persist(
	application: Application,
	status: ApplicationStatus,
	context: ControllerContext,
): Promise<Handled['application']> {
	const before = application.status
	const changed = before?.health?.status !== status.health?.status
	const health = changed
		? { ...status.health, lastTransitionTime: timestamp(context.now()) }
		: (before?.health ?? status.health)
	const next: ApplicationStatus = { ...status, health }
	const written = await context.writer.status(application, { status: next, refreshed: true })
	const notes = [
		...(before?.sync?.status === next.sync?.status
			? []
			: [`Updated sync status: ${before?.sync?.status ?? ''} -> ${next.sync?.status ?? ''}`]),
		...(changed
			? [
					`Updated health status: ${before?.health?.status ?? ''} -> ${next.health?.status ?? ''}${status.health?.message === undefined ? '' : ` (${status.health.message})`}`,
				]
			: []),
	]
	for (const message of notes)
		await context.event(application, { type: 'Normal', reason: 'ResourceUpdated', message })
	return written
}
