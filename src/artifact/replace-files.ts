import { type Dirent, lstatSync, readdirSync, renameSync, type Stats } from 'node:fs'
import { dirname, join } from 'node:path'
import { isSystemError, UserError } from '../errors/index.ts'
import { defaultIgnorePatterns } from '../manifests/index.ts'

export type WrittenType = 'file' | 'directory' | 'symlink'

/** By path, with slashes; a directory comes before what is in it. */
export type WrittenEntries = ReadonlyMap<string, WrittenType>

const MAX_LISTED = 10

/**
 * Looks at everything that entries would replace in a directory: a file takes the place of a file, a
 * directory that of a directory, a link that of either a file or a link.
 * @throws UserError `NAME_TAKEN`
 */
export function refuseConflicts(
	directory: string,
	{ entries, shown }: { readonly entries: WrittenEntries; readonly shown: string },
): void {
	const conflicts: string[] = []
	// Below what is not there nothing is in the way, and below a link or a file nothing is looked at.
	const closed = new Set<string>()
	for (const [path, wanted] of entries) {
		const isClosed = closed.has(dirname(path))
		const there = isClosed ? undefined : lstatSync(join(directory, path), { throwIfNoEntry: false })
		if (!there?.isDirectory()) closed.add(path)
		if (there && !makesWay(there, wanted))
			conflicts.push(`${path} is ${nameOf(there)} there, and ${NAMES[wanted]} in the artifact`)
	}
	if (conflicts.length === 0) return
	const more = conflicts.length - MAX_LISTED
	throw new UserError('NAME_TAKEN', `${shown} has something in the way of the artifact`, {
		details: [...conflicts.slice(0, MAX_LISTED), ...(more > 0 ? [`and ${more} more`] : [])],
		hint: 'Nothing was changed. Move that away and pull again, or pull into a new directory.',
	})
}

const NAMES = { file: 'a file', directory: 'a directory', symlink: 'a link' } as const

function nameOf(there: Stats): string {
	if (there.isDirectory()) return NAMES.directory
	if (there.isSymbolicLink()) return NAMES.symlink
	return there.isFile() ? NAMES.file : 'a device, a pipe or a socket'
}

function makesWay(there: Stats, wanted: WrittenType): boolean {
	if (wanted === 'directory') return there.isDirectory()
	return there.isFile() || (wanted === 'symlink' && there.isSymbolicLink())
}

/** Renames every file of `from` into `to`, never through a link that is there. */
export function moveInto(from: string, to: string): void {
	for (const entry of readdirSync(from, { withFileTypes: true })) {
		const [source, target] = [join(from, entry.name), join(to, entry.name)]
		const isMerged =
			entry.isDirectory() && lstatSync(target, { throwIfNoEntry: false })?.isDirectory() === true
		if (isMerged) moveInto(source, target)
		else renameSync(source, target)
	}
}

/** Names that no artifact gets from a directory, such as `.git`. */
const NEVER_PACKED: ReadonlySet<string> = new Set(defaultIgnorePatterns)

/** Number of files and links in a directory, at any depth, that are none of the entries. */
export function countOthers(directory: string, entries: WrittenEntries): number {
	let count = 0
	const look = (prefix: string): void => {
		for (const entry of entriesIn(join(directory, prefix))) {
			if (NEVER_PACKED.has(entry.name)) continue
			const path = `${prefix}${entry.name}`
			if (entry.isDirectory()) look(`${path}/`)
			else if (!entries.has(path)) count++
		}
	}
	look('')
	return count
}

function entriesIn(directory: string): readonly Dirent[] {
	try {
		return readdirSync(directory, { withFileTypes: true })
	} catch (error) {
		// What is not the artifact's, its owner may have closed; no push could read it either.
		if (isSystemError(error)) return []
		throw error
	}
}
