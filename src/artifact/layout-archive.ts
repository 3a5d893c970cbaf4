import { createReadStream, promises } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import {
	createLayoutReader,
	type LayoutIndex,
	type LayoutReader,
	MAX_INDEX_BYTES,
	parseLayoutIndex,
} from '../content/index.ts'
import { isSystemError, UserError } from '../errors/index.ts'
import { digestAlgorithm, digestHex } from '../oci/index.ts'
import {
	entryOf,
	hasContent,
	MAX_METADATA,
	type Metadata,
	METADATA_FLAGS,
	parseHeader,
	parseMetadata,
} from './parse-tar-header.ts'
import { TarFault } from './tar-fault.ts'
import { BLOCK, padding } from './tar-header.ts'
import type { TreeEntry } from './tree.ts'

/** Entries of one archive. */
const MAX_ENTRIES = 500_000
/** Names of one archive together, in bytes. */
const MAX_NAMES = 64 * 1024 * 1024
/** Larger reads hash and copy faster than Node's 64 KiB; in bytes. */
const READ_BYTES = 1024 * 1024

/** Where a file lies in the archive, in bytes. */
interface Place {
	readonly start: number
	readonly size: number
}

/**
 * A tar of an OCI image layout, to read from. Nothing is unpacked: its headers are read
 * once, and contents where they lie. Refused are names that lead elsewhere, links, devices,
 * a name that stands there twice, and sizes that reach beyond the file; what is
 * compressed is not read. Contents are verified by whoever reads them, as in every store.
 * @throws UserError `NOT_FOUND`, `FILE_UNREADABLE`, `ARTIFACT_INVALID`
 */
export async function openLayoutArchive(path: string): Promise<LayoutReader> {
	const { files, index } = await inFile(path, async (file) => {
		const found = await listFiles(file, path)
		return { files: found, index: await readIndex(file, { path, files: found }) }
	})
	return createLayoutReader({
		readIndex: async () => index,
		async fetch({ digest }, { signal } = {}) {
			const place = files.get(`blobs/${digestAlgorithm(digest)}/${digestHex(digest)}`)
			if (!place) return undefined
			if (place.size === 0) return nothing()
			return createReadStream(path, {
				start: place.start,
				end: place.start + place.size - 1,
				highWaterMark: READ_BYTES,
				...(signal && { signal }),
			})
		},
	})
}

async function* nothing(): AsyncGenerator<Uint8Array, void, undefined> {}

async function inFile<T>(path: string, use: (file: FileHandle) => Promise<T>): Promise<T> {
	let file: FileHandle
	try {
		const stats = await promises.stat(path)
		// A pipe would be waited for without an end, and cannot be read twice.
		if (!stats.isFile() && !stats.isDirectory()) throw noFile(path)
		file = await promises.open(path, 'r')
	} catch (error) {
		if (isSystemError(error, 'ENOENT', 'ENOTDIR'))
			throw new UserError('NOT_FOUND', `there is no file ${path}`, { cause: error })
		throw isSystemError(error) ? unreadable(path, error) : error
	}
	try {
		return await use(file)
	} catch (error) {
		if (error instanceof TarFault) throw refused(path, faultText(error))
		throw isSystemError(error) ? unreadable(path, error) : error
	} finally {
		await file.close()
	}
}

function noFile(path: string): UserError {
	return new UserError('FILE_UNSUPPORTED', `${path} is a device, a pipe or a socket, and a tar is wanted`, {
		hint: 'Write it to a file first.',
	})
}

function unreadable(path: string, error: unknown): UserError {
	if (isSystemError(error, 'EISDIR')) {
		return new UserError('FILE_UNREADABLE', `${path} is a directory, and a tar is wanted`, {
			cause: error,
			hint: `If it is an OCI image layout, name it oci:${path} for copy, and ${path}/ for load.`,
		})
	}
	const why = isSystemError(error) ? `: ${error.code}` : ''
	return new UserError('FILE_UNREADABLE', `cannot read ${path}${why}`, { cause: error })
}

function refused(path: string, why: string): UserError {
	return new UserError('ARTIFACT_INVALID', `${path} is refused: ${why}`, {
		hint: 'A tar of an OCI image layout is wanted, as lading save, skopeo copy … oci-archive: or oras backup write it.',
	})
}

