import {
	type Application,
	type ApplicationSummary,
	ArgocdName,
	explain,
	type Explanation,
	isAutomated,
	parseApplication,
	parseRepoUrl,
	type ResourceStatus,
	summarize,
} from '../argocd/index.ts'
import type { Cluster } from '../cluster/index.ts'
import { LadingError, RemoteError } from '../errors/index.ts'
import { readUnhealthy, type UnhealthyResource } from './unhealthy.ts'

export interface ApplicationState extends ApplicationSummary {
	readonly resourceStates: readonly ResourceStatus[]
	/** What the conditions and the last operation mean. */
	readonly explanations: readonly Explanation[]
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
	readonly signal?: AbortSignal | undefined
}

const TYPE = { apiVersion: ArgocdName.apiVersion, kind: 'Application' } as const

/** @throws RemoteError `NOT_FOUND` for a name that is not there */
export async function readStatus(
	cluster: Cluster,
	options: StatusOptions = {},
): Promise<readonly ApplicationState[]> {
	const applications = await readApplications(cluster, options)
	return await Promise.all(
		applications.map(async (application) => await stateOf(cluster, application, options)),
	)
}

async function readApplications(cluster: Cluster, options: StatusOptions): Promise<readonly Application[]> {
	const { namespace = ArgocdName.defaultNamespace, names = [], signal } = options
	if (names.length === 0) {
		const labelSelector = `${ArgocdName.managedByLabel}=${ArgocdName.managedByLading}`
		const { items, resourceVersion } = await cluster.list(TYPE, { namespace, labelSelector, signal })
		// A list that is there has a version, however empty: without one, the kind is not served.
		if (resourceVersion === '') await refuseWithoutArgocd(cluster, signal)
		return items.map(parseApplication)
	}
	return await Promise.all(
		names.map(async (name) => {
			const object = await cluster.get({ ...TYPE, name, namespace }, { signal })
			if (object !== undefined) return parseApplication(object)
			throw new RemoteError('NOT_FOUND', `there is no Application ${name} in namespace ${namespace}`, {
				hint: 'See which there are: lading status',
			})
		}),
	)
}

async function refuseWithoutArgocd(cluster: Cluster, signal: AbortSignal | undefined): Promise<never> {
	const version = await cluster.version({ signal })
	throw new RemoteError('NOT_FOUND', `the cluster (Kubernetes ${version}) knows no Applications`, {
		hint: 'Install Argo CD there first, or choose another cluster with --cluster.',
	})
}

async function stateOf(
	cluster: Cluster,
	application: Application,
	{ resolveTag, signal }: StatusOptions,
): Promise<ApplicationState> {
	const summary = summarize(application)
	const tagMoved = resolveTag && (await hasTagMoved(summary, { resolveTag, signal }))
	return {
		...summary,
		resourceStates: withHealth(application, await readUnhealthy(cluster, application, { signal })),
		explanations: explain(application),
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
