import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Descriptor, MediaType } from '../oci/index.ts'
import { bytesSource, createLayoutStore, readVerified } from './index.ts'

let directory: string
beforeEach(async () => {
	directory = await mkdtemp(join(tmpdir(), 'lading-'))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

const config = bytesSource(MediaType.empty, Buffer.from('{}'))
const manifest = bytesSource(
	MediaType.imageManifest,
	Buffer.from(JSON.stringify({ schemaVersion: 2, config: config.descriptor, layers: [] })),
)
const bytes = manifest.bytes ?? new Uint8Array()

const indexOf = (
	manifests: readonly Descriptor[],
	annotations?: Readonly<Record<string, string>>,
): ReturnType<typeof bytesSource> =>
	bytesSource(
		MediaType.imageIndex,
		Buffer.from(JSON.stringify({ schemaVersion: 2, manifests, ...(annotations && { annotations }) })),
	)

async function index(): Promise<{ manifests: { digest: string; annotations?: Record<string, string> }[] }> {
	return JSON.parse(await readFile(join(directory, 'index.json'), 'utf8'))
}

describe('createLayoutStore', () => {
	it('has nothing before something is pushed', async () => {
		const store = createLayoutStore(directory)
		expect(await store.resolve('v1')).toBeUndefined()
		expect(await store.tags()).toBeUndefined()
		expect(await store.fetch(config.descriptor)).toBeUndefined()
		expect(await store.exists(config.descriptor)).toBe(false)
	})

	it('writes the layout of the specification, and reads it again', async () => {
		const store = createLayoutStore(directory)
		await store.push(config)
		await store.push(manifest)
		await Promise.all(['v1', 'latest'].map((tag) => store.tag(manifest.descriptor, tag, bytes)))
		expect(await readFile(join(directory, 'oci-layout'), 'utf8')).toBe('{"imageLayoutVersion":"1.0.0"}')
		const { manifests } = await index()
		expect(manifests.map(({ annotations }) => annotations?.['org.opencontainers.image.ref.name'])).toEqual([
			'v1',
			'latest',
		])
		const again = createLayoutStore(directory)
		expect(await again.tags()).toEqual(['latest', 'v1'])
		expect(await again.resolve('v1')).toEqual(manifest.descriptor)
		expect(await readVerified(again, manifest.descriptor)).toEqual(manifest.bytes)
		expect(
			(await readdir(join(directory, 'blobs', 'sha256'))).every((name) => /^[0-9a-f]{64}$/.test(name)),
		).toBe(true)
	})

	it('misses a manifest that is on disk and that nothing in the index leads to', async () => {
		const store = createLayoutStore(directory)
		await store.push(config)
		await store.push(manifest)
		const path = join(directory, 'index.json')
		const written = await readFile(path, 'utf8')
		// A kill between the two writes.
		await writeFile(path, written.replace(/"manifests":\[.*\]/, '"manifests":[]'))
		const again = createLayoutStore(directory)
		expect(await again.exists(config.descriptor)).toBe(true)
		expect(await again.exists(manifest.descriptor)).toBe(false)
		await again.push(manifest)
		expect(await again.exists(manifest.descriptor)).toBe(true)
		expect(await again.resolve(manifest.descriptor.digest)).toEqual(manifest.descriptor)
		const index = indexOf([manifest.descriptor])
		await again.push(index)
		await again.seal([{ descriptor: index.descriptor, name: 'v1' }])
		expect(await createLayoutStore(directory).exists(manifest.descriptor)).toBe(true)
	})

	it('reads each index once, however often it is listed', async () => {
		const store = createLayoutStore(directory, { durable: false })
		let below = [manifest.descriptor]
		for (let depth = 0; depth < 16; depth++) {
			const indexes = [0, 1].map((number) => indexOf(below, { number: String(number) }))
			for (const each of indexes) await store.push(each)
			below = indexes.flatMap(({ descriptor }) => Array.from({ length: 8 }, () => descriptor))
		}
		await store.seal()
		expect(await store.resolve(`sha256:${'0'.repeat(64)}`)).toBeUndefined()
	})

	it('moves a tag', async () => {
		const store = createLayoutStore(directory)
		const other = bytesSource(MediaType.imageManifest, Buffer.from(`${Buffer.from(bytes).toString()}\n`))
		for (const source of [manifest, other]) {
			await store.push(source)
			await store.tag(source.descriptor, 'v1', source.bytes ?? bytes)
		}
		expect(await store.tags()).toEqual(['v1'])
		expect(await store.resolve('v1')).toEqual(other.descriptor)
	})

	it('leaves nothing of content that is corrupt, and heals what is too short', async () => {
		const store = createLayoutStore(directory)
		async function* open(): AsyncGenerator<Uint8Array, void, undefined> {
			yield Buffer.from('[]')
		}
		await expect(store.push({ descriptor: config.descriptor, open })).rejects.toMatchObject({
			code: 'CONTENT_CORRUPT',
		})
		expect(await readdir(join(directory, 'blobs', 'sha256'))).toEqual([])
		await store.push(config)
		const path = join(directory, 'blobs', 'sha256', config.descriptor.digest.slice(7))
		await writeFile(path, '')
		expect(await store.exists(config.descriptor)).toBe(false)
	})

	it('says that a directory is no layout', async () => {
		await writeFile(join(directory, 'index.json'), '{"name": "something"}')
		await expect(createLayoutStore(directory).tags()).rejects.toMatchObject({ code: 'ARTIFACT_INVALID' })
	})

	it('tags only what is there', async () => {
		const tagging = createLayoutStore(directory).tag(manifest.descriptor, 'v1', bytes)
		await expect(tagging).rejects.toMatchObject({ code: 'NOT_FOUND' })
	})
})
