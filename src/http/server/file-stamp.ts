import { statSync } from 'node:fs'
import { isSystemError } from '../../errors/index.ts'

/** What changes when a file does, also when it comes, goes, or cannot be looked at any more. */
export function stampOfFile(path: string): string {
	try {
		const stat = statSync(path, { throwIfNoEntry: false })
		return stat ? `${stat.ino} ${stat.mtimeMs} ${stat.ctimeMs} ${stat.size}` : ''
	} catch (error) {
		if (isSystemError(error)) return error.code ?? ''
		throw error
	}
}
