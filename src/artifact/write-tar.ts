import { type BigIntStats, closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import { isSystemError, unreachable, UserError } from '../errors/index.ts'
import type { ManifestEntry, ManifestSet } from '../manifests/index.ts'
import { BLOCK, headerSize, padding, tarHeader, type TarHeader, writeShortHeader } from './tar-header.ts'

/** Size of the pieces a tar is made in, in bytes. */
export const CHUNK: number = 1024 * 1024
/** Of one that is used again: it stays in the processor's cache. */
const REUSED_CHUNK = 256 * 1024

/** A link put in a file's place after the walk must not be followed. */
const OPEN_FLAGS = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0)

export interface WriteTarOptions {
	readonly signal?: AbortSignal | undefined
	/** Files that were read already, by path: what was checked is what is packed. */
	readonly contents?: ReadonlyMap<string, Uint8Array> | undefined
	/** Size of the first piece, in bytes; about 1 MiB. */
	readonly firstChunk?: number | undefined
	/**
	 * How many pieces stay as they are, the last one included, before their memory is used again: new memory for each takes
	 * longer than reading. Default all.
	 */
	readonly kept?: number | undefined
	readonly witness?: Witness | undefined
}

/** Is told of each file that is read, while it is open. */
export interface Witness {
	readonly opened?: (file: FileState) => void
	/** All of it is read. */
	readonly read?: (file: FileState) => void
}

/** What changes when a file does; times in nanoseconds since 1970. */
export type FileState = Pick<BigIntStats, 'size' | 'mtimeNs' | 'ctimeNs'>

/** How many bytes the tar of a set has. */
export function tarSize({ entries }: Pick<ManifestSet, 'entries'>): number {
	let bytes = 2 * BLOCK
	for (const entry of entries) {
		bytes += headerSize(headerOf(entry))
		if (entry.type === 'file') bytes += entry.size + padding(entry.size)
	}
	return bytes
}

function headerOf({ path, type, size, linkTarget }: ManifestEntry): TarHeader {
	switch (type) {
		case 'directory':
			return { path: `${path}/`, type, size: 0 }
		case 'symlink':
			return { path, type, size: 0, linkTarget }
		case 'file':
			return { path, type, size }
		default:
			return unreachable(type)
	}
}

/**
 * The set as a tar, in pieces of about 1 MiB. The bytes depend on nothing but paths,
 * link targets and contents. Files are read with synchronous calls, three for a small
 * one: several times as fast as the thread pool.
 * @throws UserError `FILE_UNREADABLE`, `FILE_CHANGED`
 */
export async function* writeTar(
	set: Pick<ManifestSet, 'entries'>,
	options: WriteTarOptions = {},
): AsyncGenerator<Uint8Array, void, undefined> {
	yield* pieces(set, options)
}

function* pieces(set: Pick<ManifestSet, 'entries'>, options: WriteTarOptions): Generator<Uint8Array> {
	const { kept } = options
	const chunk = kept === undefined ? new Chunk(options.firstChunk ?? CHUNK) : new Chunk(REUSED_CHUNK, kept)
	for (const entry of set.entries) {
		options.signal?.throwIfAborted()
		// Thousands of files: as a rule there is room, and nothing to hand out.
		const isFile = entry.type === 'file'
		if (isFile && chunk.room >= BLOCK && writeShortHeader(entry, chunk.buffer, chunk.end)) chunk.end += BLOCK
		else yield* chunk.add(tarHeader(headerOf(entry)))
		if (!isFile) continue
		yield* content(chunk, entry, options)
		yield* chunk.zeros(padding(entry.size))
	}
	yield* chunk.zeros(2 * BLOCK)
	yield* chunk.flush()
}

/** Collects small pieces into large ones. A piece that was handed out is never written again, but where memory is used again. */
class Chunk {
	/** Memory of the pieces that were handed out, where it is used again: the oldest first. */
	readonly #handedOut: Buffer[] = []
	readonly #kept: number
	/** What is behind {@link end} may be written to. */
	buffer: Buffer
	end = 0

	constructor(bytes: number, kept = Infinity) {
		this.buffer = sharedMemory(bytes)
		this.#kept = kept
	}

