import {
	appendFile,
	mkdir,
	mkdtemp,
	readdir,
	readFile,
	rm,
	stat,
	truncate,
	utimes,
	writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Digest, digestHex, digestOf, MediaType } from '../../oci/index.ts'
import { createStorage, type RegistryStorage, type StoredManifest, type Upload } from './index.ts'

let directory: string
let storage: RegistryStorage
const warnings: string[] = []
const open = (): RegistryStorage =>
	createStorage(directory, { inlineBytes: 0, onWarning: (message) => warnings.push(message) })
beforeEach(async () => {
	directory = await mkdtemp(join(tmpdir(), 'lading-'))
	storage = open()
	warnings.length = 0
})
afterEach(async () => {
	await storage.close()
	await rm(directory, { recursive: true, force: true })
})

async function restart(between?: () => Promise<void>): Promise<void> {
	await storage.close()
	await between?.()
	storage = open()
}

async function* stream(
	...chunks: readonly (string | Uint8Array)[]
): AsyncGenerator<Uint8Array, void, undefined> {
	for (const chunk of chunks) yield Buffer.from(chunk)
}

function begin(repository: string): Upload {
	const upload = storage.startUpload(repository)
	if (!upload) throw new Error('no upload was begun')
	return upload
}

async function putBlob(content: string | Uint8Array, repository = 'app'): Promise<Digest> {
	const digest = digestOf(content)
	const { id } = begin(repository)
	const result = await storage.finishUpload(repository, { id, digest, body: stream(content) })
	expect(result).toMatchObject({ kind: 'stored', digest })
	return digest
}

async function putManifest(
	content: string,
	{ tags = ['v1'], subject }: { tags?: string[]; subject?: Digest } = {},
): Promise<StoredManifest> {
	const bytes = Buffer.from(content)
	const manifest = {
		digest: digestOf(bytes),
		mediaType: MediaType.imageManifest,
		size: bytes.byteLength,
		subject,
	}
	await storage.putManifest('app', { manifest, bytes, tags })
	return manifest
}

async function readBlob(digest: Digest, range?: { start: number; end: number }): Promise<Buffer> {
	const content = storage.openBlob('app', digest)?.read(range)
	if (content === undefined) throw new Error('no blob')
	if (content instanceof Uint8Array) return Buffer.from(content)
	const chunks: Uint8Array[] = []
	for await (const chunk of content) chunks.push(Buffer.from(chunk))
	return Buffer.concat(chunks)
}

const fileOf = (digest: Digest): string => join(directory, 'blobs/sha256', digestHex(digest))
const big = Buffer.alloc(3_000_000, 'b')

