import type { Application, ApplicationSource, SyncStatusCode } from '../../argocd/index.ts'
import type { Cluster, KubeObject, ResourceType } from '../../cluster/index.ts'
import { InternalError } from '../../errors/index.ts'
import { Annotation, hasOption, syncWave } from './annotations.ts'
import { applicationHealth } from './application-health.ts'
import type { Comparison, ManagedResource, ResourceSummary } from './comparison.ts'
import type { NewCondition } from './conditions.ts'
import { isModified } from './diff.ts'
import type { Discovery } from './discovery.ts'
import { isHook, isIgnoredHook, isSkipped } from './hooks.ts'
import { ignoredPaths, parseIgnoreRules, unsupportedRule } from './ignore-differences.ts'
import type { LiveStore } from './live-store.ts'
import { groupOf } from './object-fields.ts'
import { type Destination, isDestinationPermitted, isKindPermitted, type Project } from './project.ts'
import { describe, keyOf, keyText, refFrom } from './resource-key.ts'
import type { LoadSource, SourceAnswer } from './source.ts'
import { normalizeTargets } from './targets.ts'
import { isSelfReferenced, trackingIdOf } from './tracking.ts'

export interface CompareContext {
	readonly cluster: Cluster
	readonly live: LiveStore
	readonly discovery: Discovery
	readonly load: LoadSource
	readonly project: Project
	readonly destination: Destination
	readonly signal: AbortSignal
}

export interface CompareRequest {
	readonly source: ApplicationSource
	readonly revision: string
	readonly hard: boolean
}

/** Compares an application with the cluster. @see controller/state.go CompareAppState */
export async function compareApplication(
	application: Application,
	request: CompareRequest,
	context: CompareContext,
): Promise<Comparison> {
	const conditions: NewCondition[] = []
	const answer = await load(application, request, context)
	if (!answer.ok) {
		const generating = answer.error.startsWith('rpc error: ')
			? 'failed to generate manifest for source 1 of 1: '
			: ''
		const message = `Failed to load target state: ${generating}${answer.error}`
		conditions.push({ type: 'ComparisonError', message })
	}
	const targets = await normalizeTargets(answer.ok ? answer.manifests : [], {
		application: application.metadata.name,
		namespace: context.destination.namespace,
		discovery: context.discovery,
	})
	conditions.push(...targets.conditions)
	const ignore = parseIgnoreRules(
		(application.spec as { readonly ignoreDifferences?: unknown }).ignoreDifferences,
	)
	const unsupported = unsupportedRule(ignore)
	if (unsupported !== undefined)
		conditions.push({
			type: 'ComparisonError',
			message: `Failed to compare desired state to live state: ${unsupported}`,
		})
	const pairs = await pairUp(application, targets.objects, context)
	conditions.push(...sharedWarnings(application, pairs))
	const managed = await Promise.all(
		pairs.map(async (pair): Promise<ManagedResource> => {
			if (pair.target === undefined || pair.live === undefined || isSkipped(pair.target))
				return { ...pair, modified: pair.live === undefined }
			const ignored = ignoredPaths(ignore, pair.target, pair.live)
			const { cluster, signal } = context
			return { ...pair, modified: await isModified(pair.target, pair.live, { cluster, signal, ignored }) }
		}),
	)
	const failed = !answer.ok || unsupported !== undefined
	const summaries = await Promise.all(
		managed.map((each) => summarize(application, each, { context, failed })),
	)
	const outOfSync = summaries.some(({ summary, counts }) => counts && summary.status === 'OutOfSync')
	return {
		status: failed ? 'Unknown' : outOfSync ? 'OutOfSync' : 'Synced',
		revision: answer.ok ? answer.revision : request.revision,
		source: request.source,
		sourceType: answer.ok ? answer.sourceType : undefined,
		health: applicationHealth(managed),
		resources: summaries
			.map(({ summary }) => summary)
			.sort((left, right) => (orderOf(left) < orderOf(right) ? -1 : 1)),
		managed,
		hooks: targets.objects.filter((each) => isHook(each) && !isIgnoredHook(each)),
		conditions,
		ignore,
	}
}

const orderOf = (each: ResourceSummary): string =>
	[each.group ?? '', each.kind, each.namespace ?? '', each.name].join('/')

async function load(
	application: Application,
	request: CompareRequest,
	context: CompareContext,
): Promise<SourceAnswer> {
	return context.load({
		...request,
		project: context.project.name,
		application: application.metadata.name,
		namespace: context.destination.namespace,
		signal: context.signal,
	})
}

/**
 * Every target with its live object, then every live object without a target. Live
 * objects are looked for among the kinds of the targets and of what the status names.
 */
