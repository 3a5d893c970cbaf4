import { deployedDigests, readsRepository, revisionContains, sourcesOf } from '../argocd/index.ts'
import type { Reference } from '../oci/index.ts'
import { askedDigest } from '../sync/index.ts'
import type { ClusterChoice } from './chosen-cluster.ts'
import { isLocalCluster, openCluster } from './clusters.ts'
import { readRegistryHosting } from './registry-hosting.ts'
import type { Session } from './session.ts'

/** An Application that reads a repository. */
export interface ArtifactUser {
	readonly name: string
	/** What it asks for: a tag, a range, a digest. */
	readonly targetRevision: string
	/** What it runs, or was last compared with. */
	readonly digest?: string | undefined
	/** What it was deployed at, and may be rolled back to. */
	readonly history: readonly string[]
	/** Whether it asks for a tag, by name or by range. */
	follows(tag: string): boolean
}

/** The Applications that read a repository, under whatever name the cluster knows its registry by. */
export async function listApplicationsOf(
	session: Session,
	{ registry, repository }: Pick<Reference, 'registry' | 'repository'>,
	choice: ClusterChoice,
): Promise<readonly ArtifactUser[]> {
	const { signal, workspace } = session
	const target = await openCluster(session, choice)
	const own = isLocalCluster(session, target.name) ? workspace.state().registry?.endpoint : undefined
	const endpoint = own?.push === registry ? own : await readRegistryHosting(target.cluster)
	const registries = endpoint?.push === registry ? [registry, endpoint.cluster] : [registry]
	const applications = await target.argocd.applications.list(target.argocdNamespace, { signal })
	return applications
		.filter((application) => readsRepository(application, { registries, repository }))
		.map((application) => {
			const asked = sourcesOf(application).map(({ targetRevision }) => targetRevision ?? '')
			return {
				name: application.metadata.name,
				targetRevision: asked[0] ?? '',
				digest: askedDigest(application),
				history: deployedDigests(application),
				follows: (tag) => asked.some((revision) => revisionContains(revision, tag)),
			}
		})
}