describe('a storage opened again', () => {
	it('has everything', async () => {
		const blob = await putBlob('content')
		const subject = digestOf('subject')
		const first = await putManifest('{"a":1}', { tags: ['v1', 'latest'] })
		const second = await putManifest('{"b":2}', { tags: ['latest', 'gone'], subject })
		await storage.deleteTag('app', 'gone')
		await storage.mountBlob('other', { digest: blob, from: 'app' })
		const before = storage.statistics()
		await restart()
		expect(storage.statistics()).toEqual(before)
		expect(before).toEqual({ repositories: 2, tags: 2, artifacts: 2, bytes: 21 })
		expect(storage.repositories()).toEqual(['app', 'other'])
		expect(storage.resolveTag('app', 'latest')).toBe(second.digest)
		expect(storage.manifest('app', first.digest)).toMatchObject({
			mediaType: MediaType.imageManifest,
			size: 7,
		})
		expect(String(storage.readManifest('app', second.digest))).toBe('{"b":2}')
		expect(storage.referrers('app', subject).map(({ digest }) => digest)).toEqual([second.digest])
		expect(String(await readBlob(blob))).toBe('content')
	})

	it('goes on with uploads where they stood, and forgets old ones', async () => {
		const { id } = begin('app')
		await storage.appendUpload('app', { id, body: stream('abc') })
		const old = begin('app')
		await storage.appendUpload('app', { id: old.id, body: stream('abc') })
		await restart(async () => {
			await utimes(join(directory, 'uploads', old.id), 0, 0)
			await writeFile(join(directory, 'uploads/left.tmp'), 'x')
		})
		expect(storage.upload('app', old.id)).toBeUndefined()
		expect(storage.upload('other', id)).toBeUndefined()
		expect(storage.upload('app', id)?.size).toBe(3)
		const digest = digestOf('abcdef')
		const result = await storage.finishUpload('app', { id, digest, offset: 3, body: stream('def') })
		expect(result).toEqual({ kind: 'stored', digest, size: 6 })
		expect(await readdir(join(directory, 'uploads'))).toEqual([])
	})

	it('lets go of uploads nobody goes on with, while it runs too', async () => {
		await storage.close()
		let now = Date.now()
		const seconds = (count: number): number => (now += count * 1000)
		storage = createStorage(directory, { inlineBytes: 0, maxUploads: 2, now: () => now })
		const first = begin('app')
		await storage.appendUpload('app', { id: first.id, body: stream('abc') })
		seconds(30)
		const second = begin('app')
		await storage.appendUpload('app', { id: second.id, body: stream('abc') })
		expect(storage.startUpload('app')).toBeUndefined()
		seconds(31)
		const third = begin('app')
		expect(storage.upload('app', first.id)).toBeUndefined()
		expect(storage.upload('app', second.id)?.size).toBe(3)
		storage.cancelUpload('app', third.id)
		seconds(8 * 24 * 60 * 60)
		begin('app')
		expect(storage.upload('app', second.id)).toBeUndefined()
		expect(await readdir(join(directory, 'uploads'))).toEqual([])
	})

	it('ignores the torn end of its journal, and writes on after it', async () => {
		const first = await putManifest('{"a":1}')
		await restart(async () => {
			const journal = await readFile(join(directory, 'journal'), 'utf8')
			await appendFile(join(directory, 'journal'), journal.slice(0, 40))
		})
		expect(storage.resolveTag('app', 'v1')).toBe(first.digest)
		const second = await putManifest('{"b":2}')
		await restart()
		expect(storage.resolveTag('app', 'v1')).toBe(second.digest)
		expect(warnings).toEqual([])
	})

	it('skips damaged lines, says so, and then removes nothing', async () => {
		const lost = await putManifest('{"a":1}', { tags: ['lost'] })
		const kept = await putManifest('{"b":2}', { tags: ['kept'] })
		await restart(async () => {
			const journal = await readFile(join(directory, 'journal'), 'utf8')
			await writeFile(join(directory, 'journal'), journal.replace('"lost"', '"host"'))
		})
		expect(warnings).toHaveLength(1)
		expect(storage.resolveTag('app', 'host')).toBeUndefined()
		expect(storage.resolveTag('app', 'kept')).toBe(kept.digest)
		expect((await stat(fileOf(lost.digest))).size).toBe(7)

		const refused = { code: 'JOURNAL_DAMAGED', hint: expect.stringContaining('journal.damaged-') }
		await expect(storage.prune({ graceMs: -1 })).rejects.toMatchObject(refused)
		expect(storage.damage()).toContain('nothing is removed')
		// The same content, of a line that is whole: another's that is damaged may have named it too.
		await storage.deleteManifest('app', kept.digest)
		expect((await stat(fileOf(kept.digest))).size).toBe(7)

		// The journal has no damaged line any more; the file with them is there.
		await restart()
		expect(warnings).toHaveLength(2)
		expect((await stat(fileOf(lost.digest))).size).toBe(7)
		await expect(storage.prune({ graceMs: -1 })).rejects.toMatchObject(refused)
		const damaged = (await readdir(directory)).filter((name) => name.startsWith('journal.damaged-'))
		expect(damaged).toHaveLength(1)
		expect(await readFile(join(directory, damaged[0] ?? ''), 'utf8')).toContain('"host"')
		// People may edit it.
		expect((await stat(join(directory, damaged[0] ?? ''))).nlink).toBe(1)

		// Whoever has looked after it moves it away.
		await rm(join(directory, damaged[0] ?? ''))
		expect(storage.damage()).toBeUndefined()
		expect(await storage.prune({ graceMs: -1 })).toMatchObject({ dryRun: false })
		await restart()
		expect(warnings).toHaveLength(2)
		await expect(stat(fileOf(lost.digest))).rejects.toMatchObject({ code: 'ENOENT' })
	})

	it('does not begin anew where its journal is gone and its content is not', async () => {
		const blob = await putBlob('content')
		await storage.close()
		const journal = await readFile(join(directory, 'journal'))
		await rm(join(directory, 'journal'))
		const missing = { code: 'JOURNAL_MISSING', hint: expect.stringContaining('backup') }
		for (let start = 0; start < 2; start++) expect(open).toThrow(expect.objectContaining(missing))
		await writeFile(join(directory, 'journal'), journal)
		storage = open()
		expect(String(await readBlob(blob))).toBe('content')
	})

	it('removes content that nothing refers to', async () => {
		const blob = await putBlob('content')
		const stray = fileOf(digestOf('stray'))
		await restart(() => writeFile(stray, 'stray'))
		await expect(stat(stray)).rejects.toMatchObject({ code: 'ENOENT' })
		expect(String(await readBlob(blob))).toBe('content')
	})

	it('has the same after its journal was written anew', async () => {
		await storage.close()
		storage = createStorage(directory, { inlineBytes: 0, compactLines: 20 })
		const manifests: StoredManifest[] = []
		for (let index = 0; index < 30; index++) manifests.push(await putManifest(`{"a":${index % 3}}`))
		const { tags, artifacts } = storage.statistics()
		expect((await readFile(join(directory, 'journal'), 'utf8')).match(/^..+$/gm)?.length).toBeLessThan(20)
		await restart()
		expect(storage.statistics()).toMatchObject({ tags, artifacts })
		expect(storage.resolveTag('app', 'v1')).toBe(manifests.at(-1)?.digest)
	})
})

