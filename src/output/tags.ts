import type { TagsDescription } from '../flows/index.ts'
import { formatBytes } from './size.ts'
import type { Style } from './style.ts'
import { formatTable } from './table.ts'

/** Tags with what they name, as a table. `now`: milliseconds since the epoch. */
export function formatTags(
	{ tags, described, users }: TagsDescription,
	{ style, now }: { readonly style: Style; readonly now: number },
): string {
	if (tags.length === 0) return 'No tag matches.'
	const isKnown = users.kind === 'known'
	const rows = described.map(({ tag, digest, size, type, created, applications }) => [
		tag,
		digest === undefined ? '(gone)' : digest.replace(/^(sha\d+:.{12}).*$/, '$1'),
		size === undefined ? '' : formatBytes(size),
		created === undefined ? '' : formatAge(now - Date.parse(created)),
		type === undefined ? '' : shortType(type),
		...(isKnown ? [applications.join(', ')] : []),
	])
	const headings = ['tag', 'digest', 'size', 'age', 'type', ...(isKnown ? ['application'] : [])]
	const table = formatTable(headings, rows, style)
	if (described.length === tags.length) return table
	return `${table}\n\n${style.dim(`${described.length} of ${tags.length} tags; more with --limit, or names alone with --no-long`)}`
}

function shortType(type: string): string {
	return type.replace(/^application\/vnd\./, '')
}

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** Milliseconds as people count them: `5m`, `3h`, `12d`, `2y`. */
export function formatAge(ms: number): string {
	if (ms < MINUTE) return ms < -MINUTE ? 'in future' : 'now'
	if (ms < HOUR) return `${Math.floor(ms / MINUTE)}m`
	if (ms < 2 * DAY) return `${Math.floor(ms / HOUR)}h`
	if (ms < 730 * DAY) return `${Math.floor(ms / DAY)}d`
	return `${Math.floor(ms / (365 * DAY))}y`
}
