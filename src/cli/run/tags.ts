import { listTags, readReference } from '../../flows/index.ts'
import type { RegistryFlags } from '../flags.ts'
import type { CommonFlags, Invocation } from '../invocation.ts'
import { accessOf, sessionOf } from '../session.ts'

export interface TagsFlags extends CommonFlags, RegistryFlags {}

export async function tags(invocation: Invocation, flags: TagsFlags, text: string): Promise<void> {
	const session = sessionOf(invocation)
	const reference = readReference(session, text)
	const all = await listTags(session, reference, await accessOf(invocation, flags))
	const { registry, repository } = reference
	invocation.output.answer({ text: all.join('\n'), document: { registry, repository, tags: all } })
}