async function pairUp(
	application: Application,
	targets: readonly KubeObject[],
	context: CompareContext,
): Promise<readonly { readonly target: KubeObject | undefined; readonly live: KubeObject | undefined }[]> {
	const types = new Map<string, ResourceType>()
	const known = [
		...(application.status?.resources ?? []),
		...(application.status?.operationState?.syncResult?.resources ?? []),
	].map((each) => ({
		apiVersion:
			each.group === undefined || each.group === ''
				? (each.version ?? 'v1')
				: `${each.group}/${each.version ?? 'v1'}`,
		kind: each.kind,
	}))
	for (const { apiVersion, kind } of [...known, ...targets])
		types.set(`${groupOf(apiVersion)}/${kind}`, { apiVersion, kind })
	for (const type of types.values()) {
		if ((await context.discovery.scopeOf(type)) !== undefined) await context.live.follow(type)
	}
	const tracked = new Map(
		context.live
			.trackedBy(application.metadata.name)
			.filter((each) => isPermitted(each, context))
			.map((each) => [keyText(keyOf(each)), each]),
	)
	const wanted = targets.filter((each) => !isHook(each))
	const pairs = await Promise.all(
		wanted.map(async (target) => {
			const key = keyText(keyOf(target))
			const found = tracked.get(key)
			tracked.delete(key)
			const current = found?.apiVersion === target.apiVersion ? found : await readLive(target, context)
			return { target, live: current }
		}),
	)
	return [...pairs, ...[...tracked.values()].map((live) => ({ target: undefined, live }))]
}

async function readLive(target: KubeObject, context: CompareContext): Promise<KubeObject | undefined> {
	if (target.metadata.name === undefined || target.metadata.name === '') return undefined
	return context.cluster.get(refFrom(keyOf(target), target.apiVersion), { signal: context.signal })
}

function isPermitted(live: KubeObject, context: CompareContext): boolean {
	const { group, kind, name, namespace } = keyOf(live)
	if (!isKindPermitted(context.project, { group, kind, name, namespaced: namespace !== '' })) return false
	return namespace === '' || isDestinationPermitted(context.project, { ...context.destination, namespace })
}

function sharedWarnings(
	application: Application,
	pairs: readonly { readonly live: KubeObject | undefined }[],
): readonly NewCondition[] {
	const { name, namespace } = application.metadata
	return pairs.flatMap(({ live }) => {
		const owner = live && trackingIdOf(live)?.application
		if (live === undefined || owner === undefined || owner === '' || owner === name) return []
		const message = `${live.kind}/${live.metadata.name} is part of applications ${namespace ?? ''}/${name} and ${owner.replaceAll('_', '/')}`
		return [{ type: 'SharedResourceWarning' as const, message }]
	})
}

async function summarize(
	application: Application,
	resource: ManagedResource,
	options: { readonly context: CompareContext; readonly failed: boolean },
): Promise<{ readonly summary: ResourceSummary; readonly counts: boolean }> {
	const { target, live, modified } = resource
	const object = live ?? target
	if (object === undefined) throw new InternalError('a resource has neither a target nor a live object')
	const self = isSelfReferenced(live, target)
	const hook = isHook(object)
	const wave = target === undefined ? 0 : syncWave(target)
	const scope = await options.context.discovery.scopeOf(object)
	const { group, kind, name } = keyOf(object)
	const permitted = isKindPermitted(options.context.project, {
		group,
		kind,
		name,
		namespaced: scope === 'namespaced',
	})
	let status: SyncStatusCode | undefined
	if (!(hook || isIgnoredHook(object) || (target !== undefined && isSkipped(target)) || !self))
		status = modified || target === undefined || live === undefined ? 'OutOfSync' : 'Synced'
	const extraneous = target === undefined && hasOption(object, Annotation.compareOptions, 'IgnoreExtraneous')
	const counts = status === 'OutOfSync' && !extraneous
	if (!permitted || options.failed) status = 'Unknown'
	const needsConfirmation = confirms(object, application)
	return {
		counts: counts && !options.failed,
		summary: {
			...describe(object),
			...(status !== undefined && { status }),
			...(hook && { hook }),
			...(wave !== 0 && { syncWave: wave }),
			...(target === undefined && self && { requiresPruning: true }),
			...(needsConfirmation && { requiresDeletionConfirmation: true }),
		},
	}
}

function confirms(object: KubeObject, application: Application): boolean {
	const options = application.spec.syncPolicy?.syncOptions ?? []
	return ['Delete=confirm', 'Prune=confirm'].some(
		(option) => options.includes(option) || hasOption(object, Annotation.syncOptions, option),
	)
}