function faultText({ problem: { kind } }: TarFault): string {
	if (kind === 'tar-truncated') return 'it ends early, or says that a file is larger than it is'
	if (kind === 'too-many-entries') return 'it has too many entries, or their names are too long'
	return 'it is not a tar that can be read'
}

async function listFiles(file: FileHandle, path: string): Promise<ReadonlyMap<string, Place>> {
	const { size: end } = await file.stat()
	const files = new Map<string, Place>()
	await refuseCompressed(file, path)
	const block = Buffer.alloc(BLOCK)
	let pending: Metadata = {}
	let count = 0
	let names = 0
	for (let at = 0; at < end;) {
		await readExactly(file, block, at)
		if (block.every((byte) => byte === 0)) break
		const header = parseHeader(block)
		at += BLOCK
		if (METADATA_FLAGS.has(header.flag)) {
			if (header.size > MAX_METADATA) throw new TarFault({ kind: 'not-tar' })
			const body = Buffer.alloc(header.size)
			await readExactly(file, body, at)
			pending = { ...pending, ...parseMetadata(header.flag, body) }
			at += header.size + padding(header.size)
			continue
		}
		const entry = entryOf(header, pending)
		pending = {}
		names += entry.path.length
		if (++count > MAX_ENTRIES || names > MAX_NAMES)
			throw new TarFault({ kind: 'too-many-entries', limit: MAX_ENTRIES })
		const size = hasContent(header.flag) ? entry.size : 0
		if (at + size > end) throw new TarFault({ kind: 'tar-truncated' })
		const name = nameOf(entry, path)
		if (entry.type === 'file') {
			if (files.has(name)) throw refused(path, `${JSON.stringify(name)} stands in it twice`)
			files.set(name, { start: at, size })
		}
		at += size + padding(size)
	}
	return files
}

/** What is compressed could become of any size, and cannot be read where it lies. */
async function refuseCompressed(file: FileHandle, path: string): Promise<void> {
	const { buffer } = await file.read(Buffer.alloc(6), 0, 6, 0)
	const start = buffer.toString('latin1')
	if (MAGIC.some((magic) => start.startsWith(magic)))
		throw refused(path, 'it is compressed; unpack it first, with gunzip, unzstd, bunzip2 or unxz')
}

/** gzip, zstd, bzip2, xz. */
const MAGIC = ['\u001F\u008B', '\u0028\u00B5\u002F\u00FD', 'BZh', '\u00FD7zXZ'] as const

/** The entry's path without `./`. @throws UserError `ARTIFACT_INVALID` for what means another place, or is no file */
function nameOf({ path: name, type }: TreeEntry, path: string): string {
	const shown = JSON.stringify(name)
	const steps = name.split('/').filter((step) => step !== '' && step !== '.')
	if (name.startsWith('/') || steps.includes('..')) throw refused(path, `${shown} leads out of it`)
	if (type === 'symlink' || type === 'hardlink') throw refused(path, `${shown} is a link`)
	if (type === 'other') throw refused(path, `${shown} is neither a file nor a directory`)
	return steps.join('/')
}

async function readExactly(file: FileHandle, into: Buffer, position: number): Promise<void> {
	const { bytesRead } = await file.read(into, 0, into.byteLength, position)
	if (bytesRead !== into.byteLength) throw new TarFault({ kind: 'tar-truncated' })
}

async function readIndex(
	file: FileHandle,
	{ path, files }: { readonly path: string; readonly files: ReadonlyMap<string, Place> },
): Promise<LayoutIndex> {
	const place = files.get('index.json')
	if (!place || !files.has('oci-layout')) {
		const isDocker = files.has('manifest.json')
		throw refused(
			path,
			isDocker
				? 'it is an archive of an old docker save, not an OCI image layout'
				: 'it holds no OCI image layout: oci-layout or index.json is missing',
		)
	}
	if (place.size > MAX_INDEX_BYTES) throw refused(path, `its index.json has ${place.size} bytes`)
	const bytes = Buffer.alloc(place.size)
	await readExactly(file, bytes, place.start)
	return parseLayoutIndex(bytes.toString('utf8'), `index.json of ${path}`)
}
