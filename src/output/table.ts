import { printable, type Style } from './style.ts'

const ESCAPE = '\u001B['
// oxlint-disable-next-line no-control-regex -- colour codes take no room
const COLOR = /\u001B\[\d+m/g

/** Columns aligned by their widest cell, two spaces apart; headings in capitals, as kubectl does. */
export function formatTable(
	headings: readonly string[],
	rows: readonly (readonly string[])[],
	style: Style,
): string {
	const width = (text: string): number => text.replace(COLOR, '').length
	const clean = rows.map((row) => row.map((cell) => (cell.includes(ESCAPE) ? cell : printable(cell))))
	const widths = headings.map((heading, column) =>
		Math.max(width(heading), ...clean.map((row) => width(row[column] ?? ''))),
	)
	const line = (cells: readonly string[]): string =>
		cells
			.map((cell, column) => cell + ' '.repeat(Math.max(0, (widths[column] ?? 0) - width(cell))))
			.join('  ')
			.trimEnd()
	return [line(headings.map((heading) => style.bold(heading.toUpperCase()))), ...clean.map(line)].join('\n')
}
