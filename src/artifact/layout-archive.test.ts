import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
	bytesSource,
	copy,
	createLayoutStore,
	createMemoryStore,
	createSourceStore,
} from '../content/index.ts'
import { MediaType } from '../oci/index.ts'
import { openLayoutArchive, writeLayoutArchive } from './index.ts'
import { BLOCK, padding, tarHeader } from './tar-header.ts'

let directory: string
let file: string
beforeEach(() => {
	directory = mkdtempSync(join(tmpdir(), 'lading-'))
	file = join(directory, 'x.tar')
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const layer = bytesSource(MediaType.layerTar, Buffer.from('a layer'))
const empty = bytesSource(MediaType.layerTar, Buffer.alloc(0))
const config = bytesSource(MediaType.empty, Buffer.from('{}'))
const image = bytesSource(
	MediaType.imageManifest,
	Buffer.from(
		JSON.stringify({
			schemaVersion: 2,
			config: config.descriptor,
			layers: [layer.descriptor, empty.descriptor],
		}),
	),
)
const signature = bytesSource(
	MediaType.imageManifest,
	Buffer.from(
		JSON.stringify({
			schemaVersion: 2,
			config: config.descriptor,
			layers: [],
			subject: image.descriptor,
		}),
	),
)
const index = bytesSource(
	MediaType.imageIndex,
	Buffer.from(JSON.stringify({ schemaVersion: 2, manifests: [image.descriptor] })),
)
const source = createSourceStore([layer, empty, config, image, signature, index])

async function writeLayout(path: string): Promise<void> {
	const store = createLayoutStore(path)
	await copy({ source, destination: store, root: index.descriptor, referrers: true })
	await store.seal([{ descriptor: index.descriptor, name: 'v1', reference: 'reg.example/app:v1' }])
}

describe('an archive of a layout', () => {
	it('is the same bytes for the same content, and reads as the directory does', async () => {
		for (const name of ['a', 'b']) {
			await writeLayout(join(directory, name))
			await writeLayoutArchive(join(directory, name), join(directory, `${name}.tar`))
		}
		const [a, b] = ['a.tar', 'b.tar'].map((name) => readFileSync(join(directory, name)))
		expect(a?.equals(b ?? Buffer.alloc(0))).toBe(true)

		const archive = await openLayoutArchive(join(directory, 'a.tar'))
		expect(await archive.tags()).toEqual(['v1'])
		expect(await archive.resolve('reg.example/app:v1')).toEqual(index.descriptor)
		// The image is listed by the index only, and what points at it by nothing else.
		expect((await archive.entries())?.map(({ descriptor }) => descriptor.digest)).toEqual([
			index.descriptor.digest,
			signature.descriptor.digest,
		])
		expect((await archive.resolve(image.descriptor.digest))?.size).toBe(image.descriptor.size)
		const copied = createMemoryStore()
		await copy({
			source: archive,
			destination: copied,
			root: index.descriptor,
			tags: ['v1'],
			referrers: true,
		})
		for (const each of [layer, empty, config, image, signature])
			expect(await copied.exists(each.descriptor)).toBe(true)
	})

	it('takes its files away as it is written, where that is asked for', async () => {
		await writeLayout(join(directory, 'a'))
		await writeLayoutArchive(join(directory, 'a'), file, { consume: true })
		expect(readdirSync(join(directory, 'a/blobs/sha256'))).toEqual([])
	})

	it('does not write over a file', async () => {
		await writeLayout(join(directory, 'a'))
		writeFileSync(file, 'mine')
		await expect(writeLayoutArchive(join(directory, 'a'), file)).rejects.toMatchObject({ code: 'EEXIST' })
		expect(readFileSync(file, 'utf8')).toBe('mine')
	})
})

type Part = readonly [name: string, content: Buffer | string, change?: (header: Buffer) => void]

/** A tar by hand. `change` gets the header before its checksum is made again. */
function tar(...parts: readonly Part[]): Buffer {
	const blocks = parts.flatMap(([path, text, change]) => {
		const content = Buffer.from(text)
		const header = tarHeader({ path, type: 'file', size: content.byteLength })
		if (change) {
			change(header)
			header.fill(0x20, 148, 156)
			const sum = header.reduce((total, byte) => total + byte, 0)
			header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
		}
		return [header, content, Buffer.alloc(padding(content.byteLength))]
	})
	return Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK)])
}

