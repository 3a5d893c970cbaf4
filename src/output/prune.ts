import { unreachable } from '../errors/index.ts'
import type { PruneItem, PruneReport, Reason } from '../flows/index.ts'
import { countOf, formatBytes } from './size.ts'
import { printableLine, type Style } from './style.ts'
import { type Cell, formatTable } from './table.ts'

/** Lines of one list; the document of `--json` has all. */
const MAX_LINES = 200
const SHORT_DIGEST = 19

/** What a pruning has removed, or would, and what stays and why. */
export function formatPrune(report: PruneReport, style: Style): string {
	const { dryRun, repositories, freedBytes } = report
	const removed = repositories.flatMap((plan) =>
		plan.removed.map((item) => ({ ...item, where: plan.repository })),
	)
	const kept = repositories.flatMap((plan) => plan.kept.map((item) => ({ ...item, where: plan.repository })))
	const countIn = (items: readonly PruneItem[], kind: PruneItem['kind']): number =>
		items.filter((item) => item.kind === kind).length
	const what = [
		countOf(countIn(removed, 'tag'), 'tag'),
		countOf(countIn(removed, 'manifest'), 'artifact'),
		countOf(countIn(removed, 'blob'), 'blob'),
	].join(', ')
	const sections = [
		removed.length === 0
			? 'Nothing goes.'
			: `${dryRun ? 'Would remove' : 'Removed'} ${what}: ${formatBytes(freedBytes)}`,
		...list(dryRun ? 'Would go' : 'Gone', removed, style),
		...list('Stays', kept, style),
		...repositories.flatMap(({ repository, skipped }) =>
			skipped === undefined ? [] : [printableLine(`Nothing of ${repository} is touched: ${skipped}`)],
		),
	]
	return sections.join('\n\n')
}

type Placed = PruneItem & { readonly where: string }

/** Tags and artifacts one by one; of blobs there are too many. */
function list(title: string, items: readonly Placed[], style: Style): readonly string[] {
	const rows = items
		.filter(({ kind }) => kind !== 'blob')
		.map((item): readonly Cell[] => [
			item.where + (item.tag === undefined ? `@${item.digest.slice(0, SHORT_DIGEST)}…` : `:${item.tag}`),
			item.kind === 'tag' ? 'tag' : 'artifact',
			item.kind === 'tag' ? `${item.digest.slice(0, SHORT_DIGEST)}…` : formatBytes(item.size),
			explain(item.reason),
		])
	if (rows.length === 0) return []
	const table = formatTable([title, 'what', 'is', 'why'], rows.slice(0, MAX_LINES), style)
	return [rows.length > MAX_LINES ? `${table}\n… and ${rows.length - MAX_LINES} more: --json has all` : table]
}

function explain(reason: Reason): string {
	switch (reason.code) {
		case 'in-use':
			return `in use by ${reason.by}`
		case 'immutable':
			return 'immutable; --include-immutable lets it go'
		case 'newest':
			return `among the newest ${reason.count}`
		case 'young':
			return 'not old enough'
		case 'fresh':
			return 'pushed, asked for or named by a tag within the grace period'
		case 'busy':
			return 'being pushed'
		case 'child':
			return `part of ${short(reason.of)}`
		case 'referrer':
			return `refers to ${short(reason.of)}`
		case 'subject':
			return `${short(reason.of)} refers to it`
		case 'rule':
			return 'as asked'
		case 'untagged':
			return 'no tag names it'
		case 'last-tag':
			return `its tag ${reason.tag} goes`
		case 'parent-gone':
			return `was part of ${short(reason.of)}`
		case 'subject-gone':
			return `referred to ${short(reason.of)}`
		case 'unreferenced':
			return 'nothing refers to it'
		default:
			return unreachable(reason)
	}
}

function short(digest: string): string {
	return `${digest.slice(0, SHORT_DIGEST)}…`
}
