import { randomBytes } from 'node:crypto'
import { lstatSync, readdirSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'

/** A new path beside another one: what becomes that file or directory is written there first. */
export function besideOf(path: string): string {
	return join(dirname(path), `${prefixOf(path)}${randomBytes(6).toString('hex')}`)
}

/**
 * What processes that were killed have left beside a path: of {@link besideOf}, also as a `.tar`,
 * and not changed since `before` (milliseconds since the epoch).
 */
export function findLeftBeside(path: string, before: number): readonly string[] {
	const directory = dirname(path)
	const prefix = prefixOf(path)
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

function prefixOf(path: string): string {
	return `.${basename(path)}.lading-`
}
