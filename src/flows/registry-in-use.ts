import type { InUse } from '../registry/server/index.ts'
import type { ClusterChoice } from './chosen-cluster.ts'
import type { Session } from './session.ts'

/**
 * What the Applications of a cluster name of a registry's content. What talks to a cluster is loaded when it is
 * asked for: a registry starts without it.
 */
export async function registryInUse(
	session: Session,
	{ dataDirectory, choice }: { readonly dataDirectory: string; readonly choice: ClusterChoice },
): Promise<readonly InUse[]> {
	const { collectInUse } = await import('./in-use.ts')
	const { withRegistryDirectory } = await import('./registry-directory.ts')
	const options = { dataDirectory, readOnly: true }
	const found = await withRegistryDirectory(session, options, async ({ tags }) => {
		return await collectInUse(session, { choice, listTags: tags })
	})
	return found.inUse
}
