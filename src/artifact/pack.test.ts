import {
	chmodSync,
	closeSync,
	mkdirSync,
	mkdtempSync,
	openSync,
	readdirSync,
	readFileSync,
	readlinkSync,
	renameSync,
	rmSync,
	statSync,
	symlinkSync,
	utimesSync,
	writeFileSync,
	writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import * as fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { UnnamedContent } from '../content/index.ts'
import { UserError } from '../errors/index.ts'
import { readManifestSet } from '../manifests/index.ts'
import { digestOf, MediaType, parseManifest } from '../oci/index.ts'
import {
	buildArtifact,
	type Compression,
	type Layer,
	MAX_LAYER_IN_MEMORY,
	packLayer,
	readTree,
	treeOf,
	unpack,
} from './index.ts'

let directory = ''
beforeEach(() => {
	directory = mkdtempSync(join(tmpdir(), 'lading-'))
})
afterEach(() => {
	rmSync(directory, { recursive: true, force: true })
})

type Files = Readonly<Record<string, string>>

function write(root: string, files: Files): string {
	for (const [path, content] of Object.entries(files)) {
		mkdirSync(dirname(join(root, path)), { recursive: true })
		writeFileSync(join(root, path), content)
	}
	return root
}

async function pack(root: string, compress: Compression = 'none'): Promise<Layer> {
	return packLayer(await readManifestSet(root), { compress })
}

async function bytesOf(layer: Layer): Promise<Buffer> {
	const parts: Uint8Array[] = []
	for await (const part of layer.open()) parts.push(part)
	return Buffer.concat(parts)
}

const LONG = `${'d'.repeat(90)}/${'e'.repeat(90)}/${'f'.repeat(90)}.yaml`

const FIXTURE: Files = {
	'namespace.yaml': 'apiVersion: v1\nkind: Namespace\nmetadata:\n  name: demo\n',
	'sub/empty.yaml': '',
	'sub/größe.yaml': 'a: ü\n',
	[`${'p'.repeat(60)}/${'q'.repeat(60)}.yaml`]: 'prefix: yes\n',
	[LONG]: 'pax: yes\n',
}

/** No two pieces of it are the same. */
const NUMBERS = Array.from({ length: MAX_LAYER_IN_MEMORY / 8 }, (_, index) =>
	String(index).padStart(8, '0'),
).join('')

describe('packLayer', () => {
	it('gives the digests it always gave', async () => {
		write(directory, FIXTURE)
		symlinkSync('sub/empty.yaml', join(directory, 'link.yaml'))
		const plain = await pack(directory)
		expect(plain.descriptor).toEqual({
			mediaType: MediaType.layerTar,
			digest: 'sha256:7a2f41e8a8913cc2af32fcdb92e9274f3d5be9825fb17665493bc49fdfa19ae6',
			size: 10240,
		})
		expect(plain.diffId).toBe(plain.descriptor.digest)
		const gzip = await pack(directory, 'gzip')
		expect(gzip.descriptor).toEqual({
			mediaType: MediaType.layerTarGzip,
			digest: 'sha256:d508e42e0586fa3ba8df5c889e82f85374aa2e46630dd2ef88e68b02d7030dd4',
			size: 447,
		})
		expect(gzip.diffId).toBe(plain.descriptor.digest)
		expect(gzip.unpackedSize).toBe(plain.descriptor.size)
		expect(buildArtifact(plain).manifest.descriptor.digest).toBe(
			'sha256:b226738184a6d8c903d6c66d1fd150a7525a3ecf9e898b8c3fc4a9326975a0e8',
		)
	})

	it('does not depend on order, modes, times, umask, time zone or locale', async () => {
		const one = write(join(directory, 'one'), FIXTURE)
		const umask = process.umask(0o077)
		const two = write(join(directory, 'two'), Object.fromEntries(Object.entries(FIXTURE).reverse()))
		process.umask(umask)
		chmodSync(join(two, 'namespace.yaml'), 0o755)
		utimesSync(join(two, 'namespace.yaml'), 1, 1)
		const { TZ, LC_ALL } = process.env
		const first = await pack(one)
		try {
			process.env['TZ'] = 'Asia/Kathmandu'
			process.env['LC_ALL'] = 'sv_SE.UTF-8'
			expect((await pack(two)).descriptor).toEqual(first.descriptor)
		} finally {
			Object.assign(process.env, { TZ, LC_ALL })
			if (TZ === undefined) delete process.env['TZ']
			if (LC_ALL === undefined) delete process.env['LC_ALL']
		}
	})

	it('streams what is large, and notices when it changed since', async () => {
		write(directory, { 'a.yaml': 'x', 'big.bin': 'x'.repeat(MAX_LAYER_IN_MEMORY) })
		const layer = await pack(directory)
		expect(layer.bytes).toBeUndefined()
		expect(digestOf(await bytesOf(layer))).toBe(layer.descriptor.digest)
		// Its files are as young as it is, so that their times say nothing.
		const { atime, mtime } = statSync(join(directory, 'a.yaml'))
		writeFileSync(join(directory, 'a.yaml'), 'y')
		utimesSync(join(directory, 'a.yaml'), atime, mtime)
		await expect(bytesOf(layer)).rejects.toMatchObject({ code: 'FILE_CHANGED' })
	})

	describe('what is large, while it is hashed', () => {
		beforeEach(() => {
			write(directory, { 'a.yaml': 'x', [LONG]: 'y', 'big.bin': NUMBERS })
		})

		async function collect(content: UnnamedContent | undefined): Promise<Buffer> {
			const parts: Uint8Array[] = []
			for await (const part of content?.open() ?? []) {
				await nextTurn()
				// It may be written over as soon as the next one is asked for.
				parts.push(Buffer.from(part))
			}
			return Buffer.concat(parts)
		}

		it.each(['old', 'young'])(
			'is the same, and of the size that was said, where its files are %s',
			async (age) => {
				const now = vi.spyOn(Date, 'now').mockReturnValue(Date.now() + (age === 'old' ? 60_000 : 0))
				let size = 0
				let sent: Promise<Buffer> | undefined
				try {
					const layer = await packLayer(await readManifestSet(directory), {
						onLarge: (content) => {
							size = content.size
							sent = collect(content)
						},
					})
					expect(size).toBe(layer.descriptor.size)
					expect(digestOf((await sent) ?? Buffer.alloc(0))).toBe(layer.descriptor.digest)
				} finally {
					now.mockRestore()
				}
			},
		)

		it.each([0, 1, 3, 6, 10, 15])(
			'is what was hashed, or not sent to its end, where a file changes after %i pieces',
			async (pieces) => {
				// So old that only its times are looked at.
				const now = vi.spyOn(Date, 'now').mockReturnValue(Date.now() + 60_000)
				try {
					for (const at of [1000, MAX_LAYER_IN_MEMORY / 2, MAX_LAYER_IN_MEMORY - 1000]) {
						const parts: Uint8Array[] = []
						let sent: Promise<Error | undefined> | undefined
						const receive = async (content: UnnamedContent): Promise<void> => {
							let count = 0
							for await (const part of content.open()) {
								parts.push(Buffer.from(part))
								if (count++ !== pieces) continue
								const file = openSync(join(directory, 'big.bin'), 'r+')
								writeSync(file, Buffer.from(`changed ${pieces} ${at}`), 0, 10, at)
								closeSync(file)
							}
						}
						const layer = await packLayer(await readManifestSet(directory), {
							onLarge: (content) => {
								sent = receive(content).then(
									() => undefined,
									(error: Error) => error,
								)
							},
						})
						const failure = await sent
						const outcome = failure instanceof UserError ? failure.code : digestOf(Buffer.concat(parts))
						expect(['FILE_CHANGED', layer.descriptor.digest]).toContain(outcome)
					}
				} finally {
					now.mockRestore()
				}
			},
		)

		it('is not sent to its end when it changed between the two', async () => {
			let content: UnnamedContent | undefined
			const layer = await packLayer(await readManifestSet(directory), {
				onLarge: (large) => (content = large),
			})
			writeFileSync(join(directory, 'a.yaml'), 'y')
			let size = 0
			const reading = (async () => {
				for await (const part of content?.open() ?? []) size += part.byteLength
			})()
			await expect(reading).rejects.toMatchObject({ code: 'FILE_CHANGED' })
			expect(size).toBeLessThan(layer.descriptor.size)
		})

		it('is not sent to its end by the times that its files have, where one is too young', async () => {
			const past = new Date(Date.now() - 60_000)
			for (const name of ['a.yaml', 'big.bin']) utimesSync(join(directory, name), past, past)
			let sent: Promise<Buffer> | undefined
			let isYoung = false
			// The time of the last change of a file is the system's: what is old by the clock is so from the start.
			const now = vi.spyOn(Date, 'now').mockReturnValue(Date.now() + 60_000)
			try {
				const packing = packLayer(await readManifestSet(directory), {
					onLarge: (content) => {
						sent = collect(content)
						sent.catch(() => undefined)
						const future = new Date(Date.now() + 60_000)
						utimesSync(join(directory, LONG), future, future)
						isYoung = true
					},
				})
				await packing
				expect(isYoung).toBe(true)
				await expect(sent).rejects.toMatchObject({ code: 'FILE_CHANGED' })
			} finally {
				now.mockRestore()
			}
		})

		it('is not sent to its end when it cannot be hashed', async () => {
			const set = await readManifestSet(directory)
			let sent: Promise<Buffer> | undefined
			const packing = packLayer(set, {
				onLarge: (content) => {
					sent = collect(content)
					sent.catch(() => undefined)
					writeFileSync(join(directory, 'big.bin'), 'short')
				},
			})
			await expect(packing).rejects.toMatchObject({ code: 'FILE_CHANGED' })
			await expect(sent).rejects.toMatchObject({ code: 'FILE_CHANGED' })
		})

		it('is not told of where it is compressed, and nobody knows its size before', async () => {
			const onLarge = vi.fn<(content: UnnamedContent) => void>()
			await packLayer(await readManifestSet(directory), { compress: 'gzip', onLarge })
			expect(onLarge).not.toHaveBeenCalled()
		})
	})

	it('streams what is large, of files that were read before', async () => {
		write(directory, { 'a.yaml': 'x', 'big.bin': 'x'.repeat(MAX_LAYER_IN_MEMORY) })
		const now = vi.spyOn(Date, 'now').mockReturnValue(Date.now() + 60_000)
		try {
			const contents = new Map([['a.yaml', Buffer.from('x')]])
			const layer = await packLayer(await readManifestSet(directory), { contents })
			expect(layer.bytes).toBeUndefined()
			expect(digestOf(await bytesOf(layer))).toBe(layer.descriptor.digest)
			writeFileSync(join(directory, 'a.yaml'), 'y')
			await expect(bytesOf(layer)).rejects.toMatchObject({ code: 'FILE_CHANGED' })
		} finally {
			now.mockRestore()
		}
	})

	it.each<readonly [string, (path: string) => void]>([
		['content of the same size', (path) => writeFileSync(path, 'y')],
		[
			'content of the same size and the time that it had',
			(path) => {
				const { atime, mtime } = statSync(path)
				writeFileSync(path, 'y')
				utimesSync(path, atime, mtime)
			},
		],
		[
			'another file in its place, of the same size',
			(path) => {
				writeFileSync(`${path}.new`, 'y')
				renameSync(`${path}.new`, path)
			},
		],
	])('notices in a file that was old when it was packed: %s', async (_, change) => {
		write(directory, { 'a.yaml': 'x', 'big.bin': 'x'.repeat(MAX_LAYER_IN_MEMORY) })
		const now = vi.spyOn(Date, 'now').mockReturnValue(Date.now() + 60_000)
		try {
			const layer = await pack(directory)
			const stream = layer.open()
			const parts: Uint8Array[] = []
			change(join(directory, 'a.yaml'))
			const reading = (async () => {
				for await (const part of stream) parts.push(part)
			})()
			await expect(reading).rejects.toMatchObject({ code: 'FILE_CHANGED' })
			// Nothing wrong has arrived whole.
			expect(Buffer.concat(parts).byteLength).toBeLessThan(layer.descriptor.size)
		} finally {
			now.mockRestore()
		}
	})

	it.each([
		['grew', (path: string) => writeFileSync(path, 'longer')],
		['shrank', (path: string) => writeFileSync(path, '')],
		['went', (path: string) => rmSync(path)],
		[
			'became a link',
			(path: string) => {
				rmSync(path)
				symlinkSync('/etc/hosts', path)
			},
		],
	])('notices a file that %s after it was listed', async (_, change) => {
		write(directory, { 'a.yaml': 'one' })
		const set = await readManifestSet(directory)
		change(join(directory, 'a.yaml'))
		await expect(packLayer(set)).rejects.toMatchObject({
			code: 'FILE_CHANGED',
			message: expect.stringContaining('a.yaml'),
		})
	})
})

describe('buildArtifact', () => {
	it('makes a manifest as Argo CD wants it', async () => {
		write(directory, { 'a.yaml': 'a: 1' })
		const layer = await pack(directory)
		const artifact = buildArtifact(layer, { annotations: { b: '2', a: '1' } })
		expect(new TextDecoder().decode(artifact.manifest.bytes)).toBe(
			`{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","artifactType":"application/vnd.lading.manifests.v1","config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"${layer.descriptor.digest}","size":2048}],"annotations":{"a":"1","b":"2"}}`,
		)
		expect(artifact.manifest.descriptor).toMatchObject({ artifactType: MediaType.ladingManifests })
		expect(parseManifest(artifact.manifest.bytes, MediaType.imageManifest).kind).toBe('image')
	})
})

describe('pack, then unpack', () => {
	const name = fc
		.string({ unit: 'grapheme', minLength: 1, maxLength: 60 })
		.map((text) =>
			text
				.normalize('NFC')
				.toLowerCase()
				.replaceAll(/[\p{C}\p{Z}\uFFFD/\\.~#*]/gu, '_'),
		)
		.filter((text) => Buffer.byteLength(text) <= 200 && text.length > 0)
	const path = fc.array(name, { minLength: 1, maxLength: 5 }).map((steps) => `r-${steps.join('/r-')}.yaml`)
	const files = fc.dictionary(path, fc.string({ unit: 'binary', maxLength: 1500 }), {
		minKeys: 1,
		maxKeys: 8,
	})

	it('gives the same files', async () => {
		let run = 0
		await fc.assert(
			fc.asyncProperty(files, fc.constantFrom<Compression>('none', 'gzip'), async (content, compress) => {
				const root = write(join(directory, `in-${run}`), { ...content, 'z-target.yaml': 'z' })
				symlinkSync('z-target.yaml', join(root, 'z-link.yaml'))
				const set = await readManifestSet(root)
				const layer = await packLayer(set, { compress })
				const tree = await readTree(layer.open(), layer.mediaType)
				expect(tree.problem).toBeUndefined()
				const source = treeOf(set)
				expect(tree.entries.map((entry) => ({ ...entry, path: entry.path.replace(/\/$/, '') }))).toEqual(
					source.entries,
				)
				for (const each of Object.keys(content)) {
					expect(Buffer.from(tree.read(each) ?? [])).toEqual(readFileSync(join(root, each)))
					expect(source.read(each)).toEqual(readFileSync(join(root, each)))
				}
				const out = join(directory, `out-${run++}`)
				await unpack(layer.open(), out, { mediaType: layer.mediaType })
				expect(contentsOf(out)).toEqual(contentsOf(root))
			}),
			{ numRuns: 40 },
		)
	})
})

function contentsOf(root: string): ReadonlyMap<string, string> {
	const found = readdirSync(root, { recursive: true, withFileTypes: true }).map((entry): [string, string] => {
		const path = join(entry.parentPath, entry.name)
		const content = entry.isFile()
			? readFileSync(path, 'hex')
			: entry.isSymbolicLink()
				? readlinkSync(path)
				: 'directory'
		return [path.slice(root.length), content]
	})
	return new Map(found.sort(([left], [right]) => (left < right ? -1 : 1)))
}
