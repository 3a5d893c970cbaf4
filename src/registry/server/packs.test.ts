import {
	cpSync,
	linkSync,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	rmSync,
	statSync,
	writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { RemoteError } from '../../errors/index.ts'
import { type Digest, digestOf, MediaType } from '../../oci/index.ts'
import { type CreateStorageOptions, createStorage, type RegistryStorage } from './index.ts'
import { Packs } from './packs.ts'
import { formatRecord } from './record.ts'
import { packsOf, rot, storedContent } from './stored-content.fixture.ts'

let directory: string
let storage: RegistryStorage
let warnings: string[]
const open = (options: CreateStorageOptions = {}): void => {
	storage = createStorage(directory, { onWarning: (message) => warnings.push(message), ...options })
}
beforeEach(() => {
	directory = mkdtempSync(join(tmpdir(), 'lading-'))
	warnings = []
	open()
})
afterEach(async () => {
	await storage.close()
	rmSync(directory, { recursive: true, force: true })
})

async function restart(
	change: () => void = () => undefined,
	options: CreateStorageOptions = {},
): Promise<void> {
	await storage.close()
	change()
	open(options)
}

async function* stream(...parts: readonly (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
	for (const part of parts) yield Buffer.from(part)
}

async function putBlob(content: string | Uint8Array, repository = 'app'): Promise<Digest> {
	const digest = digestOf(content)
	const { id } = storage.startUpload(repository) ?? { id: '' }
	const result = await storage.finishUpload(repository, { id, digest, body: stream(content) })
	expect(result).toMatchObject({ kind: 'stored', digest })
	return digest
}

async function putManifest(text: string, tags: readonly string[] = ['v1']): Promise<Digest> {
	const bytes = Buffer.from(text)
	const digest = digestOf(bytes)
	const manifest = { digest, mediaType: MediaType.imageManifest, size: bytes.byteLength, references: [] }
	await storage.putManifest('app', { manifest, bytes, tags })
	return digest
}

function read(digest: Digest): string {
	const content = storage.openBlob('app', digest)?.read()
	if (!(content instanceof Uint8Array)) throw new Error('no small blob')
	return String(Buffer.from(content))
}

/** What became of content that was acknowledged. */
function fateOf(digest: Digest, content: string): string {
	const isSaid = storage.damage() === undefined ? 'lost' : 'said to be lost'
	if (storage.blobSize('app', digest) === undefined) return isSaid
	try {
		const text = read(digest)
		if (storage.isDamaged(digest)) return 'good, and said to be damaged'
		return text === content ? 'served' : 'served wrong'
	} catch (error) {
		return error instanceof RemoteError ? error.code : String(error)
	}
}

/** Of some size: of very small content, what is written of it besides is the larger part. */
const contentOf = (index: number): string => `content ${index} `.repeat(60)

const journal = (): string => join(directory, 'journal')
const filesOf = (folder: string): readonly string[] => readdirSync(join(directory, folder))

describe('small content', () => {
	it('lies in the journal, however it was sent, and no file is made of it', async () => {
		const whole = await putBlob('whole')
		const empty = await putBlob('')
		const { id } = storage.startUpload('app') ?? { id: '' }
		await storage.appendUpload('app', { id, body: stream('in ') })
		const digest = digestOf('in parts')
		expect(await storage.finishUpload('app', { id, digest, body: stream('parts') })).toMatchObject({
			size: 8,
		})
		const manifest = await putManifest('{"a":1}')
		const largest = Buffer.alloc(32 * 1024, 'largest ')
		await putBlob(largest)
		expect(filesOf('blobs/sha256')).toEqual([])
		const large = await putBlob(`${String(largest)}!`)
		expect(filesOf('blobs/sha256')).toHaveLength(1)
		expect(filesOf('uploads')).toEqual([])
		for (let time = 0; time < 2; time++) {
			expect([whole, empty, digest].map(read)).toEqual(['whole', '', 'in parts'])
			expect(String(storage.readManifest('app', manifest))).toBe('{"a":1}')
			expect(read(digestOf(largest))).toBe(String(largest))
			expect(storage.blobSize('app', large)).toBe(largest.byteLength + 1)
			await restart()
		}
	})

	it('stays where it is when the journal is written anew: the old one becomes a pack', async () => {
		await restart(undefined, { compactLines: 10 })
		const blobs: Digest[] = []
		const inodes = new Set<number>()
		for (let index = 0; index < 150; index++) {
			blobs.push(await putBlob(contentOf(index)))
			inodes.add(statSync(journal()).ino)
		}
		expect(packsOf(directory).length).toBeGreaterThan(1)
		for (const pack of packsOf(directory))
			expect(inodes).toContain(statSync(join(directory, 'packs', pack)).ino)
		for (let time = 0; time < 2; time++) {
			for (const [index, digest] of blobs.entries()) expect(read(digest)).toBe(contentOf(index))
			await restart()
		}
	})

	it('frees its space when nobody has it: a pack goes that nothing is left of, or little', async () => {
		await restart(undefined, { compactBytes: 100_000 })
		const content = (index: number): Buffer => Buffer.alloc(10_000, `content ${index} `)
		const blobs: Digest[] = []
		for (let index = 0; index < 40; index++) blobs.push(await putBlob(content(index)))
		const packs = packsOf(directory)
		expect(packs.length).toBeGreaterThan(3)
		const kept = [blobs[0], blobs.at(-1)] as Digest[]
		const gone = blobs.filter((digest) => !kept.includes(digest))
		for (const digest of gone) await storage.deleteBlob('app', digest)
		// What nothing is left of goes at once, without anything that would have to be written.
		expect(packsOf(directory).filter((pack) => packs.slice(1, -1).includes(pack))).toEqual([])
		await storage.prune({ graceMs: 1000 })
		await expect.poll(() => packsOf(directory).filter((pack) => packs.includes(pack))).toEqual([])
		await storage.close()
		const bytes = [journal(), ...packsOf(directory).map((pack) => join(directory, 'packs', pack))]
			.map((path) => statSync(path).size)
			.reduce((sum, size) => sum + size, 0)
		expect(bytes).toBeLessThan(2 * 100_000)
		open()
		expect(kept.map(read)).toEqual([content(0), content(39)].map(String))
		for (const digest of gone) expect(storage.openBlob('app', digest)).toBeUndefined()
	})

	it('that was pushed many times does not pile up', async () => {
		await restart(undefined, { compactBytes: 50_000 })
		const content = Buffer.alloc(5000, 'the same ')
		for (let index = 0; index < 200; index++) await putBlob(content)
		await expect.poll(() => packsOf(directory).length).toBeLessThan(2)
		expect(read(digestOf(content))).toBe(String(content))
	})

	it('goes with its last owner, also across a start, and comes back with a push', async () => {
		const digest = await putBlob('content')
		await putBlob('content', 'other')
		await storage.deleteBlob('other', digest)
		expect(read(digest)).toBe('content')
		await storage.deleteBlob('app', digest)
		await restart()
		expect(storage.openBlob('app', digest)).toBeUndefined()
		expect(storage.statistics().bytes).toBe(0)
		await putBlob('content')
		await restart()
		expect(read(digest)).toBe('content')
	})

	it('of a registry of before lies in files, is served, and goes from there too', async () => {
		await restart(undefined, { inlineBytes: 0 })
		const digest = await putBlob('content')
		expect(filesOf('blobs/sha256')).toHaveLength(1)
		await restart()
		expect(read(digest)).toBe('content')
		await putBlob('content')
		// Once is enough.
		expect(filesOf('blobs/sha256')).toEqual([])
		await restart()
		expect(read(digest)).toBe('content')
	})

	it('moves into a file where less is small, and is found there', async () => {
		await restart(undefined, { compactLines: 5 })
		const blobs: Digest[] = []
		for (let index = 0; index < 60; index++) blobs.push(await putBlob(contentOf(index)))
		expect(packsOf(directory)).not.toEqual([])
		await restart(undefined, { inlineBytes: 0 })
		for (let index = 0; index < 60; index++) await putBlob(contentOf(index))
		await storage.prune({ graceMs: 1000 })
		await expect.poll(() => packsOf(directory)).toEqual([])
		await restart()
		for (const [index, digest] of blobs.entries()) expect(read(digest)).toBe(contentOf(index))
	})
})

describe('a crash', () => {
	it('at any byte of the journal leaves what was before, and no half', async () => {
		const blob = await putBlob('content of one')
		const first = await putManifest('{"a":1}')
		await storage.close()
		const whole = statSync(journal()).size
		open()
		const second = await putManifest('{"b":2}')
		await storage.close()
		const bytes = readFileSync(journal())
		for (let length = whole; length <= bytes.byteLength; length++) {
			writeFileSync(journal(), bytes.subarray(0, length))
			open()
			// Without its last newline and the mark after it, it is there.
			const isThere = length >= bytes.byteLength - 3
			expect(storage.resolveTag('app', 'v1')).toBe(isThere ? second : first)
			expect(String(storage.readManifest('app', isThere ? second : first))).toBe(
				isThere ? '{"b":2}' : '{"a":1}',
			)
			expect(read(blob)).toBe('content of one')
			const third = await putManifest('{"c":3}')
			await restart()
			expect(String(storage.readManifest('app', third))).toBe('{"c":3}')
			await storage.close()
		}
		expect(warnings).toEqual([])
		open()
	})

	it('before the new journal has its name leaves the old one, and no pack', async () => {
		const digest = await putBlob('content')
		await restart(() => {
			mkdirSync(join(directory, 'packs'))
			linkSync(journal(), join(directory, 'packs/1'))
			writeFileSync(join(directory, 'journal.tmp'), 'half')
		})
		expect(packsOf(directory)).toEqual([])
		expect(read(digest)).toBe('content')
	})

	it('when the journal cannot be written anew leaves no second name', async () => {
		await restart(undefined, { compactLines: 3 })
		mkdirSync(join(directory, 'journal.tmp'))
		const blobs: Digest[] = []
		for (let index = 0; index < 20; index++) blobs.push(await putBlob(contentOf(index)))
		expect(warnings[0]).toContain('cannot be written anew')
		expect(packsOf(directory)).toEqual([])
		rmSync(join(directory, 'journal.tmp'), { recursive: true })
		for (let index = 20; index < 40; index++) blobs.push(await putBlob(contentOf(index)))
		expect(packsOf(directory)).not.toEqual([])
		await restart()
		for (const [index, digest] of blobs.entries()) expect(read(digest)).toBe(contentOf(index))
	})
})

it('a pack of a directory that is another process’s by now stays', () => {
	let isHeld = true
	const fence = { isHeld: () => isHeld, assertHeld: () => undefined }
	const packs = new Packs(join(directory, 'packs'), { journalPath: journal(), fence })
	packs.add(digestOf('content'), { offset: 10, length: 12 })
	const { undo } = packs.retire(100)
	isHeld = false
	// The other one has swept that away, and made one of its own.
	rmSync(join(directory, 'packs/1'))
	writeFileSync(join(directory, 'packs/1'), 'of the other')
	undo()
	expect(packsOf(directory)).toEqual(['1'])
})

describe('small content that is damaged', () => {
	const code = 'CONTENT_CORRUPT'

	it('in its last copy is served from the one before', async () => {
		const digest = await putBlob('content')
		await putBlob('content', 'other')
		await restart(() => rot(directory, digest))
		expect(storage.isDamaged(digest)).toBe(false)
		expect(read(digest)).toBe('content')
	})

	it('in what no answer was given for is not there: a page of it never reached the disk', async () => {
		const old = await putManifest('{"old":true}')
		await putManifest(`{"new":"${'x'.repeat(20_000)}"}`)
		await restart(() => {
			const bytes = readFileSync(journal())
			bytes.fill(0, bytes.byteLength - 12_000, bytes.byteLength - 8000)
			// The mark says that all before it was flushed.
			expect(String(bytes.subarray(-3))).toBe('\n.\n')
			writeFileSync(journal(), bytes.subarray(0, -2))
		})
		expect(storage.resolveTag('app', 'v1')).toBe(old)
		expect(String(storage.readManifest('app', old))).toBe('{"old":true}')
		expect(warnings).toEqual([])
		const next = await putManifest('{"next":true}')
		await restart()
		expect(storage.resolveTag('app', 'v1')).toBe(next)
	})

	it('nor is what else was written with it, wherever the page was that is missing', async () => {
		const old = await putManifest('{"old":true}')
		const before = statSync(journal()).size
		// One flush.
		await Promise.all([
			putManifest(`{"new":"${'x'.repeat(9000)}"}`),
			putManifest(`{"new":"${'y'.repeat(9000)}"}`, ['v2']),
		])
		await storage.close()
		const whole = readFileSync(journal()).subarray(0, -2)
		for (let from = before; from < whole.byteLength - 1; from += 2000) {
			const bytes = Buffer.from(whole)
			bytes.fill(0, from, Math.min(from + 4096, bytes.byteLength))
			writeFileSync(journal(), bytes)
			open()
			expect(storage.damage()).toBeUndefined()
			for (const tag of ['v1', 'v2']) {
				const digest = storage.resolveTag('app', tag)
				expect(digest === undefined ? '' : String(storage.readManifest('app', digest))).toMatch(/^$|^\{/)
			}
			expect(storage.resolveTag('app', 'v1')).toBeDefined()
			await storage.close()
		}
		expect(String(whole)).toContain(old)
		expect(warnings).toEqual([])
		open()
	})

	it('nor is the very first record of a registry', async () => {
		const before = statSync(journal()).size
		await putManifest('{"first":true}')
		await restart(() => {
			const bytes = readFileSync(journal()).subarray(0, -2)
			bytes.fill(0, before, before + 20)
			writeFileSync(journal(), bytes)
		})
		expect(storage.damage()).toBeUndefined()
		expect(storage.resolveTag('app', 'v1')).toBeUndefined()
		expect(warnings).toEqual([])
	})

	it('after a start is damaged, and not missing: what a start has read was flushed', async () => {
		const digest = await putBlob('content')
		const unmarked = (): void => writeFileSync(journal(), readFileSync(journal()).subarray(0, -2))
		await restart(unmarked)
		expect(String(readFileSync(journal()).subarray(-3))).toBe('\n.\n')
		await restart(() => rot(directory, digest))
		expect(storage.isDamaged(digest)).toBe(true)
	})

	it('and removed is not remembered as damaged', async () => {
		const digest = await putBlob('content')
		await restart(() => rot(directory, digest))
		expect(storage.isDamaged(digest)).toBe(true)
		await storage.deleteBlob('app', digest)
		await restart()
		expect(storage.isDamaged(digest)).toBe(false)
	})

	it('in the journal is told from a damaged record: nothing else is lost, and a push heals it', async () => {
		const [good, bad] = [await putBlob('good content'), await putBlob('bad content')]
		const manifest = await putManifest('{"a":1}')
		await restart(() => {
			rot(directory, bad)
			rot(directory, manifest)
		})
		expect(warnings).toEqual([])
		expect(storage.damage()).toBeUndefined()
		expect(storage.isDamaged(bad)).toBe(true)
		expect(await storage.mountBlob('other', { digest: bad })).toBe(false)
		expect(() => read(bad)).toThrow(expect.objectContaining({ code }))
		expect(() => storage.readManifest('app', manifest)).toThrow(expect.objectContaining({ code }))
		expect(storage.resolveTag('app', 'v1')).toBe(manifest)
		expect(read(good)).toBe('good content')
		expect((await storage.scrub()).damaged.map(({ digest }) => digest).toSorted()).toEqual(
			[bad, manifest].toSorted(),
		)
		await putBlob('bad content')
		await putManifest('{"a":1}', [])
		await restart()
		expect(read(bad)).toBe('bad content')
		expect(String(storage.readManifest('app', manifest))).toBe('{"a":1}')
		expect(await storage.scrub()).toMatchObject({ damaged: [], checked: 3 })
	})

	it('in a pack is found when it is read, and by a scrub, which mends what memory has', async () => {
		await restart(undefined, { compactLines: 5 })
		const blobs: Digest[] = []
		for (let index = 0; index < 20; index++) blobs.push(await putBlob(contentOf(index)))
		const [first, second, third] = blobs as [Digest, Digest, Digest]
		await restart()
		for (const digest of [first, second, third])
			expect(storedContent(directory, digest)?.path).toContain('packs')
		expect(read(second)).toBe(contentOf(1))
		for (const digest of [first, second, third]) rot(directory, digest)
		expect(() => read(first)).toThrow(expect.objectContaining({ code }))
		expect(storage.isDamaged(third)).toBe(false)
		const report = await storage.scrub()
		expect(report.healed).toEqual([second])
		expect(report.damaged.map(({ digest }) => digest)).toEqual([first, third])
		await putBlob(contentOf(0))
		await restart()
		expect([first, second].map(read)).toEqual([contentOf(0), contentOf(1)])
		expect(() => read(third)).toThrow(expect.objectContaining({ code }))
	})

	it('as its pack is gone is damaged, and the rest is not', async () => {
		await restart(undefined, { compactLines: 5 })
		const blobs: Digest[] = []
		for (let index = 0; index < 20; index++) blobs.push(await putBlob(contentOf(index)))
		const [first] = blobs as [Digest]
		await restart(() => rmSync(storedContent(directory, first)?.path ?? ''))
		expect(() => read(first)).toThrow(/its file is gone/)
		expect(read(blobs.at(-1) as Digest)).toBe(contentOf(19))
		expect((await storage.scrub()).damaged[0]).toMatchObject({ digest: first, what: 'its file is gone' })
		await putBlob(contentOf(0))
		expect(read(first)).toBe(contentOf(0))
	})

	it('by any bit of the journal is never served, and nothing is gone without a word', async () => {
		const contents = ['one', 'another one', '{}', 'x'.repeat(100)]
		for (const content of contents) await putBlob(content)
		await putManifest('{"a":1}', ['v1'])
		await storage.close()
		const bytes = readFileSync(journal())
		const other = mkdtempSync(join(tmpdir(), 'lading-'))
		try {
			await fc.assert(
				// Without its newline, the last line is one that a crash cut short.
				fc.asyncProperty(fc.nat((bytes.byteLength - 3) * 8 - 1), async (bit) => {
					const copy = Buffer.from(bytes)
					const at = bit >> 3
					copy[at] = (copy[at] ?? 0) ^ (1 << (bit & 7))
					rmSync(other, { recursive: true, force: true })
					cpSync(directory, other, { recursive: true })
					writeFileSync(join(other, 'journal'), copy)
					storage = createStorage(other)
					try {
						for (const content of contents) {
							const fate = fateOf(digestOf(content), content)
							expect(['served', 'CONTENT_CORRUPT', 'said to be lost']).toContain(fate)
						}
						const tag = storage.resolveTag('app', 'v1') ?? storage.damage()
						expect(tag).toBeDefined()
					} finally {
						await storage.close()
					}
				}),
				{ numRuns: 400 },
			)
		} finally {
			rmSync(other, { recursive: true, force: true })
			open()
		}
	})

	it('cannot pass for records, whatever it says and whatever is damaged', async () => {
		const forged = formatRecord({
			type: 'manifest',
			repository: 'app',
			digest: digestOf('evil'),
			size: 4,
			mediaType: MediaType.imageManifest,
			tags: ['latest'],
		})
		const digest = await putBlob(`\n${forged}\n${forged}`)
		await restart(() => {
			const text = readFileSync(journal(), 'latin1')
			writeFileSync(journal(), text.replace('"blob"', '"bloc"'), 'latin1')
		})
		expect(storage.damage()).toBeDefined()
		expect(storage.blobSize('app', digest)).toBeUndefined()
		expect(storage.resolveTag('app', 'latest')).toBeUndefined()
	})
})

it('a storage that is only looked at reads small content, also when its journal is written anew meanwhile', async () => {
	await restart(undefined, { compactLines: 50 })
	const blobs: Digest[] = []
	for (let index = 0; index < 120; index++) blobs.push(await putBlob(contentOf(index)))
	const looked = createStorage(directory, { readOnly: true })
	const before = statSync(journal()).ino
	for (let index = 0; index < 400; index++) await putBlob(`more ${index}`)
	expect(statSync(journal()).ino).not.toBe(before)
	for (const [index, digest] of blobs.entries()) {
		const content = looked.openBlob('app', digest)?.read()
		expect(String(Buffer.from(content as Uint8Array))).toBe(contentOf(index))
	}
	await looked.close()
})

it('what a copy of its directory has is all that it needs', async () => {
	await restart(undefined, { compactLines: 10 })
	const blobs: Digest[] = []
	for (let index = 0; index < 30; index++) blobs.push(await putBlob(contentOf(index)))
	await storage.close()
	const other = mkdtempSync(join(tmpdir(), 'lading-'))
	cpSync(directory, other, { recursive: true })
	rmSync(directory, { recursive: true })
	cpSync(other, directory, { recursive: true })
	rmSync(other, { recursive: true })
	open()
	for (const [index, digest] of blobs.entries()) expect(read(digest)).toBe(contentOf(index))
})
