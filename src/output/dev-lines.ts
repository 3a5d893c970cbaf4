import { type DevEvent } from '../flows/index.ts'
import { unreachable } from '../errors/index.ts'
import { formatDifferences } from './diff.ts'
import { formatError } from './error.ts'
import { printable, printableLine, type Style } from './style.ts'

/** Lines of a difference that are shown; the rest is counted. */
const MAX_LINES = 12

/** Milliseconds as people read them. */
export function formatMs(ms: number): string {
	return `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`
}

export function shortDigest(digest: string): string {
	return `${digest.slice(0, 19)}…`
}

/** What happened, for people; nothing for what only matters while it lasts. */
export function devLines(event: DevEvent, style: Style): readonly string[] {
	switch (event.event) {
		case 'started':
			return [
				`${style.bold(printableLine(event.name))}: every save in ${printableLine(event.directory)} is pushed to ${event.reference} and runs in ${printableLine(event.cluster)}, namespace ${printableLine(event.namespace)}`,
				...(event.cluster === 'sandbox'
					? [style.dim('The sandbox is a stand-in for Kubernetes and Argo CD; no container runs.')]
					: []),
				...(event.previousRevision === undefined
					? []
					: [`It followed ${printableLine(event.previousRevision)} before.`]),
				style.dim('Ctrl-C ends.'),
			]
		case 'saved':
		case 'progress':
			return []
		case 'unchanged':
			return [`${style.dim('=')} unchanged: ${shortDigest(event.digest)} is what was pushed last`]
		case 'refused':
			return [`${style.red('✗')} not pushed`, ...indented(formatError(event.error, { style, debug: false }))]
		case 'pushed':
			return [
				`${style.green('✓')} pushed   ${shortDigest(event.digest)}, ${event.files} ${event.files === 1 ? 'file' : 'files'}  ${style.dim(formatMs(event.ms))}`,
			]
		case 'changes':
			return indented(shortened(formatDifferences(event.differences, style)))
		case 'synced':
			return [`${style.green('✓')} Synced   ${style.dim(formatMs(event.ms))}`]
		case 'healthy':
			return [`${style.green('✓')} Healthy  ${style.dim(formatMs(event.ms))}`]
		case 'unhealthy':
			return event.resources.map((each) => `${style.yellow('!')} ${printable(each)}`)
		case 'failed':
			return indented(formatError(event.error, { style, debug: false }), '')
		case 'superseded':
			return [style.dim('- a newer save came before it was Healthy')]
		case 'warning':
			return [
				`${style.yellow('warning:')} ${printable(event.message)}`,
				...(event.hint === undefined ? [] : [`${style.cyan('next:')}    ${printable(event.hint)}`]),
			]
		default:
			return unreachable(event)
	}
}

function shortened(text: string): string {
	const lines = text.split('\n')
	if (lines.length <= MAX_LINES) return text
	return [...lines.slice(0, MAX_LINES), `… and ${lines.length - MAX_LINES} lines more`].join('\n')
}

function indented(text: string, indent = '  '): readonly string[] {
	return text
		.trimEnd()
		.split('\n')
		.map((line) => `${indent}${line}`)
}
