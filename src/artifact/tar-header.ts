/** Size of a tar block, in bytes. */
export const BLOCK: number = 512

/** Largest size the octal field of a header holds, in bytes (8 GiB - 1). */
const MAX_OCTAL_SIZE = 0o77777777777

export interface TarHeader {
	/** A directory's ends in `/`. */
	readonly path: string
	readonly type: 'file' | 'directory' | 'symlink'
	/** Number of bytes of content that follow. */
	readonly size: number
	readonly linkTarget?: string | undefined
}

const TYPE_FLAG = { file: '0', directory: '5', symlink: '2' } as const

/** Mode, owner and time are the same for everything: 0644 or 0755, root, the epoch. */
const FILE_MODE = '0000644'
const DIRECTORY_MODE = '0000755'

const PRINTABLE_ASCII = /^[ -~]*$/

/**
 * The header of an entry: one ustar block, after a PAX header where the name, the link
 * or the size does not fit into it or is not ASCII.
 * @see https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html "ustar Interchange Format"
 */
export function tarHeader(entry: TarHeader): Buffer {
	const block = Buffer.alloc(BLOCK)
	if (writeShortHeader(entry, block, 0)) return block
	const name = splitName(entry.path)
	const linkTarget = entry.linkTarget ?? ''
	const linkFits = linkTarget.length <= 100 && PRINTABLE_ASCII.test(linkTarget)
	const records: (readonly [string, string])[] = []
	if (name === undefined) records.push(['path', entry.path])
	if (!linkFits) records.push(['linkpath', linkTarget])
	if (entry.size > MAX_OCTAL_SIZE) records.push(['size', String(entry.size)])
	const fields = {
		...(name ?? { prefix: '', name: asciiName(entry.path) }),
		mode: entry.type === 'directory' ? DIRECTORY_MODE : FILE_MODE,
		size: entry.size > MAX_OCTAL_SIZE ? 0 : entry.size,
		flag: TYPE_FLAG[entry.type],
		linkTarget: linkFits ? linkTarget : asciiName(linkTarget),
	}
	writeUstar(fields, block, 0)
	return Buffer.concat([...(records.length === 0 ? [] : [paxHeader(records)]), block])
}

/** Number of bytes of {@link tarHeader}. */
export function headerSize(entry: TarHeader): number {
	return isShort(entry) ? BLOCK : tarHeader(entry).byteLength
}

function isShort({ path, type, size }: TarHeader): boolean {
	return type !== 'symlink' && path.length <= 100 && size <= MAX_OCTAL_SIZE && PRINTABLE_ASCII.test(path)
}

/** Writes the header of a file or a directory where it fits into one block, as nearly all do. @returns whether it does */
export function writeShortHeader(entry: TarHeader, into: Buffer, start: number): boolean {
	if (!isShort(entry)) return false
	const { path, type, size } = entry
	const mode = type === 'directory' ? DIRECTORY_MODE : FILE_MODE
	const flag = TYPE_FLAG[type]
	writeUstar({ name: path, prefix: '', mode, size, flag, linkTarget: '' }, into, start)
	return true
}

interface UstarName {
	readonly prefix: string
	readonly name: string
}

/** The name split at a slash into 155 and 100 bytes; `undefined` when it does not fit. */
function splitName(path: string): UstarName | undefined {
	if (!PRINTABLE_ASCII.test(path)) return undefined
	if (path.length <= 100) return { prefix: '', name: path }
	// A directory's own trailing slash is no place to split.
	const slash = path.lastIndexOf('/', Math.min(155, path.length - 2))
	if (slash <= 0 || path.length - slash - 1 > 100) return undefined
	return { prefix: path.slice(0, slash), name: path.slice(slash + 1) }
}

/** What a reader without PAX gets to see. */
function asciiName(text: string): string {
	return text.replaceAll(/[^ -~]/gu, '_').slice(-100)
}

interface UstarFields extends UstarName {
	readonly mode: string
	readonly size: number
	readonly flag: string
	readonly linkTarget: string
}

/** What every header holds: owner, time, magic, device numbers, zeros for the size, and spaces in the place of the checksum. */
const TEMPLATE: Buffer = template()
const TEMPLATE_SUM: number = TEMPLATE.reduce((sum, byte) => sum + byte, 0)

function template(): Buffer {
	const block = Buffer.alloc(BLOCK)
	block.write('0000000\u00000000000\u0000', 108, 'latin1')
	block.write('00000000000\u000000000000000\u0000        ', 124, 'latin1')
	block.write('ustar\u000000', 257, 'latin1')
	block.write('0000000\u00000000000\u0000', 329, 'latin1')
	return block
}

function writeUstar(fields: UstarFields, into: Buffer, start: number): void {
	TEMPLATE.copy(into, start)
	// Only what differs from the template is added up: thousands of headers.
	const sum =
		TEMPLATE_SUM +
		writeText(into, start, fields.name) +
		writeText(into, start + 100, fields.mode) +
		writeOctal(into, start + 124 + 11, fields.size) +
		writeText(into, start + 156, fields.flag) +
		writeText(into, start + 157, fields.linkTarget) +
		writeText(into, start + 345, fields.prefix)
	into.fill('0', start + 148, start + 154)
	writeOctal(into, start + 148 + 6, sum)
	into[start + 154] = 0
}

/** Writes ASCII. @returns the sum of its bytes */
function writeText(into: Buffer, start: number, text: string): number {
	let sum = 0
	for (let at = 0; at < text.length; at++) sum += into[start + at] = text.charCodeAt(at)
	return sum
}

const ZERO = 0x30

/** Writes digits over zeros, the last one before `end`. @returns by how much that makes the sum of the bytes larger */
function writeOctal(into: Buffer, end: number, value: number): number {
	let sum = 0
	// Sizes do not fit into the 32 bits of shifts.
	for (let [at, rest] = [end - 1, value]; rest > 0; rest = Math.floor(rest / 8)) {
		into[at--] = ZERO + (rest % 8)
		sum += rest % 8
	}
	return sum
}

function paxHeader(records: readonly (readonly [string, string])[]): Buffer {
	const body = Buffer.from(records.map(([key, value]) => paxRecord(key, value)).join(''))
	const header = Buffer.alloc(BLOCK)
	writeUstar(
		{ name: 'PaxHeader', prefix: '', mode: FILE_MODE, size: body.byteLength, flag: 'x', linkTarget: '' },
		header,
		0,
	)
	return Buffer.concat([header, body, Buffer.alloc(padding(body.byteLength))])
}

/** `length key=value\n`, where the length counts its own digits. */
function paxRecord(key: string, value: string): string {
	const rest = Buffer.byteLength(` ${key}=${value}\n`)
	let length = rest + String(rest).length
	if (rest + String(length).length !== length) length = rest + String(length).length
	return `${length} ${key}=${value}\n`
}

/** Zero bytes that follow content of `size` bytes. */
export function padding(size: number): number {
	return (BLOCK - (size % BLOCK)) % BLOCK
}
