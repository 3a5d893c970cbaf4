import { readReference, refreshFollowers, tagArtifact } from '../../flows/index.ts'
import { formatReference } from '../../oci/index.ts'
import type { ClusterFlags, RegistryFlags } from '../flags.ts'
import type { CommonFlags, Invocation } from '../invocation.ts'
import { accessOf, clusterOf, sessionOf } from '../session.ts'

export interface TagFlags extends CommonFlags, RegistryFlags, ClusterFlags {
	readonly force?: boolean
	readonly refresh?: boolean
}

export async function tag(
	invocation: Invocation,
	flags: TagFlags,
	text: string,
	...tags: string[]
): Promise<void> {
	const { output } = invocation
	const session = sessionOf(invocation)
	const result = await tagArtifact(session, {
		reference: readReference(session, text),
		tags,
		force: flags.force,
		access: await accessOf(invocation, flags),
	})
	const refreshed =
		flags.refresh === false
			? []
			: await refreshFollowers(session, [result], {
					...clusterOf(invocation, flags, await invocation.config()),
					demanded: flags.refresh === true,
				})
	const reference = formatReference(result.reference)
	output.answer({
		text: reference,
		document: { ...result, reference, digest: result.reference.digest, refreshed },
	})
}
