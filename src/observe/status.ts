import {
	type Application,
	type ApplicationSummary,
	ArgocdName,
	explain,
	type Explanation,
	isAutomated,
	isStale,
	parseRepoUrl,
	type ResourceStatus,
	summarize,
} from '../argocd/index.ts'
import { LadingError } from '../errors/index.ts'
import { isDigest } from '../oci/index.ts'
import { type ApplicationApi, getApplication } from '../sync/index.ts'
import type { ReadUnhealthy, UnhealthyResource } from './unhealthy.ts'

export interface ApplicationState extends ApplicationSummary {
	readonly resourceStates: readonly ResourceStatus[]
	/** What the conditions and the last operation mean. */
	readonly explanations: readonly Explanation[]
	/** Whether all of this is of before the Application was changed, or a comparison asked for. */
	readonly stale: boolean
	/** Whether the tag names another digest now than the one deployed; absent where it was not asked or cannot be told. */
	readonly tagMoved?: boolean | undefined
}

/** What a tag of a repository names now, as the cluster's name of the registry has it. */
export type ResolveTag = (
	place: { readonly registry: string; readonly repository: string; readonly tag: string },
	signal?: AbortSignal,
) => Promise<string | undefined>

export interface StatusOptions {
	/** Namespace of the Applications; `argocd`. */
	readonly namespace?: string | undefined
	/** These; otherwise all that lading made. */
	readonly names?: readonly string[] | undefined
	readonly resolveTag?: ResolveTag | undefined
	readonly readUnhealthy?: ReadUnhealthy | undefined
	readonly signal?: AbortSignal | undefined
}

/** @throws RemoteError `NOT_FOUND` for a name that is not there */
export async function readStatus(
	api: ApplicationApi,
	options: StatusOptions = {},
): Promise<readonly ApplicationState[]> {
	const { namespace = ArgocdName.defaultNamespace, names = [], signal } = options
	const labelSelector = `${ArgocdName.managedByLabel}=${ArgocdName.managedByLading}`
	const applications =
		names.length === 0
			? await api.list(namespace, { labelSelector, signal })
			: await Promise.all(
					names.map(async (name) => await getApplication(api, { name, namespace }, { signal })),
				)
	return await Promise.all(applications.map(async (application) => await stateOf(application, options)))
}

async function stateOf(
	application: Application,
	{ resolveTag, readUnhealthy, signal }: StatusOptions,
): Promise<ApplicationState> {
	const summary = summarize(application)
	const tagMoved = resolveTag && (await hasTagMoved(summary, { resolveTag, signal }))
	return {
		...summary,
		resourceStates: withHealth(application, (await readUnhealthy?.(application, { signal })) ?? []),
		explanations: explain(application),
		stale: isStale(application),
		...(tagMoved !== undefined && { tagMoved }),
	}
}

/** Argo CD's resources, with what was seen of those it keeps no health of. */
function withHealth(
	{ status }: Application,
	unhealthy: readonly UnhealthyResource[],
): readonly ResourceStatus[] {
	return (status?.resources ?? []).map((resource) => {
		const seen = unhealthy.find(
			({ kind, name, namespace }) =>
				kind === resource.kind && name === resource.name && namespace === resource.namespace,
		)
		if (seen === undefined || resource.health?.status !== undefined) return resource
		return { ...resource, health: { status: status?.health?.status, message: seen.message } }
	})
}

/** A registry that does not answer makes the status no less true. */
async function hasTagMoved(
	{ repoURL, targetRevision, revision }: ApplicationSummary,
	{ resolveTag, signal }: { readonly resolveTag: ResolveTag; readonly signal: AbortSignal | undefined },
): Promise<boolean | undefined> {
	const url = parseRepoUrl(repoURL ?? '')
	if (!url.ok || revision === undefined || targetRevision === undefined) return undefined
	// Before the first comparison that succeeds it is the tag itself.
	if (!isDigest(revision)) return undefined
	if (!/^\w[\w.-]{0,127}$/.test(targetRevision)) return undefined
	try {
		const now = await resolveTag({ ...url.url, tag: targetRevision }, signal)
		return now === undefined ? undefined : now !== revision
	} catch (error) {
		if (error instanceof LadingError) return undefined
		throw error
	}
}

export interface HistoryEntry {
	readonly id: number
	/** The digest. */
	readonly revision: string
	/** The tag, range or digest the Application asked for then. */
	readonly targetRevision?: string | undefined
	/** RFC 3339. */
	readonly deployedAt: string
	/** User name, or `automated`. */
	readonly initiator: string
	/** What runs now. */
	readonly current: boolean
}

/** What an Application was deployed at, the newest first. */
export function readHistory(application: Application): readonly HistoryEntry[] {
	const entries = application.status?.history ?? []
	const automated = isAutomated(application)
	return entries
		.map(({ id, revision, deployedAt, source, initiatedBy }, index) => ({
			id,
			revision: revision ?? '',
			targetRevision: source?.targetRevision,
			deployedAt,
			initiator:
				initiatedBy?.username ?? (initiatedBy?.automated === true || automated ? 'automated' : 'unknown'),
			current: index === entries.length - 1,
		}))
		.toReversed()
}
