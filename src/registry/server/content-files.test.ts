import { mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { type Digest, digestHex, digestOf } from '../../oci/index.ts'
import { ContentFiles } from './content-files.ts'
import { Packs } from './packs.ts'

let directory: string
beforeEach(() => {
	directory = mkdtempSync(join(tmpdir(), 'lading-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const SIZE = 32 * 1024 * 1024

async function stored(): Promise<{ contents: ContentFiles; digest: Digest; path: string }> {
	const contents = new ContentFiles(directory, {
		temporaryDirectory: directory,
		packs: new Packs(join(directory, 'packs'), { journalPath: join(directory, 'journal') }),
	})
	contents.makeDirectories()
	const bytes = Buffer.alloc(SIZE, 'large')
	const digest = digestOf(bytes)
	await contents.write(digest, bytes)
	return { contents, digest, path: join(directory, 'sha256', digestHex(digest)) }
}

/** The turns that others get while the first ten bytes are read, and what is read. */
async function readStart(contents: ContentFiles, digest: Digest): Promise<{ turns: number; text: string }> {
	const read = contents.open(digest, SIZE).read({ start: 0, end: 9 })
	let turns = 0
	let isReading = true
	const count = (): void => {
		turns++
		if (isReading) setImmediate(count)
	}
	setImmediate(count)
	try {
		const chunks: Uint8Array[] = []
		for await (const chunk of read as AsyncIterable<Uint8Array>) chunks.push(chunk)
		return { turns, text: Buffer.concat(chunks).toString() }
	} catch (error) {
		return { turns, text: String(error) }
	} finally {
		isReading = false
	}
}

it('others get their turn while the whole is checked for a part of it', async () => {
	const { contents, digest } = await stored()
	const first = await readStart(contents, digest)
	expect(first.text).toBe('largelarge')
	expect(first.turns).toBeGreaterThanOrEqual(5)
	expect(await readStart(contents, digest)).toEqual({ turns: 0, text: 'largelarge' })
})

it('what was found damaged is not read again until its file is another', async () => {
	const { contents, digest, path } = await stored()
	const good = readFileSync(path)
	const bad = Buffer.from(good)
	bad[SIZE - 1] = 0
	writeFileSync(path, bad)
	expect((await readStart(contents, digest)).text).toContain('corrupt')
	const again = await readStart(contents, digest)
	expect(again.turns).toBe(0)
	expect(again.text).toContain('is damaged in the registry')
	expect(contents.isDamaged(digest)).toBe(true)
	writeFileSync(path, good)
	utimesSync(path, 1, 1)
	expect((await readStart(contents, digest)).text).toBe('largelarge')
})

it('large content is in memory once for all who read it, and is checked again when its file is another', async () => {
	const { contents, digest, path } = await stored()
	const first = contents.read(digest, SIZE)
	expect(contents.read(digest, SIZE) === first).toBe(true)
	utimesSync(path, 1, 1)
	const second = contents.read(digest, SIZE)
	expect(second === first).toBe(false)
	expect(second.byteLength).toBe(SIZE)
	writeFileSync(path, Buffer.alloc(SIZE, 'other'))
	expect(() => contents.read(digest, SIZE)).toThrow('is damaged in the registry')
})
