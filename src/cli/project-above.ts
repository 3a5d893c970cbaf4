import { existsSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { CONFIG_FILE } from '../config/index.ts'
import { type ErrorCode, type LadingError, UserError } from '../errors/index.ts'

/** What is missing where a project is: its settings, its registry, its cluster. */
const MISSING: ReadonlySet<ErrorCode> = new Set(['CONFIG_INVALID', 'REGISTRY_UNKNOWN', 'USAGE'])

/** A project is one directory; a command that misses something in one below it says where the project is. */
export function withProjectAbove(error: LadingError, cwd: string): LadingError {
	if (!(error instanceof UserError) || !MISSING.has(error.code) || isProject(cwd)) return error
	for (let above = dirname(cwd); above !== dirname(above); above = dirname(above)) {
		if (!isProject(above)) continue
		const { code, message, cause, details, hint } = error
		const there = `The project is further up: cd ${relative(cwd, above)}`
		return new UserError(code, message, { cause, details: [...details, there], hint })
	}
	return error
}

function isProject(directory: string): boolean {
	return existsSync(join(directory, CONFIG_FILE)) || existsSync(join(directory, '.lading', 'state.json'))
}
