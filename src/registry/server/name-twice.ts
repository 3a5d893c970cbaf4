import { copyFileSync, linkSync, rmSync } from 'node:fs'
import { isSystemError } from '../../errors/index.ts'
import { syncFile } from './group-sync.ts'

/** Gives a file a second name, or where the file system has none for it, copies it. */
export function nameTwice(path: string, second: string): void {
	try {
		linkSync(path, second)
	} catch (error) {
		if (!isSystemError(error, 'EPERM', 'ENOTSUP', 'ENOSYS', 'EOPNOTSUPP')) throw error
		copyFlushed(path, second)
	}
}

/** Leaves no copy when it fails. */
export function copyFlushed(path: string, copy: string): void {
	try {
		copyFileSync(path, copy)
		syncFile(copy)
	} catch (error) {
		rmSync(copy, { force: true })
		throw error
	}
}
