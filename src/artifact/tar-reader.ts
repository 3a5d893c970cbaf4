import type { ByteStream } from '../content/index.ts'
import type { TreeEntry } from './tree.ts'
import {
	entryOf,
	hasContent,
	MAX_METADATA,
	type Metadata,
	METADATA_FLAGS,
	parseHeader,
	parseMetadata,
	type RawHeader,
} from './parse-tar-header.ts'
import { TarFault } from './tar-fault.ts'
import { BLOCK, padding } from './tar-header.ts'

/** Longest path of Linux, where Argo CD extracts, in bytes without the closing NUL. */
const MAX_NAME = 4095
/** Directories around an entry. */
const MAX_DEPTH = 100
/** All names of one tar together: in bytes, and in steps between slashes. */
const MAX_NAMES = 32 * 1024 * 1024
const MAX_STEPS = 2_000_000

export interface TarLimits {
	/** Most bytes of the whole tar. */
	readonly maxBytes: number
	readonly maxEntries: number
}

/** An entry and its content, which must be read (or left) before the next entry is asked for. */
export interface TarItem {
	readonly entry: TreeEntry
	content(): AsyncGenerator<Uint8Array, void, undefined>
	/** The content, where all of it has come already; it is read with that. Of small files that takes half the time. */
	whole(): Uint8Array | undefined
}

/**
 * Reads a tar (ustar, PAX, GNU) entry by entry and stops at its end-of-archive blocks,
 * as Go's `archive/tar` does; PAX global headers are skipped. It holds one chunk of
 * the stream and no more.
 * @throws TarFault
 * @see https://pkg.go.dev/archive/tar, whose judgement is Argo CD's
 */
export async function* readTar(
	stream: ByteStream,
	limits: TarLimits,
): AsyncGenerator<TarItem, void, undefined> {
	const source = new Source(stream, limits.maxBytes)
	try {
		let pending: Metadata = {}
		let count = 0
		const names = { bytes: 0, steps: 0 }
		while (true) {
			const block = source.now(BLOCK) ?? (await source.exactly(BLOCK))
			if (block === undefined || (isZero(block) && (await endsHere(source)))) return
			const header = parseHeader(block)
			if (METADATA_FLAGS.has(header.flag)) {
				pending = { ...pending, ...(await readMetadata(source, header)) }
				continue
			}
			if (++count > limits.maxEntries)
				throw new TarFault({ kind: 'too-many-entries', limit: limits.maxEntries })
			const entry = entryOf(header, pending)
			if (!weighNames(entry, names)) throw new TarFault({ kind: 'too-many-entries', limit: count - 1 })
			const bytes = hasContent(header.flag) ? entry.size : 0
			pending = {}
			source.open(bytes)
			yield { entry, content: () => source.content(), whole: () => source.whole() }
			const pad = padding(bytes)
			if (!source.skipNow(pad)) await source.skip(pad)
		}
	} finally {
		await source.close()
	}
}

/**
 * Adds an entry's names to what the names of a tar weigh together.
 * @returns whether that is still within bounds
 * @throws TarFault `name-too-long`
 */
function weighNames({ path, linkTarget = '' }: TreeEntry, total: { bytes: number; steps: number }): boolean {
	const bytes = Buffer.byteLength(path)
	const linkBytes = Buffer.byteLength(linkTarget)
	if (bytes > MAX_NAME || linkBytes > MAX_NAME) throw new TarFault({ kind: 'name-too-long' })
	const depth = countSteps(path)
	const linkDepth = countSteps(linkTarget)
	if (depth > MAX_DEPTH || linkDepth > MAX_DEPTH) throw new TarFault({ kind: 'name-too-long' })
	total.bytes += bytes + linkBytes
	total.steps += depth + linkDepth
	return total.bytes <= MAX_NAMES && total.steps <= MAX_STEPS
}

