import { mkdtemp, rm, stat, truncate } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Digest, digestHex, digestOf, MediaType } from '../../oci/index.ts'
import { createStorage, type RegistryStorage } from './index.ts'
import { rot } from './stored-content.fixture.ts'

let directory: string
let storage: RegistryStorage
beforeEach(async () => {
	directory = await mkdtemp(join(tmpdir(), 'lading-'))
	storage = createStorage(directory)
})
afterEach(async () => {
	await storage.close()
	await rm(directory, { recursive: true, force: true })
})

async function restart(inlineBytes?: number): Promise<void> {
	await storage.close()
	storage = createStorage(directory, { inlineBytes })
}

/** Small content, where it lies by default and where it lay before. */
const PLACES = [
	['in the journal', undefined],
	['in files', 0],
] as const

const fileOf = (digest: Digest): string => join(directory, 'blobs/sha256', digestHex(digest))
const large = Buffer.alloc(3_000_000, 'large ')

async function putBlob(content: string | Uint8Array, repository = 'app'): Promise<Digest> {
	const digest = digestOf(content)
	const { id } = storage.startUpload(repository) ?? { id: '' }
	const body = (async function* () {
		yield Buffer.from(content)
	})()
	expect(await storage.finishUpload(repository, { id, digest, body })).toMatchObject({ kind: 'stored' })
	return digest
}

async function putManifest(
	name: string,
	references: readonly Digest[],
	tags: readonly string[],
): Promise<Digest> {
	const bytes = Buffer.from(`{"name":"${name}"}`)
	const digest = digestOf(bytes)
	const manifest = { digest, mediaType: MediaType.imageManifest, size: bytes.byteLength, references }
	await storage.putManifest('app', { manifest, bytes, tags })
	return digest
}

async function read(digest: Digest, range?: { start: number; end: number }): Promise<Buffer> {
	const content = storage.openBlob('app', digest)?.read(range)
	if (content === undefined) throw new Error('no blob')
	if (content instanceof Uint8Array) return Buffer.from(content)
	const chunks: Uint8Array[] = []
	for await (const chunk of content) chunks.push(Buffer.from(chunk))
	return Buffer.concat(chunks)
}

describe('a scrub', () => {
	it('reads everything once, and says how much that was', async () => {
		const blob = await putBlob('layer of one')
		await putBlob('layer of one', 'other')
		await putManifest('m', [blob], ['v1'])
		expect(await storage.scrub()).toEqual({ checked: 2, bytes: 24, damaged: [], healed: [] })
	})

	it('names what is damaged, where it is missed, and what a push heals', async () => {
		const layer = await putBlob(large)
		await putBlob(large, 'other')
		const child = await putManifest('child', [layer], [])
		await putManifest('index', [child], ['v1', 'latest'])
		await putManifest('else', [], ['v2'])
		await read(layer)
		rot(directory, layer, 2_999_999)
		const { damaged, checked } = await storage.scrub()
		expect(checked).toBe(4)
		expect(damaged).toMatchObject([
			{
				digest: layer,
				size: large.byteLength,
				what: expect.stringContaining('its content has the digest'),
				repositories: [
					{ repository: 'app', tags: ['v1', 'latest'] },
					{ repository: 'other', tags: [] },
				],
			},
		])
		expect(storage.isDamaged(layer)).toBe(true)
		expect(await storage.mountBlob('third', { digest: layer, from: 'app' })).toBe(false)
		await putBlob(large)
		expect(await storage.scrub()).toMatchObject({ damaged: [] })
		expect((await read(layer)).equals(large)).toBe(true)
	})

	it('finds what nothing but its own reading could: same size and times, found good before', async () => {
		const layer = await putBlob(large)
		await storage.scrub()
		expect((await read(layer)).byteLength).toBe(large.byteLength)
		rot(directory, layer)
		expect((await storage.scrub()).damaged.map(({ digest }) => digest)).toEqual([layer])
		await expect(read(layer, { start: 10, end: 11 })).rejects.toMatchObject({ code: 'CONTENT_CORRUPT' })
	})

	it.each(PLACES)('mends a small one from memory, where it was read before: %s', async (_, inlineBytes) => {
		await restart(inlineBytes)
		const [small, cold] = [await putBlob('small content'), await putBlob('never read')]
		await read(small)
		rot(directory, small)
		rot(directory, cold)
		// What is in memory was checked, and is what is served.
		expect(String(await read(small))).toBe('small content')
		const report = await storage.scrub()
		expect(report.healed).toEqual([small])
		expect(report.damaged.map(({ digest }) => digest)).toEqual([cold])
		await restart()
		expect(String(await read(small))).toBe('small content')
		await expect(read(cold)).rejects.toMatchObject({ code: 'CONTENT_CORRUPT' })
	})

	it('finds files that are short or gone', async () => {
		await restart(0)
		const [short, gone] = [await putBlob('short content'), await putBlob('gone content')]
		await truncate(fileOf(short), 4)
		await rm(fileOf(gone))
		expect((await storage.scrub()).damaged).toMatchObject([
			{ digest: short, what: 'its file has 4 bytes instead of 13' },
			{ digest: gone, what: 'its file is gone' },
		])
	})

	it.each(PLACES)(
		'is not disturbed by what is removed or pushed again meanwhile: %s',
		async (_, inlineBytes) => {
			await restart(inlineBytes)
			const digests: Digest[] = []
			for (let index = 0; index < 20; index++) digests.push(await putBlob(`content ${index}`))
			let turn = 0
			const report = await storage.scrub({
				async pace() {
					const digest = digests[turn++ % digests.length]
					if (digest === undefined) return
					if (turn % 3 === 0) await storage.deleteBlob('app', digest)
					else await putBlob(`content ${digests.indexOf(digest)}`)
				},
			})
			expect(report.damaged).toEqual([])
			const left = digests.filter((digest) => storage.blobSize('app', digest) !== undefined)
			for (const digest of left) expect((await read(digest)).byteLength).toBe(storage.blobSize('app', digest))
			for (const digest of digests.filter((each) => !left.includes(each)))
				await expect(stat(fileOf(digest))).rejects.toMatchObject({ code: 'ENOENT' })
		},
	)

	it('ends when it is told to', async () => {
		await putBlob('content')
		await expect(storage.scrub({ signal: AbortSignal.abort() })).rejects.toThrow('aborted')
	})
})

describe('a file that changes while it is read', () => {
	it('is not served whole', async () => {
		const layer = await putBlob(large)
		await read(layer)
		const stream = storage.openBlob('app', layer)?.read()
		if (!stream || stream instanceof Uint8Array) throw new Error('no stream')
		let received = 0
		await expect(
			(async () => {
				for await (const chunk of stream) {
					if (received === 0) rot(directory, layer, 2_500_000)
					received += chunk.byteLength
				}
			})(),
		).rejects.toMatchObject({ code: 'CONTENT_CORRUPT' })
		expect(received).toBeLessThan(large.byteLength)
	})

	it('is, when the same content was pushed again or removed', async () => {
		for (const change of [
			async () => void (await putBlob(large)),
			async () => void (await storage.deleteBlob('app', digestOf(large))),
		]) {
			const layer = await putBlob(large)
			await read(layer)
			const stream = storage.openBlob('app', layer)?.read()
			if (!stream || stream instanceof Uint8Array) throw new Error('no stream')
			let received = 0
			for await (const chunk of stream) {
				if (received === 0) await change()
				received += chunk.byteLength
			}
			expect(received).toBe(large.byteLength)
		}
	})
})