describe('a storage that is only looked at', () => {
	/** Every file, with what would change if it did. */
	const files = async (): Promise<string[]> => {
		const found: string[] = []
		for (const name of await readdir(directory, { recursive: true })) {
			const { size, mtimeMs, ino } = await stat(join(directory, name))
			found.push(`${name} ${ino} ${size} ${mtimeMs}`)
		}
		return found.toSorted()
	}

	it('has everything, and nothing in its directory changes', async () => {
		await putBlob('content')
		const manifest = await putManifest('{"a":1}')
		const { id } = begin('app')
		await storage.appendUpload('app', { id, body: stream('abc') })
		const expected = storage.statistics()
		await storage.close()
		await writeFile(fileOf(digestOf('stray')), 'stray')
		await writeFile(join(directory, 'uploads/left.tmp'), 'x')
		await rm(join(directory, 'reserve'))
		await appendFile(join(directory, 'journal'), 'a line that is damaged\n.\nand one that is torn')
		const before = await files()
		const looked = createStorage(directory, { readOnly: true })
		expect(looked.statistics()).toEqual(expected)
		expect(looked.resolveTag('app', 'v1')).toBe(manifest.digest)
		expect(String(looked.readManifest('app', manifest.digest))).toBe('{"a":1}')
		expect(looked.uploadCount()).toBe(1)
		expect(looked.damage()).toContain('lines of its journal')
		await expect(looked.deleteTag('app', 'v1')).rejects.toThrow('only looked at')
		await expect(looked.prune({ graceMs: -1 })).rejects.toThrow('nothing is removed')
		await looked.close()
		expect(await files()).toEqual(before)
		storage = open()
	})

	it('is an empty one where there is none', async () => {
		const other = join(directory, 'other')
		await mkdir(other)
		const looked = createStorage(other, { readOnly: true })
		expect(looked.repositories()).toEqual([])
		await looked.close()
		expect(await readdir(other)).toEqual([])
	})
})

