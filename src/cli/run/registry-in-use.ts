import { type ClusterChoice, collectInUse, type Session, withRegistryDirectory } from '../../flows/index.ts'
import type { InUse } from '../../registry/server/index.ts'

/** What the Applications of a cluster name of a registry's content. */
export async function inUseOf(
	session: Session,
	{ dataDirectory, choice }: { readonly dataDirectory: string; readonly choice: ClusterChoice },
): Promise<readonly InUse[]> {
	const options = { dataDirectory, readOnly: true }
	const found = await withRegistryDirectory(session, options, async ({ tags }) => {
		return await collectInUse(session, { choice, listTags: tags })
	})
	return found.inUse
}
