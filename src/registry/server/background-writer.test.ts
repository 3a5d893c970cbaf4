import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { BackgroundWriter } from './background-writer.ts'

const directory = mkdtempSync(join(tmpdir(), 'lading-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

/** Writes pieces of 100,000 bytes, each of one letter. */
async function write(descriptor: number, letters: string): Promise<void> {
	const writer = new BackgroundWriter(descriptor)
	for (const letter of letters) await writer.add(Buffer.alloc(100_000, letter))
	await writer.end()
}

describe('what is written in the background', () => {
	it('is there in its order, after what was there', async () => {
		const path = join(directory, 'file')
		for (const letters of ['a', 'bcdefgh']) {
			const descriptor = openSync(path, 'a')
			await write(descriptor, letters)
			closeSync(descriptor)
		}
		const expected = Array.from('abcdefgh', (letter) => letter.repeat(100_000)).join('')
		expect(readFileSync(path, 'latin1') === expected).toBe(true)
	})

	it.each(['a', 'abcdefgh'])('fails where it cannot be written (%s)', async (letters) => {
		const descriptor = openSync(join(directory, 'file'), 'r')
		try {
			await expect(write(descriptor, letters)).rejects.toMatchObject({ code: 'EBADF' })
		} finally {
			closeSync(descriptor)
		}
	})
})
