import { calloutOf, formatDiff as diffLines, type ResourceDiff } from '../manifests/index.ts'
import { printable, type Style } from './style.ts'

const MARKS = { added: '+', removed: '-', changed: '~', reordered: '~' } as const
const COLORS = { added: 'green', removed: 'red', changed: 'yellow', reordered: 'dim' } as const

/** A difference for people: a line per resource, below it one per field; images and replicas first. */
export function formatDifferences(diffs: readonly ResourceDiff[], style: Style): string {
	if (diffs.length === 0) return 'no difference'
	return diffLines(diffs)
		.map(({ kind, depth, text, isCalledOut }) => {
			const line = style[COLORS[kind]](`${MARKS[kind]} ${printable(text)}`)
			return `${'    '.repeat(depth)}${isCalledOut === true ? style.bold(line) : line}`
		})
		.join('\n')
}

/** A difference as a document: by field, without the whole objects of what has changed. */
export function differencesDocument(
	diffs: readonly ResourceDiff[],
): readonly Readonly<Record<string, unknown>>[] {
	return diffs.map((diff) => {
		if (diff.change !== 'changed') return { ...diff }
		const { before: _, after: __, ...rest } = diff
		const callouts = diff.fields.flatMap((field) => calloutOf(field) ?? [])
		return { ...rest, ...(callouts.length > 0 && { callouts }) }
	})
}
