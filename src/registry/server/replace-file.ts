import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs'

/** Whoever reads sees the old file or the new one; a failure leaves the old one, and nothing else. */
export function replaceFile(path: string, text: string): void {
	const temporary = `${path}.tmp`
	rmSync(temporary, { force: true })
	const descriptor = openSync(temporary, 'wx', 0o600)
	try {
		try {
			writeFileSync(descriptor, text)
			fsyncSync(descriptor)
		} finally {
			closeSync(descriptor)
		}
		renameSync(temporary, path)
	} catch (error) {
		rmSync(temporary, { force: true })
		throw error
	}
}
