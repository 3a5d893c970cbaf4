import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs'

/**
 * Whoever reads sees the old file or the new one; a failure leaves the old one, and nothing else. With `flush: false`
 * what the machine was about to write when it lost its power may be neither.
 */
export function replaceFile(
	path: string,
	text: string,
	{ flush = true }: { readonly flush?: boolean } = {},
): void {
	const temporary = `${path}.tmp`
	rmSync(temporary, { force: true })
	const descriptor = openSync(temporary, 'wx', 0o600)
	try {
		try {
			writeFileSync(descriptor, text)
			if (flush) fsyncSync(descriptor)
		} finally {
			closeSync(descriptor)
		}
		renameSync(temporary, path)
	} catch (error) {
		rmSync(temporary, { force: true })
		throw error
	}
}
