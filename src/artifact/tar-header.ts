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
	if (writeShortHeader(entry, block)) return block
	const name = splitName(entry.path)
	const linkTarget = entry.linkTarget ?? ''
	const linkFits = linkTarget.length <= 100 && PRINTABLE_ASCII.test(linkTarget)
	const records: (readonly [string, string])[] = []
	if (name === undefined) records.push(['path', entry.path])
	if (!linkFits) records.push(['linkpath', linkTarget])
	if (entry.size > MAX_OCTAL_SIZE) records.push(['size', String(entry.size)])
	const fields = {
		name: name ?? { prefix: '', name: asciiName(entry.path) },
		mode: entry.type === 'directory' ? DIRECTORY_MODE : FILE_MODE,
		size: entry.size > MAX_OCTAL_SIZE ? 0 : entry.size,
		flag: TYPE_FLAG[entry.type],
		linkTarget: linkFits ? linkTarget : asciiName(linkTarget),
	}
	writeUstar(fields, block)
	return Buffer.concat([...(records.length === 0 ? [] : [paxHeader(records)]), block])
}

/** Writes the header of a file or a directory where it fits into one block, as nearly all do. @returns whether it does */
export function writeShortHeader({ path, type, size }: TarHeader, into: Buffer): boolean {
	if (type === 'symlink' || path.length > 100 || size > MAX_OCTAL_SIZE || !PRINTABLE_ASCII.test(path))
		return false
	const mode = type === 'directory' ? DIRECTORY_MODE : FILE_MODE
	writeUstar({ name: { prefix: '', name: path }, mode, size, flag: TYPE_FLAG[type], linkTarget: '' }, into)
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

interface UstarFields {
	readonly name: UstarName
	readonly mode: string
	readonly size: number
	readonly flag: string
	readonly linkTarget: string
}

/** What every header holds: owner, time, magic, device numbers, and spaces in the place of the checksum. */
const TEMPLATE: Buffer = template()

/** Where link and prefix begin, and the sum of the template's bytes from there on. */
const REST = 157
const TEMPLATE_REST: number = TEMPLATE.subarray(REST).reduce((sum, byte) => sum + byte, 0)

function template(): Buffer {
	const block = Buffer.alloc(BLOCK)
	block.write('0000000\u00000000000\u0000', 108, 'latin1')
	block.write('00000000000\u000000000000000\u0000        ', 124, 'latin1')
	block.write('ustar\u000000', 257, 'latin1')
	block.write('0000000\u00000000000\u0000', 329, 'latin1')
	return block
}

function writeUstar({ name, mode, size, flag, linkTarget }: UstarFields, into: Buffer): void {
	TEMPLATE.copy(into)
	into.write(name.name, 0, 'latin1')
	into.write(mode, 100, 'latin1')
	writeOctal(into, { value: size, start: 124, digits: 11 })
	into.write(flag, 156, 'latin1')
	if (linkTarget !== '') into.write(linkTarget, REST, 'latin1')
	if (name.prefix !== '') into.write(name.prefix, 345, 'latin1')
	// From there on, most are as the template is.
	const isCommon = linkTarget === '' && name.prefix === ''
	let sum = isCommon ? TEMPLATE_REST : 0
	const end = isCommon ? REST : BLOCK
	// Thousands of headers: an iterator would take several times as long.
	for (let at = 0; at < end; at++) sum += into[at] ?? 0
	writeOctal(into, { value: sum, start: 148, digits: 6 })
	into[154] = 0
}

const ZERO = 0x30

function writeOctal(
	block: Buffer,
	{ value, start, digits }: { readonly value: number; readonly start: number; readonly digits: number },
): void {
	// Sizes do not fit into the 32 bits of shifts.
	let rest = value
	for (let at = start + digits - 1; at >= start; at--) {
		block[at] = ZERO + (rest % 8)
		rest = Math.floor(rest / 8)
	}
}

function paxHeader(records: readonly (readonly [string, string])[]): Buffer {
	const body = Buffer.from(records.map(([key, value]) => paxRecord(key, value)).join(''))
	const header = Buffer.alloc(BLOCK)
	writeUstar(
		{
			name: { prefix: '', name: 'PaxHeader' },
			mode: FILE_MODE,
			size: body.byteLength,
			flag: 'x',
			linkTarget: '',
		},
		header,
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
