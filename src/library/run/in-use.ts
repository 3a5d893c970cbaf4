import { type ClusterChoice, collectInUse, withRegistryDirectory } from '../../flows/index.ts'
import type { InUse } from '../../registry/server/index.ts'
import type { Project } from '../project.ts'

/** What the Applications of a cluster name of a registry's content. */
export async function inUse(
	{ session }: Project,
	{ dataDirectory, cluster }: { readonly dataDirectory: string; readonly cluster: ClusterChoice },
): Promise<readonly InUse[]> {
	const found = await withRegistryDirectory(session, { dataDirectory, readOnly: true }, async ({ tags }) => {
		return await collectInUse(session, { choice: cluster, listTags: tags })
	})
	return found.inUse
}