describe('the size of the journal', () => {
	const references = (count: number): Digest[] =>
		Array.from({ length: count }, (_, index) => digestOf(String(index)))
	const put = async (tag: string, needs: readonly Digest[]): Promise<StoredManifest> => {
		const bytes = Buffer.from(JSON.stringify({ needs: needs.map((digest) => ({ digest })) }))
		const manifest = { digest: digestOf(bytes), mediaType: 'a/b', size: bytes.byteLength, references: needs }
		await storage.putManifest('app', { manifest, bytes, tags: [tag] })
		return manifest
	}
	const sizeOfJournal = async (): Promise<number> => (await stat(join(directory, 'journal'))).size

	it('is the same after any number of starts', async () => {
		await put('v1', [])
		const before = await sizeOfJournal()
		for (let start = 0; start < 3; start++) await restart()
		expect(await sizeOfJournal()).toBe(before)
	})

	it('grows by a short line when a manifest is pushed again, or under another tag, and keeps what it needs', async () => {
		const needs = references(1000)
		const { digest } = await put('v1', needs)
		const once = await sizeOfJournal()
		expect(once).toBeGreaterThan(70_000)
		for (const tag of ['v1', 'v2', 'v1', 'v3']) await put(tag, needs)
		expect(await sizeOfJournal()).toBeLessThan(once + 2000)
		await restart()
		expect(storage.manifest('app', digest)?.references).toEqual(needs)
		expect(storage.tagsOf('app', digest)).toEqual(['v1', 'v2', 'v3'])
	})

	it('says what a manifest needs once when it is written anew, however many tags it has', async () => {
		await storage.close()
		let now = 1
		storage = createStorage(directory, { inlineBytes: 0, compactLines: 30, now: () => now++ })
		const needs = references(1000)
		const { digest } = await put('v0', needs)
		for (let index = 0; index < 70; index++) await put(`v${index % 20}`, needs)
		const journal = await readFile(join(directory, 'journal'), 'utf8')
		expect(journal.split('\n').length).toBeLessThan(70)
		expect(journal.length).toBeLessThan(100_000)
		await restart()
		expect(storage.manifest('app', digest)?.references).toEqual(needs)
		expect(storage.tagsOf('app', digest)).toHaveLength(20)
	})

	it('does not follow that of a manifest: of very many, what it needs is read from its bytes', async () => {
		await put('v1', references(1001))
		expect(await sizeOfJournal()).toBeLessThan(1000)
		const needed = await putBlob('1')
		const stray = await putBlob('stray')
		await storage.prune({ graceMs: -1 })
		expect(storage.blobSize('app', needed)).toBe(1)
		expect(storage.blobSize('app', stray)).toBeUndefined()
	})

	it('makes it be written anew by its bytes too, however few its lines are', async () => {
		await storage.close()
		storage = createStorage(directory, { inlineBytes: 0, compactBytes: 5000 })
		for (let index = 0; index < 100; index++) await putManifest(`{"a":${index % 3}}`)
		expect(await sizeOfJournal()).toBeLessThan(6000)
		await restart()
		expect(storage.statistics()).toMatchObject({ tags: 1, artifacts: 3 })
	})
})

describe('a disk without room', () => {
	it('for a second journal: the first one takes what still fits, and says why it grows', async () => {
		await storage.close()
		storage = createStorage(directory, {
			inlineBytes: 0,
			compactLines: 5,
			onWarning: (message) => warnings.push(message),
		})
		await mkdir(join(directory, 'journal.tmp'))
		for (let index = 0; index < 9; index++) await putManifest('{"a":1}')
		expect(warnings).toEqual([expect.stringMatching(/journal cannot be written anew.*make room/)])
		await rm(join(directory, 'journal.tmp'), { recursive: true })
		for (let index = 0; index < 9; index++) await putManifest('{"a":1}')
		expect((await readFile(join(directory, 'journal'), 'utf8')).split('\n').length).toBeLessThan(8)
	})
})

describe('damage on the disk', () => {
	it.each([
		['small', Buffer.from('small content')],
		['large', big],
	])('of %s content is never served whole, and pushing it again heals it', async (_, content) => {
		const digest = await putBlob(content)
		await restart(async () => {
			const bytes = await readFile(fileOf(digest))
			bytes[5] = (bytes[5] ?? 0) ^ 1
			await writeFile(fileOf(digest), bytes)
		})
		const code = 'CONTENT_CORRUPT'
		await expect(readBlob(digest)).rejects.toMatchObject({ code })
		await expect(readBlob(digest, { start: 0, end: 1 })).rejects.toMatchObject({ code })
		await putBlob(content)
		expect((await readBlob(digest)).equals(content)).toBe(true)
	})

	it('is noticed when it comes while serving, and when a file is short or gone', async () => {
		const digest = await putBlob(big)
		expect((await readBlob(digest)).equals(big)).toBe(true)
		expect((await readBlob(digest, { start: 1, end: 2 })).toString()).toBe('bb')
		const bytes = Buffer.from(big)
		bytes[2_999_999] = 0
		await writeFile(fileOf(digest), bytes)
		await expect(readBlob(digest)).rejects.toMatchObject({ code: 'CONTENT_CORRUPT' })
		await truncate(fileOf(digest), 10)
		await expect(readBlob(digest)).rejects.toMatchObject({ code: 'CONTENT_CORRUPT' })
		await rm(fileOf(digest))
		await expect(readBlob(digest)).rejects.toMatchObject({ code: 'CONTENT_CORRUPT' })
	})
})

