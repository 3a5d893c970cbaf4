import { copyFileSync, linkSync, rmSync } from 'node:fs'
import { isSystemError } from '../../errors/index.ts'

/** Gives a file a second name, or where the file system has none for it, copies it. Leaves none when it fails. */
export function nameTwice(path: string, second: string): void {
	try {
		linkSync(path, second)
	} catch (error) {
		if (!isSystemError(error, 'EPERM', 'ENOTSUP', 'ENOSYS', 'EOPNOTSUPP')) throw error
		try {
			copyFileSync(path, second)
		} catch (failure) {
			rmSync(second, { force: true })
			throw failure
		}
	}
}
