import { UserError } from '../../errors/index.ts'
import { save as saveFlow } from '../../flows/index.ts'
import { printableLine } from '../../output/index.ts'
import type { RegistryFlags } from '../flags.ts'
import type { CommonFlags, Invocation } from '../invocation.ts'
import { accessOf, sessionOf } from '../session.ts'

export interface SaveFlags extends CommonFlags, RegistryFlags {
	readonly allTags?: boolean
	readonly tags?: string
	readonly referrers?: boolean
	readonly force?: boolean
	readonly concurrency?: number
}

export async function save(invocation: Invocation, flags: SaveFlags, ...words: string[]): Promise<void> {
	const references = words.slice(0, -1)
	const target = words.at(-1)
	if (target === undefined || references.length === 0)
		throw new UserError('USAGE', 'nothing is named to save')
	const result = await saveFlow(sessionOf(invocation), {
		references,
		target,
		allTags: flags.allTags,
		range: flags.tags,
		referrers: flags.referrers,
		force: flags.force,
		concurrency: flags.concurrency,
		access: await accessOf(invocation, flags),
	})
	const lines = result.artifacts.map(({ reference, digest }) =>
		printableLine(reference.includes('@') ? reference : `${reference}@${digest}`),
	)
	invocation.output.answer({ text: lines.join('\n'), document: { save: result } })
}
