import { randomBytes } from 'node:crypto'
import { lstatSync, readdirSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'

/** A new path beside another one: what becomes that file or directory is written there first. */
export function besideOf(path: string): string {
	const { directory, prefix } = neighborhoodOf(path)
	return join(directory, `${prefix}${randomBytes(6).toString('hex')}`)
}

/**
 * What processes that were killed have left beside a path: of {@link besideOf}, also as a `.tar`,
 * and not changed since `before` (milliseconds since the epoch).
 */
export function findLeftBeside(path: string, before: number): readonly string[] {
	const { directory, prefix } = neighborhoodOf(path)
	try {
		return readdirSync(directory)
			.filter((name) => name.startsWith(prefix) && /^[0-9a-f]{12}(?:\.tar)?$/.test(name.slice(prefix.length)))
			.map((name) => join(directory, name))
			.filter((left) => (lstatSync(left, { throwIfNoEntry: false })?.mtimeMs ?? Infinity) < before)
			.toSorted()
	} catch {
		// Nothing hangs on it, and what is wrong with the directory is told by whoever writes to it.
		return []
	}
}

/** Of `.` the directory beside is its parent. */
function neighborhoodOf(path: string): { readonly directory: string; readonly prefix: string } {
	const target = resolve(path)
	return { directory: dirname(target), prefix: `.${basename(target)}.lading-` }
}
