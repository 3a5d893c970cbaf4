import { load as loadFlow } from '../../flows/index.ts'
import { formatMoves } from '../../output/index.ts'
import type { RegistryFlags } from '../flags.ts'
import type { CommonFlags, Invocation } from '../invocation.ts'
import { accessOf, sessionOf } from '../session.ts'

export interface LoadFlags extends CommonFlags, RegistryFlags {
	readonly map?: readonly string[]
	readonly referrers?: boolean
	readonly force?: boolean
	readonly dryRun?: boolean
	readonly concurrency?: number
}

export async function load(
	invocation: Invocation,
	flags: LoadFlags,
	source: string,
	prefix: string | undefined,
): Promise<void> {
	const result = await loadFlow(sessionOf(invocation), {
		source,
		prefix,
		map: flags.map,
		referrers: flags.referrers,
		force: flags.force,
		dryRun: flags.dryRun,
		concurrency: flags.concurrency,
		access: await accessOf(invocation, flags),
	})
	invocation.output.answer({ text: formatMoves(result.artifacts), document: { load: result } })
}
