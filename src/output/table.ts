import { printableLine, type Style } from './style.ts'

/** Text of anybody's making; what it is painted with is ours. */
export type Cell = string | { readonly text: string; readonly paint: (text: string) => string }

/** Columns aligned by their widest cell, two spaces apart; headings in capitals, as kubectl does. */
export function formatTable(
	headings: readonly string[],
	rows: readonly (readonly Cell[])[],
	style: Style,
): string {
	const plain = (text: string): string => text
	const clean = rows.map((row) =>
		row.map((cell) =>
			typeof cell === 'string'
				? { text: printableLine(cell), paint: plain }
				: { text: printableLine(cell.text), paint: cell.paint },
		),
	)
	const heads = headings.map((heading) => ({ text: heading.toUpperCase(), paint: style.bold }))
	const widths = headings.map((heading, column) =>
		clean.reduce((most, row) => Math.max(most, row[column]?.text.length ?? 0), heading.length),
	)
	const line = (cells: readonly Exclude<Cell, string>[]): string =>
		cells
			.map(
				({ text, paint }, column) => paint(text) + ' '.repeat((widths[column] ?? text.length) - text.length),
			)
			.join('  ')
			.trimEnd()
	return [heads, ...clean].map(line).join('\n')
}