describe('at the same time', () => {
	it('two requests cannot write to one upload', async () => {
		const { id } = begin('app')
		let release: () => void = () => undefined
		const waits = new Promise<void>((resolve) => (release = resolve))
		const slow = storage.appendUpload('app', {
			id,
			body: (async function* () {
				yield Buffer.from('a')
				await waits
			})(),
		})
		expect(await storage.appendUpload('app', { id, body: stream('b') })).toEqual({ kind: 'busy' })
		release()
		expect(await slow).toEqual({ kind: 'appended', size: 1 })
	})

	it.each([
		['has every byte', 'sha256', [big.subarray(0, 1_500_000), big.subarray(1_500_000)]],
		[
			'has every byte, and is read again for its digest',
			'sha512',
			[big.subarray(0, 1_500_000), big.subarray(1_500_000)],
		],
	] as const)('an upload that %s is not cancelled any more', async (_, algorithm, [first, rest]) => {
		const { id } = begin('app')
		await storage.appendUpload('app', { id, body: stream(first) })
		const digest = digestOf(big, algorithm)
		let sent: () => void = () => undefined
		const isSent = new Promise<void>((resolve) => (sent = resolve))
		const finished = storage.finishUpload('app', {
			id,
			digest,
			body: (async function* () {
				yield rest
				sent()
			})(),
		})
		await isSent
		for (let turn = 0; turn < 3; turn++) await Promise.resolve()
		expect(storage.cancelUpload('app', id)).toBe(false)
		expect(await finished).toEqual({ kind: 'stored', digest, size: big.byteLength })
		expect((await readBlob(digest)).equals(big)).toBe(true)
		expect(await readdir(join(directory, 'uploads'))).toEqual([])
	})

	it('an upload whose body breaks off goes on after all that came', async () => {
		const { id } = begin('app')
		const failed = storage.appendUpload('app', {
			id,
			body: (async function* () {
				for (let start = 0; start < 1_000_000; start += 100_000) yield big.subarray(start, start + 100_000)
				throw new Error('the client went away')
			})(),
		})
		await expect(failed).rejects.toThrow('went away')
		const digest = digestOf(big)
		const rest = { id, digest, offset: 1_000_000, body: stream(big.subarray(1_000_000)) }
		expect(await storage.finishUpload('app', rest)).toEqual({ kind: 'stored', digest, size: big.byteLength })
		expect((await readBlob(digest)).equals(big)).toBe(true)
	})

	it('an upload that is cancelled while its last piece arrives is not there, and leaves nothing', async () => {
		for (const before of [undefined, 'abc']) {
			const { id } = begin('app')
			if (before !== undefined) await storage.appendUpload('app', { id, body: stream(before) })
			const finished = storage.finishUpload('app', {
				id,
				digest: digestOf(`${before ?? ''}def`),
				body: (async function* () {
					yield Buffer.from('de')
					expect(storage.cancelUpload('app', id)).toBe(true)
					yield Buffer.from('f')
				})(),
			})
			expect(await finished).toEqual({ kind: 'unknown' })
			const { id: broken } = begin('app')
			const failed = storage.appendUpload('app', {
				id: broken,
				body: (async function* () {
					expect(storage.cancelUpload('app', broken)).toBe(true)
					yield Buffer.from('a')
					throw new Error('the client went away')
				})(),
			})
			await expect(failed).rejects.toThrow('went away')
		}
		expect(await readdir(join(directory, 'uploads'))).toEqual([])
		expect(storage.statistics().bytes).toBe(0)
	})

	it('content pushed and deleted by many is there exactly when it is referred to', async () => {
		const digest = digestOf('same')
		await Promise.all(
			Array.from({ length: 60 }, async (_, index) => {
				const repository = `app-${index % 3}`
				await putBlob('same', repository)
				await storage.deleteBlob(repository, digest)
			}),
		)
		expect(storage.statistics().bytes).toBe(0)
		await expect(stat(fileOf(digest))).rejects.toMatchObject({ code: 'ENOENT' })
		await putBlob('same')
		expect(String(await readBlob(digest))).toBe('same')
	})

	it('eight writers move one tag, and every digest they got stays', async () => {
		const made = await Promise.all(
			Array.from({ length: 8 }, async (_, writer) => {
				const own: StoredManifest[] = []
				for (let index = 0; index < 10; index++) own.push(await putManifest(`{"w":${writer},"i":${index}}`))
				return own
			}),
		)
		for (const { digest } of made.flat()) expect(storage.readManifest('app', digest)).toBeDefined()
		expect(made.flat().map(({ digest }) => digest)).toContain(storage.resolveTag('app', 'v1'))
	})
})

it("a directory that cannot be used is the user's to mend", async () => {
	await writeFile(join(directory, 'file'), '')
	expect(() => createStorage(join(directory, 'file'))).toThrow(
		expect.objectContaining({ code: 'FILE_UNWRITABLE' }),
	)
})