const LAYOUT: readonly Part[] = [
	['oci-layout', '{"imageLayoutVersion":"1.0.0"}'],
	['index.json', '{"schemaVersion":2,"manifests":[]}'],
]

const as = (flag: string) => (header: Buffer) => void header.write(flag, 156, 'latin1')
const sized = (octal: string) => (header: Buffer) => void header.write(`${octal}\0`, 124, 'latin1')

describe('a hostile archive is refused', () => {
	it.each<[what: string, bytes: Buffer, why: RegExp]>([
		['names that lead out', tar(...LAYOUT, ['../../etc/passwd', 'x']), /leads out of it/],
		['absolute names', tar(...LAYOUT, ['/etc/passwd', 'x']), /leads out of it/],
		['symbolic links', tar(...LAYOUT, ['blobs/sha256/aa', '', as('2')]), /is a link/],
		['hard links', tar(...LAYOUT, ['blobs/sha256/aa', '', as('1')]), /is a link/],
		['devices', tar(...LAYOUT, ['blobs/sha256/aa', '', as('3')]), /neither a file nor a directory/],
		['a second index', tar(...LAYOUT, ['./index.json', '{}']), /stands in it twice/],
		['sizes beyond its end', tar(...LAYOUT, ['blobs/sha256/aa', 'x', sized('77777777777')]), /ends early/],
		[
			'an end in the midst',
			tar(...LAYOUT, ['blobs/sha256/aa', 'x'.repeat(5000)]).subarray(0, 3000),
			/ends early/,
		],
		['no layout', tar(['index.json', '{}']), /no OCI image layout/],
		['an old docker save', tar(['manifest.json', '[]']), /old docker save/],
		['an index that is none', tar(LAYOUT[0] ?? ['', ''], ['index.json', '[]']), /not the index/],
		['anything compressed, however large it would become', gzipSync(tar(...LAYOUT)), /compressed/],
		['what is no tar', Buffer.from('hello'.repeat(300)), /not a tar/],
		['nothing', Buffer.alloc(0), /no OCI image layout/],
	])('%s', async (_, bytes, why) => {
		writeFileSync(file, bytes)
		const error: unknown = await openLayoutArchive(file).catch((caught: unknown) => caught)
		expect(error).toMatchObject({ code: 'ARTIFACT_INVALID' })
		expect(String(error)).toMatch(why)
	})

	it('contents that are not what their digest says', async () => {
		await writeLayout(join(directory, 'a'))
		const blob = join(directory, 'a/blobs/sha256', layer.descriptor.digest.slice(7))
		writeFileSync(blob, 'a liar!')
		await writeLayoutArchive(join(directory, 'a'), file)
		const destination = createMemoryStore()
		const archive = await openLayoutArchive(file)
		const copying = copy({ source: archive, destination, root: index.descriptor, tags: ['v1'] })
		await expect(copying).rejects.toMatchObject({ code: 'CONTENT_CORRUPT' })
		expect(await destination.resolve('v1')).toBeUndefined()
	})

	it('a file that is not there, or no file', async () => {
		await expect(openLayoutArchive(join(directory, 'nothing.tar'))).rejects.toMatchObject({
			code: 'NOT_FOUND',
		})
		mkdirSync(file)
		await expect(openLayoutArchive(file)).rejects.toMatchObject({ code: 'FILE_UNREADABLE' })
		await expect(openLayoutArchive('/dev/null')).rejects.toMatchObject({ code: 'FILE_UNSUPPORTED' })
	})
})