	/** Number of bytes that fit in yet. */
	get room(): number {
		return this.buffer.byteLength - this.end
	}

	*flush(): Generator<Uint8Array> {
		if (this.end === 0) return
		const full = this.buffer.subarray(0, this.end)
		this.buffer = this.#next()
		this.end = 0
		yield full
	}

	#next(): Buffer {
		if (this.#kept === Infinity) return Buffer.allocUnsafe(CHUNK)
		this.#handedOut.push(this.buffer)
		return (this.#handedOut.length >= this.#kept && this.#handedOut.shift()) || sharedMemory(REUSED_CHUNK)
	}

	*add(bytes: Buffer): Generator<Uint8Array> {
		for (let added = 0; added < bytes.byteLength;) {
			if (this.room === 0) yield* this.flush()
			const copied = bytes.copy(this.buffer, this.end, added)
			this.end += copied
			added += copied
		}
	}

	*zeros(count: number): Generator<Uint8Array> {
		for (let rest = count; rest > 0;) {
			if (this.room === 0) yield* this.flush()
			const length = Math.min(rest, this.room)
			this.buffer.fill(0, this.end, this.end + length)
			this.end += length
			rest -= length
		}
	}
}

/** Does not count as the heap's: 10 MB more of that make V8 collect all garbage. */
function sharedMemory(bytes: number): Buffer {
	return Buffer.from(new SharedArrayBuffer(bytes))
}

function* content(
	chunk: Chunk,
	entry: ManifestEntry,
	{ contents, witness = {} }: WriteTarOptions,
): Generator<Uint8Array> {
	const bytes = contents?.get(entry.path)
	if (!bytes) return yield* readInto(chunk, entry, witness)
	if (bytes.byteLength !== entry.size) throw changed(entry)
	yield* chunk.add(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))
}

function* readInto(chunk: Chunk, entry: ManifestEntry, witness: Witness): Generator<Uint8Array> {
	let file: number
	try {
		file = openSync(entry.absolute, OPEN_FLAGS)
	} catch (error) {
		throw notRead(entry, error)
	}
	try {
		witness.opened?.(fstatSync(file, { bigint: true }))
		let rest = entry.size
		while (rest > 0) {
			if (chunk.room === 0) yield* chunk.flush()
			// One byte more than there should be tells in the same call that the file ends.
			const length = Math.min(rest + 1, chunk.room)
			const read = readSome(file, { into: chunk.buffer, start: chunk.end, length, entry })
			if (read === 0 || read > rest) throw changed(entry)
			chunk.end += read
			rest -= read
			if (rest === 0 && read < length) return witness.read?.(fstatSync(file, { bigint: true }))
		}
		if (readSome(file, { into: Buffer.allocUnsafe(1), start: 0, length: 1, entry }) > 0) throw changed(entry)
		witness.read?.(fstatSync(file, { bigint: true }))
	} finally {
		closeSync(file)
	}
}

interface ReadOptions {
	readonly into: Buffer
	readonly start: number
	readonly length: number
	readonly entry: ManifestEntry
}

function readSome(file: number, { into, start, length, entry }: ReadOptions): number {
	try {
		return readSync(file, into, start, length, null)
	} catch (error) {
		throw notRead(entry, error)
	}
}

function changed(entry: Pick<ManifestEntry, 'path'>): UserError {
	return new UserError('FILE_CHANGED', `${entry.path} changed while it was being packed`, {
		hint: 'Run it again when nothing writes to the directory.',
	})
}

function notRead(entry: Pick<ManifestEntry, 'path'>, error: unknown): Error {
	if (isSystemError(error, 'ENOENT', 'ELOOP', 'ENOTDIR')) return changed(entry)
	const why = isSystemError(error, 'EACCES', 'EPERM')
		? 'permission denied'
		: isSystemError(error)
			? error.code
			: 'unknown'
	return new UserError('FILE_UNREADABLE', `cannot read ${entry.path}: ${why ?? 'unknown'}`, {
		hint: 'Give the user who runs lading the right to read it, or add it to .ladingignore.',
		cause: error,
	})
}
