import { gzipSync } from 'node:zlib'

/** One entry of an archive, however wrong. */
export interface Entry {
	readonly path: string
	readonly content?: string | Uint8Array
	/** Type flag; `0` for a file, `5` where the path ends with a slash. */
	readonly type?: string
	readonly link?: string
	/** Records of an extended header before it. */
	readonly pax?: Readonly<Record<string, string>>
	/** What the header says of the size, where the content does not follow. */
	readonly size?: number
	readonly mode?: number
}

export const BLOCK = 512
const NAME_BYTES = 100
const END = Buffer.alloc(2 * BLOCK)

/** A tar with its end. Long names get an extended header. */
export function tar(...entries: readonly Entry[]): Buffer {
	return Buffer.concat([tarWithoutEnd(...entries), END])
}

export function tarWithoutEnd(...entries: readonly Entry[]): Buffer {
	return Buffer.concat(entries.flatMap(blocksOf))
}

function blocksOf(entry: Entry): readonly Buffer[] {
	const { path, link = '' } = entry
	const content = Buffer.from(entry.content ?? '')
	const pax = {
		...(Buffer.byteLength(path) > NAME_BYTES && { path }),
		...(Buffer.byteLength(link) > NAME_BYTES && { linkpath: link }),
		...entry.pax,
	}
	const padded = Buffer.concat([content, Buffer.alloc((BLOCK - (content.length % BLOCK)) % BLOCK)])
	const own = [headerOf(entry, entry.size ?? content.length), padded]
	if (Object.keys(pax).length === 0) return own
	const records = Object.entries(pax).map(([key, value]) => record(key, value))
	return [...blocksOf({ path: 'pax', type: 'x', content: records.join('') }), ...own]
}

function record(key: string, value: string): string {
	const text = ` ${key}=${value}\n`
	let length = Buffer.byteLength(text)
	while (String(length).length + Buffer.byteLength(text) !== length)
		length = String(length).length + Buffer.byteLength(text)
	return `${length}${text}`
}

/** @see https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html ustar Interchange Format */
function headerOf({ path, link = '', type, mode = 0o644 }: Entry, size: number): Buffer {
	const header = Buffer.alloc(BLOCK)
	header.write(path, 0, NAME_BYTES)
	header.write(`${mode.toString(8).padStart(7, '0')}\0`, 100)
	header.write('0000000\0', 108)
	header.write('0000000\0', 116)
	header.write(`${size.toString(8).padStart(11, '0')}\0`, 124)
	header.write('00000000000\0', 136)
	header.write('        ', 148)
	header.write(type ?? (path.endsWith('/') ? '5' : '0'), 156)
	header.write(link, 157, NAME_BYTES)
	header.write('ustar\u000000', 257)
	const sum = header.reduce((total, byte) => total + byte, 0)
	header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
	return header
}

const PIECE = 8_000_000

/** A gzip of zeros: members that are one stream to whoever reads them, so that a gigabyte costs a megabyte. */
export function zeros(size: number): Buffer {
	const whole = gzipSync(Buffer.alloc(PIECE))
	const pieces = Array.from({ length: Math.floor(size / PIECE) }, () => whole)
	return Buffer.concat([...pieces, gzipSync(Buffer.alloc(size % PIECE))])
}
