import { UserError } from '../../errors/index.ts'
import { formatReference } from '../../oci/index.ts'
import { listTags, readReference } from '../../flows/index.ts'
import type { RegistryFlags } from '../flags.ts'
import type { CommonFlags, Invocation } from '../invocation.ts'
import { accessOf, sessionOf } from '../session.ts'

export interface TagsFlags extends CommonFlags, RegistryFlags {}

export async function tags(invocation: Invocation, flags: TagsFlags, text: string): Promise<void> {
	const session = sessionOf(invocation)
	const reference = readReference(session, text)
	if (reference.tag !== undefined || reference.digest !== undefined) {
		const repository = formatReference({ registry: reference.registry, repository: reference.repository })
		throw new UserError('USAGE', `"${text}" names one artifact, and tags lists those of a repository`, {
			hint: `lading tags ${repository}`,
		})
	}
	const all = await listTags(session, reference, await accessOf(invocation, flags))
	const { registry, repository } = reference
	invocation.output.answer({ text: all.join('\n'), document: { registry, repository, tags: all } })
}
