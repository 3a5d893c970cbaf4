import { type Callout, calloutOf, formatIdentity, type ResourceDiff } from '../manifests/index.ts'
import { unifiedOf } from './diff-unified.ts'
import { createStyle, printableLine } from './style.ts'
import { countOf } from './size.ts'

interface SkippedName {
	readonly path: string
	/** What becomes of it, where that is known. */
	readonly change?: string | undefined
}

export interface MarkdownOptions {
	/** What the sides are called. */
	readonly before: string
	readonly after: string
	/** Files that were not compared. */
	readonly skipped?: readonly SkippedName[] | undefined
	/** Number of characters; 60,000: a comment on a pull request has at most 65,536. */
	readonly limit?: number | undefined
}

const LIMIT = 60_000
/** Rows of the table of images and replicas. */
const MAX_ROWS = 50

/** A difference for a comment on a pull request: what people look for first, then each resource to be unfolded. */
export function formatMarkdown(diffs: readonly ResourceDiff[], options: MarkdownOptions): string {
	const { before, after, skipped = [], limit = LIMIT } = options
	const title = `**${code(before)} → ${code(after)}**`
	const leftOut = leftOutOf(skipped)
	if (diffs.length === 0) return `${[`${title}: no difference`, ...leftOut].join('\n\n')}\n`
	const parts = [`${title}: ${summaryOf(diffs)}`, ...leftOut, ...calloutsOf(diffs)]
	let size = parts.join('\n\n').length
	for (const [index, diff] of diffs.entries()) {
		const left = countOf(diffs.length - index, 'resource')
		const rest = `… and ${left} more: too much for a comment.`
		const part = detailsOf(diff)
		if (size + part.length + rest.length + 4 > limit) {
			parts.push(rest)
			break
		}
		parts.push(part)
		size += part.length + 2
	}
	return `${parts.join('\n\n')}\n`
}

/** The comment is all that its readers see: what says less must say so. */
function leftOutOf(skipped: readonly SkippedName[]): readonly string[] {
	const names = [
		...new Set(
			skipped.map(({ path, change }) => (change === undefined ? code(path) : `${code(path)} (${change})`)),
		),
	]
	if (names.length === 0) return []
	const more = names.length > MAX_ROWS ? ` and ${names.length - MAX_ROWS} more` : ''
	return [`Not compared: ${names.slice(0, MAX_ROWS).join(', ')}${more}`]
}

/** `1 added, 2 changed`. */
export function summaryOf(diffs: readonly ResourceDiff[]): string {
	return (['added', 'changed', 'removed'] as const)
		.map((change) => ({ change, count: diffs.filter((diff) => diff.change === change).length }))
		.filter(({ count }) => count > 0)
		.map(({ change, count }) => `${count} ${change}`)
		.join(', ')
}

function calloutsOf(diffs: readonly ResourceDiff[]): readonly string[] {
	const rows = diffs.flatMap((diff) => {
		if (diff.change !== 'changed') return []
		return diff.fields.flatMap((field) => {
			const callout = calloutOf(field)
			return callout === undefined ? [] : [row(diff, callout)]
		})
	})
	if (rows.length === 0) return []
	const more = rows.length > MAX_ROWS ? [`| … and ${rows.length - MAX_ROWS} more | | | |`] : []
	return [
		[
			'| Resource | | Before | After |',
			'| --- | --- | --- | --- |',
			...rows.slice(0, MAX_ROWS),
			...more,
		].join('\n'),
	]
}

function row(diff: ResourceDiff, callout: Callout): string {
	const what = callout.what === 'image' ? `image of ${code(callout.container)}` : 'replicas'
	const [before, after] = [callout.before, callout.after].map((value) =>
		value === undefined ? '–' : code(String(value)),
	)
	return `| ${code(formatIdentity(diff.identity))} | ${what} | ${before} | ${after} |`
}

const MARKS = { added: '➕', removed: '➖', changed: '✏️' } as const

function detailsOf(diff: ResourceDiff): string {
	const name = printableLine(formatIdentity(diff.identity))
	const lines = unifiedOf(diff, createStyle(false)).slice(2)
	// A fence that is longer than any in the text cannot be closed by it.
	let longest = 2
	for (const line of lines)
		for (const [ticks] of line.matchAll(/`+/g)) longest = Math.max(longest, ticks.length)
	const fence = '`'.repeat(longest + 1)
	return [
		`<details><summary>${MARKS[diff.change]} ${escapeHtml(name)}</summary>`,
		'',
		`${fence}diff`,
		...lines,
		fence,
		'',
		'</details>',
	].join('\n')
}

/** Text of anybody's making as code, in a table too. */
function code(text: string): string {
	return `<code>${escapeHtml(printableLine(text))}</code>`
}

function escapeHtml(text: string): string {
	return text.replace(/[&<>"'|@\\`*_[\]#~]/g, (character) => `&#${character.charCodeAt(0)};`)
}
