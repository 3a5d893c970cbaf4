import { formatDiff as diffLines, type ResourceDiff } from '../manifests/index.ts'
import { printable, type Style } from './style.ts'

const MARKS = { added: '+', removed: '-', changed: '~', reordered: '~' } as const
const COLORS = { added: 'green', removed: 'red', changed: 'yellow', reordered: 'dim' } as const

/** A difference for people: a line per resource, below it one per field. */
export function formatDifferences(diffs: readonly ResourceDiff[], style: Style): string {
	if (diffs.length === 0) return 'no difference'
	return diffLines(diffs)
		.map(
			({ kind, depth, text }) =>
				`${'    '.repeat(depth)}${style[COLORS[kind]](`${MARKS[kind]} ${printable(text)}`)}`,
		)
		.join('\n')
}
