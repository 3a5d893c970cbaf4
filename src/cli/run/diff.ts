import { diff as diffFlow } from '../../flows/index.ts'
import { formatDifferences } from '../../output/index.ts'
import { exitCodes } from '../exit-codes.ts'
import type { RegistryFlags } from '../flags.ts'
import type { CommonFlags, Invocation } from '../invocation.ts'
import { accessOf, sessionOf } from '../session.ts'

export interface DiffFlags extends CommonFlags, RegistryFlags {
	readonly path?: string
	readonly recurse?: boolean
}

export async function diff(
	invocation: Invocation,
	flags: DiffFlags,
	before: string,
	after: string,
): Promise<number> {
	const { output } = invocation
	const differences = await diffFlow(sessionOf(invocation), [before, after], {
		path: flags.path,
		recurse: flags.recurse,
		access: await accessOf(invocation, flags),
	})
	output.answer({
		text: formatDifferences(differences, output.style),
		document: { before, after, differences },
	})
	return differences.length === 0 ? 0 : exitCodes.no
}
