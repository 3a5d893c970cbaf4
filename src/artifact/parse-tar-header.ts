import { TarFault } from './tar-fault.ts'
import { BLOCK } from './tar-header.ts'
import type { TreeEntry } from './tree.ts'

/** A header block as it is written, checksum checked. */
export interface RawHeader {
	readonly name: string
	readonly prefix: string
	readonly size: number
	readonly flag: string
	readonly linkTarget: string
}

/** What PAX records and GNU long names say of the entry that follows. */
export interface Metadata {
	readonly path?: string
	readonly linkTarget?: string
	readonly size?: number
}

/** Entries that describe the entry after them: PAX, PAX global, GNU long name and long link. */
export const METADATA_FLAGS: ReadonlySet<string> = new Set(['x', 'g', 'L', 'K'])

/** Such an entry may be this long, in bytes. */
export const MAX_METADATA: number = 1024 * 1024

/** Links, devices, directories and pipes have none, whatever size they claim. */
export function hasContent(flag: string): boolean {
	return !['1', '2', '3', '4', '5', '6'].includes(flag)
}

function textAt(block: Buffer, at: Field): string {
	const limit = at.start + at.length
	const end = block.indexOf(0, at.start)
	if (end === at.start) return ''
	return block.toString('utf8', at.start, end < 0 || end > limit ? limit : end)
}

interface Field {
	readonly start: number
	readonly length: number
}

const [ZERO, SEVEN, SPACE] = [0x30, 0x37, 0x20]

/** Octal, or base 256 when the first bit is set. */
function numberAt(block: Buffer, at: Field): number {
	const end = at.start + at.length
	let index = at.start
	let value = 0
	for (let byte = block[index] ?? 0; index < end && byte >= ZERO && byte <= SEVEN; byte = block[index] ?? 0) {
		value = value * 8 + byte - ZERO
		index++
	}
	if (index === at.start) return oddNumberAt(block, at)
	for (; index < end; index++) if (block[index] !== 0 && block[index] !== SPACE) return oddNumberAt(block, at)
	return value
}

/** What does not begin with a digit, or is no number at all. */
function oddNumberAt(block: Buffer, at: Field): number {
	const field = block.subarray(at.start, at.start + at.length)
	const first = field[0] ?? 0
	if ((first & 0x80) !== 0) {
		let value = first & 0x3f
		for (const byte of field.subarray(1)) value = value * 256 + byte
		if ((first & 0x40) !== 0 || !Number.isSafeInteger(value)) throw new TarFault({ kind: 'not-tar' })
		return value
	}
	const text = field.toString('latin1').replaceAll('\u0000', ' ').trim()
	if (!/^[0-7]*$/.test(text)) throw new TarFault({ kind: 'not-tar' })
	return text === '' ? 0 : Number.parseInt(text, 8)
}

const CHECKSUM = { start: 148, length: 8 }

/** A header where it can be read word by word. */
const ALIGNED = new Uint32Array(BLOCK / Uint32Array.BYTES_PER_ELEMENT)
const ALIGNED_BYTES = new Uint8Array(ALIGNED.buffer)

/** The sum of the block's bytes, taken as unsigned or (by some old writers) as signed. */
function checksumFits(block: Buffer): boolean {
	const expected = numberAt(block, CHECKSUM)
	ALIGNED_BYTES.set(block)
	// Its own bytes count as spaces.
	ALIGNED_BYTES.fill(SPACE, CHECKSUM.start, CHECKSUM.start + CHECKSUM.length)
	// Thousands of headers: two bytes of a word are added up in each half of these, which they cannot overflow.
	let [even, odd] = [0, 0]
	for (let index = 0; index < ALIGNED.length; index++) {
		const word = ALIGNED[index] ?? 0
		even += word & 0xff00ff
		odd += (word >>> 8) & 0xff00ff
	}
	const unsigned = (even & 0xffff) + (even >>> 16) + (odd & 0xffff) + (odd >>> 16)
	return (
		expected === unsigned || expected === unsigned - 256 * ALIGNED_BYTES.filter((byte) => byte > 127).length
	)
}

