import { unreachable, UserError } from '../../errors/index.ts'
import { diff as diffFlow } from '../../flows/index.ts'
import {
	differencesDocument,
	formatDifferences,
	formatMarkdown,
	formatUnified,
	type Style,
} from '../../output/index.ts'
import { exitCodes } from '../exit-codes.ts'
import type { ClusterFlags, RegistryFlags } from '../flags.ts'
import type { CommonFlags, Invocation } from '../invocation.ts'
import { accessOf, clusterOf, sessionOf } from '../session.ts'

export interface DiffFlags extends CommonFlags, RegistryFlags, ClusterFlags {
	readonly path?: string
	readonly recurse?: boolean
	readonly format?: string
}

const FORMATS = ['terminal', 'unified', 'markdown', 'json'] as const
type Format = (typeof FORMATS)[number]

export async function diff(
	invocation: Invocation,
	flags: DiffFlags,
	before: string,
	after: string,
): Promise<number> {
	const { output } = invocation
	const format = formatOf(flags)
	const config = await invocation.config()
	const comparison = await diffFlow(sessionOf(invocation), [before, after], {
		...clusterOf(invocation, flags, config),
		path: flags.path,
		recurse: flags.recurse,
		access: await accessOf(invocation, flags),
	})
	const { differences, skipped } = comparison
	output.answer({
		text: textOf(comparison, { format, before, after, style: output.style }),
		document: { before, after, differences: differencesDocument(differences), skipped },
		isDocument: format === 'json',
	})
	return differences.length === 0 ? 0 : exitCodes.no
}

function formatOf({ format, json }: DiffFlags): Format {
	if (format === undefined) return json ? 'json' : 'terminal'
	const known = FORMATS.find((each) => each === format)
	if (known === undefined) {
		throw new UserError('USAGE', `"${format}" is not a format`, {
			hint: `--format takes ${FORMATS.join(', ')}.`,
		})
	}
	if (json === true && known !== 'json') {
		throw new UserError('USAGE', `--json and --format ${format} are both asked for`, {
			hint: 'Leave out one of the two.',
		})
	}
	return known
}

function textOf(
	{ differences, skipped }: Awaited<ReturnType<typeof diffFlow>>,
	{
		format,
		before,
		after,
		style,
	}: { readonly format: Format; readonly before: string; readonly after: string; readonly style: Style },
): string {
	switch (format) {
		case 'terminal':
		case 'json':
			return formatDifferences(differences, style)
		case 'unified':
			return formatUnified(differences, style)
		case 'markdown':
			return formatMarkdown(differences, { before, after, skipped })
		default:
			return unreachable(format)
	}
}
