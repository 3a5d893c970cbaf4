import { UserError } from '../../errors/index.ts'
import { formatReference } from '../../oci/index.ts'
import { describeTags, listTags, readReference } from '../../flows/index.ts'
import { formatTags } from '../../output/index.ts'
import type { ClusterFlags, RegistryFlags } from '../flags.ts'
import type { CommonFlags, Invocation } from '../invocation.ts'
import { accessOf, clusterOf, sessionOf } from '../session.ts'

export interface TagsFlags extends CommonFlags, RegistryFlags, ClusterFlags {
	readonly range?: string
	readonly filter?: string
	readonly limit?: number
	readonly long?: boolean
}

export async function tags(invocation: Invocation, flags: TagsFlags, words: string): Promise<void> {
	const session = sessionOf(invocation)
	const reference = readReference(session, words)
	if (reference.tag !== undefined || reference.digest !== undefined) {
		const repository = formatReference({ registry: reference.registry, repository: reference.repository })
		throw new UserError('USAGE', `"${words}" names one artifact, and tags lists those of a repository`, {
			hint: `lading tags ${repository}`,
		})
	}
	const { registry, repository } = reference
	const { range, filter, limit } = flags
	const access = await accessOf(invocation, flags)
	const { output, context } = invocation
	if (!(flags.long ?? (output.json || context.stdout.isTTY === true))) {
		const all = await listTags(session, reference, { range, filter, access })
		const shown = all.slice(0, limit)
		output.answer({ text: shown.join('\n'), document: { registry, repository, tags: shown } })
		return
	}
	const cluster = clusterOf(invocation, flags, await invocation.config())
	const result = await describeTags(session, reference, { range, filter, limit, access, cluster })
	const text = formatTags(result, { style: output.style, now: Date.now() })
	const { tags: all, described, users } = result
	output.answer({
		text,
		document: {
			registry,
			repository,
			tags: all.slice(0, limit),
			described,
			...('cluster' in users && { cluster: users.cluster }),
		},
	})
}
