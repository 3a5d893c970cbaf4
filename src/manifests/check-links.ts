import { readlinkSync, realpathSync } from 'node:fs'
import { relative, sep } from 'node:path'
import { isSystemError, UserError } from '../errors/index.ts'
import { judgeLink } from './link-target.ts'
import type { ManifestEntry } from './manifest-set.ts'
import { unreadable } from './unreadable.ts'

/**
 * The target of a link.
 * @throws UserError `FILE_UNSUPPORTED` for one that leads out, `FILE_UNREADABLE`
 */
export function readLink(path: string, absolute: string): string {
	let target: string
	try {
		target = readlinkSync(absolute).split(sep).join('/')
	} catch (error) {
		throw unreadable(path, error)
	}
	const problem = judgeLink(path, target)
	if (problem === undefined) return target
	const what = {
		absolute: 'it is absolute',
		escapes: 'it leads out of the directory',
		roundabout: 'it goes down and up again',
		empty: 'it is empty',
	}[problem]
	throw badLink(path, target, what)
}

function badLink(path: string, target: string, what: string): UserError {
	return new UserError('FILE_UNSUPPORTED', `${path} links to ${JSON.stringify(target)}: ${what}`, {
		hint: 'Argo CD would refuse or misread it. Replace the link by a copy, or by a relative link inside the directory.',
	})
}

/**
 * Refuses links that do not end at something that is packed.
 * @throws UserError `FILE_UNSUPPORTED`, `FILE_UNREADABLE`
 */
export function checkLinks(root: string, entries: readonly ManifestEntry[]): void {
	const links = entries.filter((entry) => entry.type === 'symlink')
	if (links.length === 0) return
	const paths = new Set(entries.map((entry) => entry.path))
	for (const { path, absolute, linkTarget = '' } of links) {
		let real: string
		try {
			real = realpathSync(absolute)
		} catch (error) {
			if (isSystemError(error, 'ENOENT', 'ENOTDIR')) throw badLink(path, linkTarget, 'there is nothing')
			if (isSystemError(error, 'ELOOP')) throw badLink(path, linkTarget, 'it leads back to itself')
			throw unreadable(path, error)
		}
		const target = relative(root, real).split(sep).join('/')
		if (target !== '' && !paths.has(target)) {
			throw badLink(
				path,
				linkTarget,
				target.startsWith('../') ? 'it leads out of the directory' : `${target} is left out`,
			)
		}
	}
}
