import {
	existsSync,
	lstatSync,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	readlinkSync,
	rmSync,
	symlinkSync,
	writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { verified } from '../content/index.ts'
import { digestOf, MediaType } from '../oci/index.ts'
import { readTree, type Tree, type TreeLimits, unpack, type Unpacked } from './index.ts'

interface Raw {
	readonly name: string
	readonly flag?: string
	readonly content?: string | Uint8Array
	readonly link?: string
	/** Written instead of the content's size. */
	readonly size?: Uint8Array
	readonly magic?: string
}

/** A tar with anything in it, also what nobody should write. */
function tar(...entries: readonly Raw[]): Buffer {
	return Buffer.concat([...entries.map(rawEntry), Buffer.alloc(1024)])
}

function rawEntry({ name, flag = '0', content = '', link = '', size, magic = 'ustar\u000000' }: Raw): Buffer {
	const body = Buffer.from(content)
	const block = Buffer.alloc(512)
	block.write(name, 0, 100)
	block.write('0000644\u00000000000\u00000000000\u0000', 100)
	block.write(`${body.byteLength.toString(8).padStart(11, '0')}\u000000000000000\u0000        ${flag}`, 124)
	if (size) Buffer.from(size).copy(block, 124)
	block.write(link, 157, 100)
	block.write(magic, 257)
	const sum = block.reduce((total, byte) => total + byte, 0)
	block.write(`${sum.toString(8).padStart(6, '0')}\u0000 `, 148)
	return Buffer.concat([block, body, Buffer.alloc((512 - (body.byteLength % 512)) % 512)])
}

function paxRecord(key: string, value: string): string {
	const rest = ` ${key}=${value}\n`
	let length = rest.length
	while (`${length}${rest}`.length !== length) length = `${length}${rest}`.length
	return `${length}${rest}`
}

/** In pieces of odd sizes, as a network gives them. */
async function* stream(bytes: Uint8Array, pieces = 777): AsyncGenerator<Uint8Array, void, undefined> {
	for (let at = 0; at < bytes.byteLength; at += pieces) yield bytes.subarray(at, at + pieces)
}

async function tree(bytes: Uint8Array, limits?: TreeLimits): Promise<Tree> {
	return readTree(stream(bytes), MediaType.layerTar, { limits })
}

async function gzipTree(bytes: Uint8Array, limits?: TreeLimits): Promise<Tree> {
	return readTree(stream(bytes), MediaType.layerTarGzip, { limits })
}

function text(bytes: Uint8Array | undefined): string | undefined {
	return bytes && Buffer.from(bytes).toString()
}

describe('readTree', () => {
	it('lists every kind of entry as it is written', async () => {
		const { entries, problem } = await tree(
			tar(
				{ name: './', flag: '5' },
				{ name: '../evil.yaml', content: 'x' },
				{ name: '/abs.yaml', flag: '\u0000' },
				{ name: 'old/', flag: '0' },
				{ name: 'l', flag: '2', link: '/etc/passwd' },
				{ name: 'h', flag: '1', link: 'a' },
				{ name: 'fifo', flag: '6' },
			),
		)
		expect(problem).toBeUndefined()
		expect(entries).toEqual([
			{ path: './', type: 'directory', size: 0 },
			{ path: '../evil.yaml', type: 'file', size: 1 },
			{ path: '/abs.yaml', type: 'file', size: 0 },
			{ path: 'old/', type: 'directory', size: 0 },
			{ path: 'l', type: 'symlink', size: 0, linkTarget: '/etc/passwd' },
			{ path: 'h', type: 'hardlink', size: 0, linkTarget: 'a' },
			{ path: 'fifo', type: 'other', size: 0 },
		])
	})

	it('knows PAX, GNU long names and sizes in base 256', async () => {
		const long = `${'l'.repeat(300)}.yaml`
		const gnu = 'ustar  \u0000'
		const pax = Buffer.from(` path=ä-${long}\n`)
		const length = pax.byteLength + 3
		const read = await tree(
			tar(
				{ name: 'pax_global_header', flag: 'g', content: '17 comment=abcde\n' },
				{ name: 'PaxHeader', flag: 'x', content: `${length}${pax.toString()}` },
				{ name: 'short', content: 'pax' },
				{ name: '././@LongLink', flag: 'L', content: `${long}\u0000`, magic: gnu },
				{ name: 'short', content: 'gnu', magic: gnu },
				{ name: 'b.yaml', content: 'base', size: Uint8Array.of(0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4) },
			),
		)
		expect(read.problem).toBeUndefined()
		expect(read.entries.map((entry) => [entry.path, entry.size])).toEqual([
			[`ä-${long}`, 3],
			[long, 3],
			['b.yaml', 4],
		])
		expect([text(read.read(`ä-${long}`)), text(read.read(long)), text(read.read('b.yaml'))]).toEqual([
			'pax',
			'gnu',
			'base',
		])
	})

	it.each([
		['filled with zeros', '00000000003\u0000', 3],
		['without zeros', '3\u0000', 3],
		['before spaces', '00000000003 ', 3],
		['after spaces', '          3\u0000', 3],
		['over the whole field', '000000000003', 3],
		['that is empty', '', 0],
		['with a digit too large', '00000000008\u0000', 'not-tar'],
		['with something behind', '3\u00003', 'not-tar'],
		['below nothing', '-3\u0000', 'not-tar'],
	])('reads a size %s', async (_, written, size) => {
		const field = Buffer.alloc(12)
		field.write(written, 'latin1')
		const { entries, problem } = await tree(
			tar({ name: 'a.yaml', content: size === 0 ? '' : 'abc', size: field }),
		)
		expect(problem?.kind ?? entries[0]?.size).toBe(size)
	})

	it.each([
		['of bytes', (byte: number) => byte, 'Ä'],
		['of signed bytes, as some old writers made it', (byte: number) => (byte << 24) >> 24, 'Ä'],
		['of something else', () => 1, undefined],
	])('takes a checksum %s', async (_, valueOf, name) => {
		const bytes = tar({ name: 'Ä' })
		bytes.fill(0x20, 148, 156)
		const sum = bytes.subarray(0, 512).reduce((total, byte) => total + valueOf(byte), 0)
		bytes.write(`${sum.toString(8).padStart(6, '0')}\u0000 `, 148)
		const { entries, problem } = await tree(bytes)
		expect(entries[0]?.path).toBe(name)
		expect(problem?.kind).toBe(name === undefined ? 'not-tar' : undefined)
	})

	it('of two files of one name gives the last, however it is written', async () => {
		const read = await tree(tar({ name: 'a.yaml', content: '1' }, { name: './a.yaml', content: '2' }))
		expect(read.entries).toHaveLength(2)
		expect(text(read.read('a.yaml'))).toBe('2')
	})

	it('holds manifests, and no more than it may', async () => {
		const content = 'x'.repeat(1000)
		const entries = ['a.yaml', 'image.png', 'b.yaml'].map((name) => ({ name, content }))
		const read = await tree(tar(...entries), { maxHeld: 1500 })
		expect(text(read.read('a.yaml'))).toBe(content)
		expect(read.read('image.png')).toBeUndefined()
		expect(read.read('b.yaml')).toBeUndefined()
	})

	it('holds small files of other names, of which a link may make a manifest', async () => {
		const read = await tree(
			tar(
				{ name: 'a.txt', content: 'kind: A' },
				{ name: 'b.png', content: 'x'.repeat(100_000) },
				...Array.from({ length: 140 }, (_, index) => ({ name: `${index}.txt`, content: 'x'.repeat(60_000) })),
				{ name: 'c.yaml', content: 'kind: C' },
			),
		)
		expect(text(read.read('a.txt'))).toBe('kind: A')
		expect(read.read('b.png')).toBeUndefined()
		expect(read.read('130.txt')).toHaveLength(60_000)
		expect(read.read('139.txt')).toBeUndefined()
		expect(text(read.read('c.yaml'))).toBe('kind: C')
	})

	const good = tar({ name: 'a.yaml', content: 'a: 1' })

	it('says what is wrong, as Argo CD tells the cases apart', async () => {
		const noise = Buffer.alloc(2000, 'no tar ')
		const zipped = gzipSync(noise)
		const problems = {
			empty: (await tree(Buffer.alloc(0))).problem,
			emptyTar: (await tree(Buffer.alloc(1024))).problem,
			noEnd: (await tree(good.subarray(0, 1024))).problem,
			gzipAsTar: (await tree(gzipSync(good))).problem,
			garbage: (await tree(noise)).problem,
			cutHeader: (await tree(good.subarray(0, 100))).problem,
			cutFile: (await tree(tar({ name: 'a.yaml', content: 'x'.repeat(600) }).subarray(0, 900))).problem,
			hugeSize: (await tree(tar({ name: 'a', size: Buffer.alloc(12, 0xff) }))).problem,
			tarAsGzip: (await gzipTree(good)).problem,
			nothingAsGzip: (await gzipTree(Buffer.alloc(0))).problem,
			cutGzip: (await gzipTree(gzipSync(good).subarray(0, -12))).problem,
			brokenGlobal: (await tree(tar({ name: 'g', flag: 'g', content: '9 a=b\n' }))).problem,
			brokenGzip: (await gzipTree(Buffer.concat([zipped.subarray(0, 10), Buffer.alloc(500, 0xff)]))).problem,
			gzipOfGarbage: (await gzipTree(zipped)).problem,
		}
		expect(problems).toEqual({
			empty: undefined,
			emptyTar: undefined,
			noEnd: undefined,
			gzipAsTar: { kind: 'tar-truncated' },
			garbage: { kind: 'not-tar' },
			cutHeader: { kind: 'tar-truncated' },
			cutFile: { kind: 'tar-truncated', inFile: true },
			hugeSize: { kind: 'not-tar' },
			tarAsGzip: { kind: 'not-gzip' },
			nothingAsGzip: { kind: 'not-gzip', isEmpty: true },
			cutGzip: { kind: 'gzip-truncated' },
			brokenGlobal: { kind: 'not-tar' },
			brokenGzip: { kind: 'gzip-corrupt' },
			gzipOfGarbage: { kind: 'not-tar' },
		})
	})

	it('ends a bomb early', async () => {
		const bomb = gzipSync(tar({ name: 'a.bin', content: Buffer.alloc(20_000_000) }))
		expect(bomb.byteLength).toBeLessThan(100_000)
		expect((await gzipTree(bomb, { maxBytes: 1_000_000 })).problem).toEqual({
			kind: 'too-large',
			limit: 1_000_000,
		})
		const many = tar(...Array.from({ length: 50 }, (_, index) => ({ name: `${index}` })))
		expect((await tree(many, { maxEntries: 10 })).problem).toEqual({ kind: 'too-many-entries', limit: 10 })
	})

	it('bounds names, alone and together', async () => {
		const named = (path: string): Raw[] => [
			{ name: 'PaxHeader', flag: 'x', content: paxRecord('path', path) },
			{ name: 'x.yaml', content: 'x' },
		]
		const problemOf = async (...entries: readonly Raw[]): Promise<unknown> =>
			(await tree(tar(...entries))).problem
		expect(await problemOf(...named(`${'d/'.repeat(99)}x.yaml`))).toBeUndefined()
		expect(await problemOf(...named(`${'d/'.repeat(100)}x.yaml`))).toEqual({ kind: 'name-too-long' })
		expect(await problemOf(...named('d'.repeat(4095)))).toBeUndefined()
		expect(await problemOf(...named('d'.repeat(4096)))).toEqual({ kind: 'name-too-long' })
		const long = { name: 'PaxHeader', flag: 'x', content: paxRecord('linkpath', 'd'.repeat(4096)) }
		expect(await problemOf(long, { name: 'l', flag: '2' })).toEqual({ kind: 'name-too-long' })

		const deep = Array.from({ length: 21_000 }, (_, index) => named(`${index}/${'d/'.repeat(98)}x`)).flat()
		const packed = gzipSync(tar(...deep), { level: 1 })
		const { entries, problem } = await gzipTree(packed)
		expect(problem).toEqual({ kind: 'too-many-entries', limit: entries.length })
		expect(entries.length).toBeGreaterThan(19_000)
	})

	it('refuses sparse files, which Argo CD would read as others', async () => {
		const map = { name: 'PaxHeader', flag: 'x', content: paxRecord('GNU.sparse.name', 'real.yaml') }
		const { entries, problem } = await tree(tar(map, { name: 'GNUSparseFile.0/real.yaml', content: '0\n' }))
		expect(entries).toEqual([])
		expect(problem).toEqual({ kind: 'not-tar', detail: 'it holds a sparse file' })
	})

	it.each([MediaType.layerTar, MediaType.layerTarGzip])(
		'ends with a %s that does not end',
		async (mediaType) => {
			const bytes = mediaType === MediaType.layerTar ? good : gzipSync(good)
			async function* endless(): AsyncGenerator<Uint8Array, void, undefined> {
				yield bytes
				while (true) yield new Uint8Array(65_536)
			}
			const limits = { maxBytes: 10_000_000 }
			const { problem } = await readTree(endless(), mediaType, { limits })
			expect(problem).toEqual({ kind: 'too-large', limit: 10_000_000 })
		},
	)

	it('ignores a second tar in a second gzip member', async () => {
		const second = gzipSync(tar({ name: 'b.yaml' }))
		const { entries, problem } = await gzipTree(Buffer.concat([gzipSync(good), second]))
		expect(problem).toBeUndefined()
		expect(entries.map((entry) => entry.path)).toEqual(['a.yaml'])
	})

	it.each([
		[MediaType.layerTar, 777],
		[MediaType.layerTar, 100_000],
		[MediaType.layerTarGzip, 777],
		[MediaType.layerTarGzip, 16],
		[MediaType.layerTarGzip, 100_000],
	])(
		'reads %s on to its end, where a digest may be wrong (pieces of %i bytes)',
		async (mediaType, pieces) => {
			const bytes = mediaType === MediaType.layerTar ? good : gzipSync(good)
			for (const extra of [1, 5000]) {
				const trailing = Buffer.concat([bytes, Buffer.alloc(extra)])
				const descriptor = { mediaType, digest: digestOf(bytes), size: trailing.byteLength }
				await expect(
					readTree(verified(descriptor, stream(trailing, pieces)), mediaType),
				).rejects.toMatchObject({
					code: 'CONTENT_CORRUPT',
				})
			}
		},
	)
})

describe('unpack', () => {
	let directory = ''
	let target = ''
	beforeEach(() => {
		directory = mkdtempSync(join(tmpdir(), 'lading-'))
		target = join(directory, 'deep/target')
	})
	afterEach(() => {
		rmSync(directory, { recursive: true, force: true })
	})

	const into = async (bytes: Uint8Array, force = false): Promise<Unpacked> =>
		await unpack(stream(bytes), target, { mediaType: MediaType.layerTar, force })

	it.each([1, 100, 512, 1000, 1024, 1_000_000])(
		'writes the same when it comes in pieces of %i bytes',
		async (pieces) => {
			const sizes = [0, 1, 511, 512, 513, 5000]
			const entries = sizes.map((size) => ({ name: `d/${size}`, content: String(size % 10).repeat(size) }))
			await unpack(stream(tar(...entries), pieces), target, { mediaType: MediaType.layerTar })
			for (const { name, content } of entries) expect(readFileSync(join(target, name), 'utf8')).toBe(content)
			expect(readdirSync(join(target, 'd'))).toHaveLength(sizes.length)
		},
	)

	it('writes files whose directories are not listed, and the last of a name', async () => {
		await into(
			tar(
				{ name: './', flag: '5' },
				{ name: 'a/b/c.yaml', content: '1' },
				{ name: 'a/b/c.yaml', content: '22' },
			),
		)
		expect(readFileSync(join(target, 'a/b/c.yaml'), 'utf8')).toBe('22')
		expect(readdirSync(join(directory, 'deep'))).toEqual(['target'])
	})

	it.each<[string, readonly Raw[]]>([
		['..', [{ name: '../evil' }]],
		['.. within', [{ name: 'a/../../evil' }]],
		['an absolute name', [{ name: '/tmp/evil' }]],
		['an absolute link', [{ name: 'l', flag: '2', link: '/etc' }]],
		['a link out', [{ name: 'a/l', flag: '2', link: '../../x' }]],
		[
			'a roundabout link',
			[
				{ name: 'd', flag: '2', link: '.' },
				{ name: 'l', flag: '2', link: 'd/../..' },
			],
		],
		['a file through a link', [{ name: 'd', flag: '2', link: 'e' }, { name: 'd/evil' }]],
		['a file below a file', [{ name: 'd' }, { name: 'd/evil' }]],
		['a file in place of a directory', [{ name: 'd/a' }, { name: 'd' }]],
		['a hard link', [{ name: 'h', flag: '1', link: '/etc/passwd' }]],
		['a device', [{ name: 'c', flag: '3' }]],
		['a backslash', [{ name: 'a\\b' }]],
		['a file as the directory itself', [{ name: '.' }]],
	])('refuses %s and leaves nothing behind', async (_, entries) => {
		await expect(into(tar({ name: 'first.yaml', content: '1' }, ...entries))).rejects.toMatchObject({
			code: 'ARTIFACT_INVALID',
		})
		expect(readdirSync(join(directory, 'deep'))).toEqual([])
		expect(readdirSync(directory)).toEqual(['deep'])
	})

	it('a link that a file replaces, and the other way round', async () => {
		await into(
			tar(
				{ name: 'a', flag: '2', link: 'b' },
				{ name: 'a', content: 'file' },
				{ name: 'b', content: 'x' },
				{ name: 'b', flag: '2', link: 'a' },
			),
		)
		expect(lstatSync(join(target, 'a')).isFile()).toBe(true)
		expect(readFileSync(join(target, 'b'), 'utf8')).toBe('file')
	})

	it.each([
		['cut', tar({ name: 'a.yaml', content: 'x'.repeat(600) }).subarray(0, 900)],
		['no tar', Buffer.alloc(2000, 'x')],
	])('leaves nothing behind when the layer is %s', async (_, bytes) => {
		await expect(into(bytes)).rejects.toMatchObject({ code: 'ARTIFACT_INVALID' })
		expect(existsSync(target)).toBe(false)
	})

	it.each([
		'.git/config',
		'a/.git/HEAD',
		'.GIT/config',
		'.git',
		'.g\u200cit/config',
		'.git./config',
		'git~1/x',
		'.git::$INDEX_ALLOCATION/x',
	])('refuses %s, by which git would run programs', async (name) => {
		await expect(into(tar({ name, content: 'x' }))).rejects.toMatchObject({
			code: 'ARTIFACT_INVALID',
			message: expect.stringContaining('git would do what it says'),
		})
		await expect(into(tar({ name, flag: '2', link: 'a' }))).rejects.toMatchObject({
			code: 'ARTIFACT_INVALID',
		})
		expect(existsSync(target)).toBe(false)
	})

	it('writes what only looks like it', async () => {
		const names = ['.gitignore', '.gitmodules', '.github/x.yaml', 'git/x', 'x.git/y', '.git-x', 'agit~1']
		await into(tar(...names.map((name) => ({ name, content: 'x' }))))
		for (const name of names) expect(existsSync(join(target, name))).toBe(true)
	})

	it('keeps nothing of a piece that may be written over when the next one is asked for', async () => {
		const long = `${'d/'.repeat(60)}${'n'.repeat(120)}`
		const record = ` path=${long}1\n`
		const pax = `${record.length + 3}${record}`
		const whole = tar(
			{ name: 'first', content: 'a'.repeat(700) },
			{ name: 'pax', flag: 'x', content: pax },
			{ name: 'short', content: 'b'.repeat(1300) },
			{ name: '././@LongLink', flag: 'L', content: `${long}2\0` },
			{ name: 'short', content: 'c' },
			{ name: 'last', content: 'd'.repeat(513) },
		)
		const given: Uint8Array[] = []
		async function* inPieces(size: number): AsyncGenerator<Uint8Array, void, undefined> {
			for (let start = 0; start < whole.byteLength; start += size) {
				yield Buffer.from(whole.subarray(start, start + size))
				for (const piece of given.splice(0)) piece.fill(0xff)
			}
		}
		for (let size = 1; size < 1600; size += size < 520 ? 37 : 101) {
			await unpack(inPieces(size), target, {
				mediaType: MediaType.layerTar,
				written: (piece) => given.push(piece),
			})
			expect(readFileSync(join(target, `${long}1`), 'utf8')).toBe('b'.repeat(1300))
			expect(readFileSync(join(target, `${long}2`), 'utf8')).toBe('c')
			expect(readFileSync(join(target, 'first'), 'utf8')).toBe('a'.repeat(700))
			expect(readFileSync(join(target, 'last'), 'utf8')).toBe('d'.repeat(513))
			rmSync(target, { recursive: true })
		}
	})

	it('takes an empty directory, refuses one that is not', async () => {
		mkdirSync(target, { recursive: true })
		await into(tar({ name: 'a.yaml', content: '1' }))
		await expect(into(tar({ name: 'a.yaml', content: '2' }))).rejects.toMatchObject({ code: 'NAME_TAKEN' })
		expect(readFileSync(join(target, 'a.yaml'), 'utf8')).toBe('1')
	})

	it('ends with a layer that does not end, and leaves nothing', async () => {
		async function* endless(): AsyncGenerator<Uint8Array, void, undefined> {
			yield tar({ name: 'a.yaml' })
			while (true) yield new Uint8Array(65_536)
		}
		const target = join(directory, 'endless')
		const options = { mediaType: MediaType.layerTar, maxBytes: 10_000_000 }
		await expect(unpack(endless(), target, options)).rejects.toMatchObject({ code: 'ARTIFACT_INVALID' })
		expect(existsSync(target)).toBe(false)
	})

	it('with force replaces what has the same name and keeps the rest', async () => {
		mkdirSync(join(target, 'd'), { recursive: true })
		writeFileSync(join(target, 'd/mine.txt'), 'mine')
		writeFileSync(join(target, 'd/a.yaml'), 'old')
		await into(tar({ name: 'd/a.yaml', content: 'new' }, { name: 'e/b.yaml' }), true)
		expect(readdirSync(join(target, 'd')).sort()).toEqual(['a.yaml', 'mine.txt'])
		expect(readFileSync(join(target, 'd/a.yaml'), 'utf8')).toBe('new')
	})

	it('with force counts the files that stay, without those that no artifact gets', async () => {
		mkdirSync(join(target, 'd'), { recursive: true })
		mkdirSync(join(target, '.git'))
		for (const name of ['d/a.yaml', 'd/mine.txt', 'old.yaml', '.git/HEAD'])
			writeFileSync(join(target, name), 'mine')
		const layer = tar({ name: 'd/a.yaml' }, { name: 'e/b.yaml' })
		expect(await into(layer, true)).toMatchObject({ files: 2, otherFiles: 2 })
		expect(readFileSync(join(target, 'old.yaml'), 'utf8')).toBe('mine')
	})

	const inTheWay: readonly (readonly [what: string, lay: (path: string) => void, told: string])[] = [
		['a directory for a file', (path) => mkdirSync(join(path, 'z.yaml')), 'z.yaml is a directory'],
		['a link for a file', (path) => symlinkSync('mine', join(path, 'z.yaml')), 'z.yaml is a link'],
		['a file for a directory', (path) => writeFileSync(join(path, 'z'), 'mine'), 'z is a file'],
		['a link for a directory', (path) => symlinkSync('.', join(path, 'z')), 'z is a link'],
		['a directory for a link', (path) => mkdirSync(join(path, 'z.link')), 'z.link is a directory'],
	]
	it.each(inTheWay)('with force changes nothing where there is %s', async (_, lay, told) => {
		mkdirSync(join(target, 'd'), { recursive: true })
		for (const name of ['a.yaml', 'd/a.yaml']) writeFileSync(join(target, name), 'mine')
		lay(target)
		const layer = tar(
			{ name: 'a.yaml', content: 'new' },
			{ name: 'd/a.yaml', content: 'new' },
			{ name: 'z/a.yaml' },
			{ name: 'z.yaml' },
			{ name: 'z.link', flag: '2', link: 'a.yaml' },
		)
		const before = readdirSync(target, { recursive: true, encoding: 'utf8' }).toSorted()
		await expect(into(layer, true)).rejects.toMatchObject({
			code: 'NAME_TAKEN',
			hint: expect.stringContaining('Nothing was changed'),
			details: [expect.stringContaining(told)],
		})
		expect(readdirSync(target, { recursive: true, encoding: 'utf8' }).toSorted()).toEqual(before)
		for (const name of ['a.yaml', 'd/a.yaml']) expect(readFileSync(join(target, name), 'utf8')).toBe('mine')
		expect(readdirSync(join(directory, 'deep'))).toEqual(['target'])
	})

	it('with force replaces its own links, as often as it is done', async () => {
		const layer = tar({ name: 'a.yaml' }, { name: 'l', flag: '2', link: 'a.yaml' })
		await into(layer)
		expect(await into(layer, true)).toMatchObject({ files: 1, otherFiles: 0 })
		expect(readlinkSync(join(target, 'l'))).toBe('a.yaml')
	})

	it('with force does not write through a link that is there', async () => {
		mkdirSync(target, { recursive: true })
		mkdirSync(join(directory, 'elsewhere'))
		symlinkSync(join(directory, 'elsewhere'), join(target, 'd'))
		await expect(into(tar({ name: 'd/a.yaml' }), true)).rejects.toMatchObject({ code: 'NAME_TAKEN' })
		expect(readdirSync(join(directory, 'elsewhere'))).toEqual([])
	})
})