function countSteps(path: string): number {
	let steps = 1
	for (let slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', slash + 1)) steps++
	return steps
}

/** After one block of zeros there is a second one, or nothing. */
async function endsHere(source: Source): Promise<boolean> {
	const second = await source.exactly(BLOCK)
	if (second !== undefined && !isZero(second)) throw new TarFault({ kind: 'not-tar' })
	return true
}

/** Pulls bytes from the stream, never more than the limit. */
class Source {
	readonly #iterator: AsyncIterator<Uint8Array>
	readonly #maxBytes: number
	#chunk: Buffer = Buffer.alloc(0)
	#seen = 0
	/** Bytes of the present entry's content that were not read yet. */
	#rest = 0

	constructor(stream: ByteStream, maxBytes: number) {
		this.#iterator = stream[Symbol.asyncIterator]()
		this.#maxBytes = maxBytes
	}

	async #fill(): Promise<boolean> {
		while (this.#chunk.byteLength === 0) {
			const next = await this.#next()
			if (next.done === true) return false
			this.#chunk = Buffer.from(next.value.buffer, next.value.byteOffset, next.value.byteLength)
			this.#seen += next.value.byteLength
			if (this.#seen > this.#maxBytes) throw new TarFault({ kind: 'too-large', limit: this.#maxBytes })
		}
		return true
	}

	async #next(): Promise<IteratorResult<Uint8Array>> {
		try {
			return await this.#iterator.next()
		} catch (error) {
			if (this.#rest === 0 || !(error instanceof TarFault)) throw error
			const { problem } = error
			const isGzip = problem.kind === 'gzip-corrupt' || problem.kind === 'gzip-truncated'
			throw isGzip ? new TarFault({ ...problem, inFile: true }) : error
		}
	}

	#take(most: number): Buffer {
		const taken = this.#chunk.subarray(0, most)
		this.#chunk = this.#chunk.subarray(taken.byteLength)
		return taken
	}

	/** Exactly `length` bytes; `undefined` when the stream ends before the first. */
	async exactly(length: number): Promise<Buffer | undefined> {
		const parts: Uint8Array[] = []
		let rest = length
		while (rest > 0) {
			if (!(await this.#fill())) {
				if (rest === length) return undefined
				throw new TarFault({ kind: 'tar-truncated' })
			}
			const part = this.#take(rest)
			// What the stream hands out may be written over when more of it is asked for.
			parts.push(part.byteLength < rest ? Buffer.from(part) : part)
			rest -= part.byteLength
		}
		return Buffer.concat(parts)
	}

	/** As {@link exactly}, without a wait; `undefined` where so much has not come yet. */
	now(length: number): Buffer | undefined {
		return this.#chunk.byteLength < length ? undefined : this.#take(length)
	}

	open(size: number): void {
		this.#rest = size
	}

	/** All that is left of the present entry's content, where it has come. */
	whole(): Buffer | undefined {
		const whole = this.now(this.#rest)
		if (whole) this.#rest = 0
		return whole
	}

	async *content(): AsyncGenerator<Uint8Array, void, undefined> {
		while (this.#rest > 0) {
			if (!(await this.#fill())) throw new TarFault({ kind: 'tar-truncated', inFile: true })
			const part = this.#take(this.#rest)
			this.#rest -= part.byteLength
			yield part
		}
	}

	/** As {@link skip}, without a wait; `false`, and nothing is done, where that is not possible. */
	skipNow(extra: number): boolean {
		if (this.now(this.#rest + extra) === undefined) return false
		this.#rest = 0
		return true
	}

	/** Passes over the rest of the entry and `extra` bytes of padding, which may be missing at the very end. */
	async skip(extra: number): Promise<void> {
		while (this.#rest > 0) {
			if (!(await this.#fill())) throw new TarFault({ kind: 'tar-truncated', inFile: true })
			this.#rest -= this.#take(this.#rest).byteLength
		}
		let padding = extra
		while (padding > 0 && (await this.#fill())) padding -= this.#take(padding).byteLength
	}

	async close(): Promise<void> {
		await this.#iterator.return?.()
	}
}

function isZero(block: Buffer): boolean {
	return block.every((byte) => byte === 0)
}

async function readMetadata(source: Source, header: RawHeader): Promise<Metadata> {
	if (header.size > MAX_METADATA) throw new TarFault({ kind: 'not-tar' })
	const body = header.size === 0 ? Buffer.alloc(0) : await source.exactly(header.size)
	if (body === undefined) throw new TarFault({ kind: 'tar-truncated' })
	source.open(0)
	await source.skip(padding(header.size))
	return parseMetadata(header.flag, body)
}
