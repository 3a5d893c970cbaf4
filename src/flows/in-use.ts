import {
	type Application,
	ArgocdName,
	classifyRevision,
	parseApplication,
	parseRepoUrl,
	resolveRange,
} from '../argocd/index.ts'
import { isForbidden } from '../cluster/index.ts'
import { LadingError, RemoteError } from '../errors/index.ts'
import { isDigest } from '../oci/index.ts'
import type { InUse } from '../registry/server/index.ts'
import { chosenCluster, type ClusterChoice, openCluster } from './clusters.ts'
import type { ConnectedCluster } from './connected-cluster.ts'
import type { Session } from './session.ts'

export interface InUseOptions {
	readonly choice: ClusterChoice
	/** Tags of a repository: what a version range means depends on them. */
	readonly listTags: (repository: string) => Promise<readonly string[]>
}

/** What is in use, and where that was asked. */
export interface FoundInUse {
	readonly inUse: readonly InUse[]
	/** Names of the clusters. */
	readonly clusters: readonly string[]
}

/**
 * What Applications still name: in their spec, their status, their history and the operation that runs,
 * in the chosen cluster and in every other one that this project has deployed to. Digests count in
 * whichever repository they are, tags by the repository under whatever name the cluster knows the registry.
 * @throws RemoteError `CLUSTER_UNREACHABLE` where a cluster does not tell
 */
export async function collectInUse(session: Session, options: InUseOptions): Promise<FoundInUse> {
	const inUse: InUse[] = []
	const clusters = clustersOf(session, options.choice)
	for (const choice of clusters.values()) {
		for (const application of await applicationsOf(session, choice))
			inUse.push(...(await namedBy(application, options)))
	}
	return { inUse, clusters: [...clusters.keys()] }
}

function clustersOf(session: Session, choice: ClusterChoice): ReadonlyMap<string, ClusterChoice> {
	const found = new Map<string, ClusterChoice>()
	const chosen = chosenCluster(session, choice)
	// lading.yaml may name a cluster of this machine that was never made, and so has no Applications.
	const isMade = !/^(?:sandbox$|kind:)/.test(chosen ?? '') || session.workspace.state().cluster !== undefined
	if (chosen !== undefined && isMade) found.set(chosen, { ...choice, cluster: chosen })
	for (const { cluster, kubeconfig, argocdCa, namespace } of session.workspace.state().applications)
		if (!found.has(cluster)) found.set(cluster, { cluster, kubeconfig, argocdCa, argocdNamespace: namespace })
	return found
}

async function applicationsOf(session: Session, choice: ClusterChoice): Promise<readonly Application[]> {
	try {
		return await listAll(session, await openCluster(session, choice))
	} catch (error) {
		session.signal?.throwIfAborted()
		if (!(error instanceof LadingError)) throw error
		// No Argo CD, no Applications.
		if (error.code === 'NOT_FOUND') return []
		throw new RemoteError(
			'CLUSTER_UNREACHABLE',
			`what the Applications of ${choice.cluster} need is not known: ${error.message}`,
			{
				hint: 'Nothing was removed. Start the cluster again, or say with --ignore-cluster that nothing there counts.',
				cause: error,
			},
		)
	}
}

const TYPE = { apiVersion: ArgocdName.apiVersion, kind: 'Application' } as const

/** Of all namespaces, where they may be listed; else of Argo CD's own. */
async function listAll(
	{ signal }: Session,
	{ cluster, argocd, argocdNamespace }: ConnectedCluster,
): Promise<readonly Application[]> {
	const own = await argocd.applications.list(argocdNamespace, { signal })
	if (!cluster) return own
	try {
		return (await cluster.list(TYPE, { signal })).items.map(parseApplication)
	} catch (error) {
		if (isForbidden(error)) return own
		throw error
	}
}

const DIGEST = /sha(?:256:[0-9a-f]{64}|512:[0-9a-f]{128})/g

/** What one Application names. */
export async function namedBy(
	application: Application,
	{ listTags }: Pick<InUseOptions, 'listTags'>,
): Promise<readonly InUse[]> {
	const { metadata, spec, status, operation } = application
	const by = `Application ${metadata.namespace === undefined ? '' : `${metadata.namespace}/`}${metadata.name}`
	// Wherever Argo CD writes a digest or a revision, it may come back to it.
	const written = [spec, status, operation]
	const digests = new Set(
		[...JSON.stringify(written).matchAll(DIGEST)].map(([found]) => found).filter(isDigest),
	)
	const inUse: InUse[] = [...digests].map((digest) => ({ names: { digest }, by }))
	const found: Written = { repositories: new Set(), revisions: new Set() }
	collect(written, found)
	for (const repository of found.repositories) {
		for (const revision of found.revisions) {
			const tag = await tagOf(revision, async () => await listTags(repository))
			if (tag !== undefined) inUse.push({ repository, names: { tag }, by })
		}
	}
	return inUse
}

interface Written {
	readonly repositories: Set<string>
	readonly revisions: Set<string>
}

/** Every source and every revision: of the spec, of what is synced, of the history, of the operation. */
function collect(value: unknown, found: Written): void {
	if (typeof value !== 'object' || value === null) return
	for (const [key, each] of Object.entries(value)) {
		const isRevision = key === 'revision' || key === 'targetRevision' || key === 'revisions'
		for (const word of isRevision ? [each].flat() : [])
			if (typeof word === 'string') found.revisions.add(word)
		collect(each, found)
	}
	const repository = repositoryOf(value)
	if (repository !== undefined) found.repositories.add(repository)
}

/** Of a source: Argo CD names a Helm chart by its registry, without a scheme, and the chart. */
function repositoryOf(source: object): string | undefined {
	const { repoURL, chart } = source as { readonly repoURL?: unknown; readonly chart?: unknown }
	if (typeof repoURL !== 'string') return undefined
	if (typeof chart === 'string' && chart !== '') {
		const [, ...path] = repoURL.replace(/^oci:\/\//, '').split('/')
		return [...path, chart].filter((part) => part !== '').join('/')
	}
	const parsed = parseRepoUrl(repoURL)
	return parsed.ok ? parsed.url.repository : undefined
}

/** The tag that a `targetRevision` means now. */
async function tagOf(
	targetRevision: string,
	listTags: () => Promise<readonly string[]>,
): Promise<string | undefined> {
	const revision = classifyRevision(targetRevision)
	if (revision.kind === 'tag') return revision.tag
	if (revision.kind !== 'range') return undefined
	const tags = await listTags()
	if (tags.includes(revision.range)) return revision.range
	const highest = resolveRange(revision.range, tags)
	return highest.found || highest.reason === 'plus-tag' ? highest.tag : undefined
}
