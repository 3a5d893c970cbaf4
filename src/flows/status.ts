import type { Digest } from '../oci/index.ts'
import { type ApplicationState, type HistoryEntry, readHistory, readStatus } from '../observe/index.ts'
import { getApplication } from '../sync/index.ts'
import { withRepositoryOf } from './argocd-revision.ts'
import type { ConnectedCluster } from './clusters.ts'
import { currentTags } from './current-tags.ts'
import type { RegistryAccess } from './registries.ts'
import { readRegistryHosting } from './registry-hosting.ts'
import type { Session } from './session.ts'

/** What runs, and why when it does not; where the registry answers, also whether a tag has moved since. */
export async function readApplications(
	session: Session,
	target: ConnectedCluster,
	names: readonly string[],
): Promise<readonly ApplicationState[]> {
	const { signal } = session
	const endpoint = session.workspace.state().registry?.endpoint ?? (await readRegistryHosting(target.cluster))
	const tags = currentTags(session, endpoint)
	try {
		return await readStatus(target.argocd.applications, {
			namespace: target.argocdNamespace,
			names,
			signal,
			readUnhealthy: target.readUnhealthy,
			resolveTag: tags.resolve,
		})
	} finally {
		tags.close()
	}
}

/** A deployment, with the tags that name its digest now. */
export interface Deployment extends HistoryEntry {
	readonly tags: readonly string[]
}

const MAX_TAGS_ASKED = 200

/** What an Application was deployed at, newest first. */
export async function readDeployments(
	session: Session,
	target: ConnectedCluster,
	options: { readonly name: string; readonly access?: RegistryAccess | undefined },
): Promise<readonly Deployment[]> {
	const { signal } = session
	const application = await getApplication(
		target.argocd.applications,
		{ name: options.name, namespace: target.argocdNamespace },
		{ signal },
	)
	const entries = readHistory(application)
	const named = new Map<Digest, string[]>()
	try {
		await withRepositoryOf(
			session,
			{ target, application, access: options.access },
			async ({ repository }) => {
				const tags = (await repository.tags({ signal })) ?? []
				const digests = await Promise.all(
					tags
						.slice(0, MAX_TAGS_ASKED)
						.map(async (tag) => ({ tag, digest: (await repository.resolve(tag, { signal }))?.digest })),
				)
				for (const { tag, digest } of digests)
					if (digest) named.set(digest, [...(named.get(digest) ?? []), tag])
			},
		)
	} catch (error) {
		signal?.throwIfAborted()
		session.progress.warn(`the tags are not known: ${error instanceof Error ? error.message : String(error)}`)
	}
	return entries.map((entry) => ({
		...entry,
		tags: [...named].find(([digest]) => digest === entry.revision)?.[1] ?? [],
	}))
}