/** @throws TarFault `not-tar` */
export function parseHeader(block: Buffer): RawHeader {
	if (!checksumFits(block)) throw new TarFault({ kind: 'not-tar' })
	// GNU tar keeps other things in the place of ustar's prefix.
	const isUstar = block.toString('latin1', 257, 263) === 'ustar\u0000'
	return {
		name: textAt(block, { start: 0, length: 100 }),
		prefix: isUstar ? textAt(block, { start: 345, length: 155 }) : '',
		size: numberAt(block, { start: 124, length: 12 }),
		flag: String.fromCharCode(block[156] ?? 0),
		linkTarget: textAt(block, { start: 157, length: 100 }),
	}
}

/** @throws TarFault `not-tar` */
function parsePax(body: Buffer): Metadata {
	const records = new Map<string, string>()
	let at = 0
	while (at < body.byteLength) {
		const space = body.indexOf(0x20, at)
		const digits = space < 0 ? '' : body.toString('latin1', at, space)
		const length = /^[1-9][0-9]{0,8}$/.test(digits) ? Number(digits) : 0
		const end = at + length
		if (length <= digits.length + 2 || end > body.byteLength || body[end - 1] !== 0x0a) {
			throw new TarFault({ kind: 'not-tar' })
		}
		const record = body.toString('utf8', space + 1, end - 1)
		const equals = record.indexOf('=')
		if (equals <= 0) throw new TarFault({ kind: 'not-tar' })
		records.set(record.slice(0, equals), record.slice(equals + 1))
		at = end
	}
	// Go, and so Argo CD, would put another name and other content in its place.
	if ([...records.keys()].some((key) => key.startsWith('GNU.sparse.')))
		throw new TarFault({ kind: 'not-tar', detail: 'it holds a sparse file' })
	const [path, linkTarget, size] = [records.get('path'), records.get('linkpath'), records.get('size')]
	if (size !== undefined && (!/^[0-9]{1,16}$/.test(size) || !Number.isSafeInteger(Number(size)))) {
		throw new TarFault({ kind: 'not-tar' })
	}
	return {
		...(path !== undefined && path !== '' && { path }),
		...(linkTarget !== undefined && linkTarget !== '' && { linkTarget }),
		...(size !== undefined && { size: Number(size) }),
	}
}

/** What an entry that goes before another says of it. @throws TarFault `not-tar` */
export function parseMetadata(flag: string, body: Buffer): Metadata {
	const text = (): string => textAt(body, { start: 0, length: body.byteLength })
	switch (flag) {
		case 'L':
			return { path: text() }
		case 'K':
			return { linkTarget: text() }
		case 'x':
			return parsePax(body)
		case 'g':
			// Its records count for nothing, but must be some.
			parsePax(body)
			return {}
		default:
			return {}
	}
}

export function entryOf(header: RawHeader, metadata: Metadata): TreeEntry {
	const path = metadata.path ?? (header.prefix === '' ? header.name : `${header.prefix}/${header.name}`)
	const linkTarget = metadata.linkTarget ?? header.linkTarget
	const type = typeOf(header.flag, path)
	return {
		path,
		type,
		size: hasContent(header.flag) ? (metadata.size ?? header.size) : 0,
		...((type === 'symlink' || type === 'hardlink') && { linkTarget }),
	}
}

function typeOf(flag: string, path: string): TreeEntry['type'] {
	switch (flag) {
		case '0':
		case '\u0000':
		case '7':
			// Before POSIX a directory was a file whose name ends in a slash.
			return path.endsWith('/') ? 'directory' : 'file'
		case '1':
			return 'hardlink'
		case '2':
			return 'symlink'
		case '5':
			return 'directory'
		default:
			return 'other'
	}
}
