import type { ScrubReport } from '../flows/index.ts'
import { countOf, formatBytes } from './size.ts'
import { printableLine, type Style } from './style.ts'

/** What a look for damage has found, and what to do. */
export function formatScrub({ checked, bytes, damaged, healed }: ScrubReport, style: Style): string {
	const lines = [`Checked ${countOf(checked, 'content')}, ${formatBytes(bytes)}`]
	for (const digest of healed) lines.push(`${digest} was damaged on the disk and is written again`)
	if (damaged.length === 0) return [...lines, style.green('Nothing is damaged.')].join('\n')
	lines.push(style.red(`${countOf(damaged.length, 'content')} damaged:`))
	for (const { digest, size, what, repositories } of damaged) {
		lines.push('', `${digest} (${formatBytes(size)})`, `  ${printableLine(what)}`)
		for (const { repository, tags } of repositories) {
			const named = tags.length === 0 ? 'no tag' : tags.slice(0, 20).join(', ')
			const more = tags.length > 20 ? ` and ${tags.length - 20} more` : ''
			lines.push(`  ${printableLine(`missed in ${repository}: ${named}${more}`)}`)
		}
	}
	lines.push(
		'',
		'Push the same content again: that replaces the damaged copy. What cannot be pushed again, lading registry prune removes with its tag.',
		'Content that rots comes from the disk or the memory of this machine: look at its log.',
	)
	return lines.join('\n')
}
