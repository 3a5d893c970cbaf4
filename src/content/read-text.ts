import { readFileSync } from 'node:fs'
import { isSystemError } from '../errors/index.ts'

/**
 * A text file; `undefined` where there is none.
 * @throws what the system says of one that cannot be read
 */
export function readTextFile(path: string): string | undefined {
	try {
		return readFileSync(path, 'utf8')
	} catch (error) {
		if (isSystemError(error, 'ENOENT')) return undefined
		throw error
	}
}
