import { copyArtifacts, readReference, refreshFollowers } from '../../flows/index.ts'
import { formatMoves } from '../../output/index.ts'
import type { ClusterFlags, RegistryFlags } from '../flags.ts'
import type { CommonFlags, Invocation } from '../invocation.ts'
import { clusterOf, sessionOf } from '../session.ts'
import { sideAccessOf, type SideFlags } from '../side-flags.ts'

export interface CopyFlags extends CommonFlags, RegistryFlags, SideFlags, ClusterFlags {
	readonly allTags?: boolean
	readonly tags?: string
	readonly referrers?: boolean
	readonly force?: boolean
	readonly dryRun?: boolean
	readonly concurrency?: number
	readonly refresh?: boolean
}

export async function copy(
	invocation: Invocation,
	flags: CopyFlags,
	from: string,
	to: string,
): Promise<void> {
	const { output } = invocation
	const session = sessionOf(invocation)
	const result = await copyArtifacts(session, {
		from,
		to,
		allTags: flags.allTags,
		range: flags.tags,
		referrers: flags.referrers,
		force: flags.force,
		dryRun: flags.dryRun,
		concurrency: flags.concurrency,
		access: await sideAccessOf(invocation, flags),
	})
	const isRegistry = !/^oci(?:-archive)?:(?!\/\/)/.test(to)
	const refreshed =
		flags.refresh === false || result.dryRun || !isRegistry
			? []
			: await refreshFollowers(
					session,
					result.artifacts.map(({ reference, digest, tag, outcome }) => ({
						reference: { ...readReference(session, reference), digest },
						tags: tag === undefined ? [] : [tag],
						outcome,
					})),
					{
						...clusterOf(invocation, flags, await invocation.config()),
						demanded: flags.refresh === true,
					},
				)
	output.answer({ text: formatMoves(result.artifacts), document: { copy: result, refreshed } })
}
