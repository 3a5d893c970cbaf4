import { randomUUID } from 'node:crypto'
import {
	type BigIntStats,
	closeSync,
	existsSync,
	fstatSync,
	mkdirSync,
	openSync,
	readdirSync,
	renameSync,
	rmSync,
	statSync,
} from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate as othersTurn } from 'node:timers/promises'
import { verified } from '../../content/index.ts'
import { isSystemError, RemoteError } from '../../errors/index.ts'
import {
	createDigester,
	type Digest,
	type DigestAlgorithm,
	digestAlgorithm,
	digestHex,
	digestOf,
} from '../../oci/index.ts'
import { ChunkReader, readFully } from './chunk-reader.ts'
import { type Fence, UNFENCED } from './fence.ts'
import { flushDescriptor, GroupSync, syncDirectory } from './group-sync.ts'
import type { Packs } from './packs.ts'
import type { PackedAt, Place } from './record.ts'
import type { ByteRange, OpenedBlob } from './storage.ts'
import { writeFully } from './write-fully.ts'

/** Content up to this size is held in memory once read, in bytes. */
const CACHED_BYTES = 256 * 1024
/** All of it together, in bytes. */
const CACHE_BYTES = 32 * 1024 * 1024
/** Larger content of which is known who has it in memory. */
const MAX_SHARED = 64
/** A check reads in smaller ones: nobody waits for it, and others do meanwhile. */
const CHECK_BYTES = 256 * 1024
/** Chunks of content that are read and hashed in one turn of the event loop. */
const TURN_CHUNKS = 4

export interface CheckOptions {
	/** Number of bytes. */
	readonly size: number
	/** Called before so many bytes are read; what it resolves late slows the check down. */
	readonly pace?: ((bytes: number) => Promise<void>) | undefined
	/** Writes small content into the journal again. */
	readonly rewrite: (digest: Digest, bytes: Uint8Array) => Promise<void>
}

export type CheckResult =
	| { readonly kind: 'good' }
	/** It was damaged on the disk and was written again from memory. */
	| { readonly kind: 'healed'; readonly what: string }
	| { readonly kind: 'damaged'; readonly what: string }

const ALGORITHMS: readonly DigestAlgorithm[] = ['sha256', 'sha512']

/**
 * Content by digest. Small content lies in {@link Packs}; the other is one file each, named like the blobs of an OCI image
 * layout, which appears under its name whole and is flushed with its name before anything refers to it.
 *
 * A file is checked when it is first read, and again when its size, times or inode are others than then.
 * Small content is kept in memory once it was checked: what is there is not what may rot on the disk,
 * and needs no second look; {@link ContentFiles.check} looks at the file, and mends it from there.
 */
export class ContentFiles {
	readonly #directory: string
	readonly #temporary: string
	readonly #packs: Packs
	readonly #fence: Fence
	readonly #syncs = new Map<DigestAlgorithm, { readonly descriptor: number; readonly group: GroupSync }>()
	readonly #chunks = new ChunkReader()
	readonly #cache = new Map<Digest, Uint8Array>()
	#cachedBytes = 0
	/** Larger content that somebody may still have, with what would change if its file did: who reads it too gets the same. */
	readonly #shared = new Map<Digest, { readonly bytes: WeakRef<Uint8Array>; readonly identity: string }>()
	/** Files whose content was checked, with what would change if they did. */
	readonly #checked = new Map<Digest, string>()
	/** What a read found damaged, with what would change if the file did; `undefined` where it may be good again. */
	readonly #damaged = new Map<Digest, string | undefined>()

	constructor(
		directory: string,
		options: {
			readonly temporaryDirectory: string
			readonly packs: Packs
			readonly fence?: Fence | undefined
		},
	) {
		this.#directory = directory
		this.#packs = options.packs
		this.#fence = options.fence ?? UNFENCED
		this.#temporary = options.temporaryDirectory
	}

	/** Before anything is written. */
	makeDirectories(): void {
		const isNew = ALGORITHMS.map(
			(algorithm) =>
				mkdirSync(join(this.#directory, algorithm), { recursive: true, mode: 0o700 }) !== undefined,
		)
		if (isNew.includes(true)) syncDirectory(this.#directory)
	}

	/** Flushes the names of an algorithm's content. */
	#syncNames(algorithm: DigestAlgorithm): Promise<void> {
		let sync = this.#syncs.get(algorithm)
		if (!sync) {
			const descriptor = openSync(join(this.#directory, algorithm), 'r')
			sync = { descriptor, group: new GroupSync(() => flushDescriptor(descriptor, 'directory')) }
			this.#syncs.set(algorithm, sync)
		}
		return sync.group.sync()
	}

	/** The content is in the journal now, on the disk, or was found there at a start. Replaces a damaged copy. */
	add(digest: Digest, place: Place & { readonly isWhole?: boolean | undefined }): void {
		// A good copy is not replaced by a damaged one.
		if (place.isWhole === false && this.#packs.has(digest) && !this.#damaged.has(digest)) return
		this.#packs.add(digest, place)
		if (place.isWhole === false) this.#damaged.set(digest, undefined)
		else this.#damaged.delete(digest)
	}

	/** The content is in that pack, as a start has read. */
	addPacked(digest: Digest, packed: PackedAt): void {
		// Moved into a file since, with the last of that pack.
		if (!this.#packs.hasPack(packed[0]) && existsSync(this.#path(digest))) return
		this.#packs.addPacked(digest, packed)
	}

	/** Removes the file of content that lies in the journal now, where the disk lets it. */
	removeCopy(digest: Digest): void {
		try {
			this.#removeFile(digest)
		} catch (error) {
			// One copy too many harms nobody.
			if (!isSystemError(error)) throw error
		}
	}

	/** Writes content into a file, durable when the promise resolves. Replaces a damaged copy. */
	async write(digest: Digest, bytes: Uint8Array): Promise<void> {
		this.#fence.assertHeld()
		const path = this.#path(digest)
		// What has no copy yet is nobody's until the journal says so: it is written under its name, which is
		// one file less to make, rename and flush; a start removes what a crash left of it.
		const first = createFile(path)
		if (first === undefined) return await this.#replace(digest, bytes)
		try {
			try {
				writeFully(first, bytes)
			} catch (error) {
				rmSync(path, { force: true })
				throw error
			}
			this.#checked.delete(digest)
			this.#damaged.delete(digest)
			await Promise.all([flushDescriptor(first, 'file'), this.#syncNames(digestAlgorithm(digest))])
			this.#packs.remove(digest)
		} finally {
			closeSync(first)
		}
	}

	async #replace(digest: Digest, bytes: Uint8Array): Promise<void> {
		const temporary = join(this.#temporary, `${randomUUID()}.tmp`)
		const descriptor = openSync(temporary, 'wx', 0o600)
		try {
			writeFully(descriptor, bytes)
			await this.adopt(digest, { path: temporary, descriptor })
		} catch (error) {
			rmSync(temporary, { force: true })
			throw error
		} finally {
			closeSync(descriptor)
		}
	}

	/** Gives a complete file its name, durable when the promise resolves. It must lie on the same file system. */
	async adopt(digest: Digest, file: { readonly path: string; readonly descriptor: number }): Promise<void> {
		const path = this.#path(digest)
		// What has no copy yet is nobody's until the journal says so: content and name are flushed at once.
		// A copy is only replaced by content that is on disk.
		const isFirst = !existsSync(path)
		const content = flushDescriptor(file.descriptor, 'file')
		if (!isFirst) await content
		try {
			this.#checked.delete(digest)
			this.#fence.assertHeld()
			renameSync(file.path, path)
			this.#damaged.delete(digest)
		} finally {
			await Promise.all([content, this.#syncNames(digestAlgorithm(digest))])
		}
		this.#packs.remove(digest)
	}

	hasDamage(): boolean {
		return this.#damaged.size > 0
	}

	/** Whether a read found it damaged, and nobody has written it since. */
	isDamaged(digest: Digest): boolean {
		return this.#damaged.has(digest)
	}

	/** When content was written, in milliseconds since 1970; `undefined` where it is not. */
	writtenAt(digest: Digest): number | undefined {
		const found = statSync(this.#path(digest), { throwIfNoEntry: false })
		return found && Math.floor(found.mtimeMs)
	}

	/** Reads a file and checks it, whatever is remembered of it. */
	async check(digest: Digest, options: CheckOptions): Promise<CheckResult> {
		this.#checked.delete(digest)
		const cached = this.#cache.get(digest)
		const isCachedGood = cached !== undefined && digestOf(cached, digestAlgorithm(digest)) === digest
		if (!isCachedGood) this.#uncache(digest)
		const isPacked = this.#packs.has(digest)
		const read = await (isPacked
			? this.#readPackedToCheck(digest, options)
			: this.#readToCheck(digest, options))
		if (read.kind === 'good') {
			this.#damaged.delete(digest)
			if (!isPacked) this.#checked.set(digest, read.identity)
			return { kind: 'good' }
		}
		// Pushed again, or removed, while the old one was read.
		if (read.identity !== this.#identityOf(digest)) return this.check(digest, options)
		this.#damaged.set(digest, undefined)
		if (!isCachedGood) return { kind: 'damaged', what: read.what }
		await (isPacked ? options.rewrite(digest, cached) : this.write(digest, cached))
		return { kind: 'healed', what: read.what }
	}

	async #readPackedToCheck(digest: Digest, { size, pace }: CheckOptions): Promise<ToCheck> {
		await pace?.(size)
		const identity = this.#identityOf(digest) ?? ''
		try {
			const bytes = this.#packs.read(digest) ?? new Uint8Array()
			const found = digestOf(bytes, digestAlgorithm(digest))
			if (found === digest) return { kind: 'good', identity }
			return { kind: 'damaged', what: `its content has the digest ${found}`, identity }
		} catch (error) {
			return { kind: 'damaged', what: whyUnread(error), identity }
		}
	}

	async #readToCheck(digest: Digest, { size, pace }: CheckOptions): Promise<ToCheck> {
		let identity: string | undefined
		const damaged = (what: string) => ({ kind: 'damaged', what, identity }) as const
		try {
			const file = await open(this.#path(digest), 'r')
			try {
				identity = identityOf(file.fd)
				const { size: actual } = await file.stat()
				if (actual !== size) return damaged(`its file has ${actual} bytes instead of ${size}`)
				const found = await digestOfFile(file, { algorithm: digestAlgorithm(digest), size, pace })
				return found === digest ? { kind: 'good', identity } : damaged(`its content has the digest ${found}`)
			} finally {
				await file.close()
			}
		} catch (error) {
			return damaged(whyUnread(error))
		}
	}

	#identityOf(digest: Digest): string | undefined {
		const packed = this.#packs.identity(digest)
		if (packed !== undefined) return packed
		const found = statSync(this.#path(digest), { bigint: true, throwIfNoEntry: false })
		return found && identify(found)
	}

	remove(digest: Digest): void {
		this.#fence.assertHeld()
		this.#damaged.delete(digest)
		this.#uncache(digest)
		this.#packs.remove(digest)
		this.#removeFile(digest)
	}

	#removeFile(digest: Digest): void {
		this.#checked.delete(digest)
		rmSync(this.#path(digest), { force: true })
	}

	/**
	 * Reads content whole; small content from memory.
	 * @throws RemoteError `CONTENT_CORRUPT`
	 */
	read(digest: Digest, size: number): Uint8Array {
		const cached = this.#cache.get(digest)
		if (cached) return cached
		if (size > CACHED_BYTES) return this.#readShared(digest, size)
		return this.#readAnew(digest, size)
	}

	#readShared(digest: Digest, size: number): Uint8Array {
		const identity = this.#identityOf(digest)
		const shared = this.#shared.get(digest)
		const known = shared?.identity === identity ? shared?.bytes.deref() : undefined
		if (known && !this.#damaged.has(digest)) return known
		const bytes = this.#readAnew(digest, size)
		this.#shared.delete(digest)
		if (identity !== undefined) this.#shared.set(digest, { bytes: new WeakRef(bytes), identity })
		for (const oldest of this.#shared.keys()) {
			if (this.#shared.size <= MAX_SHARED) break
			this.#shared.delete(oldest)
		}
		return bytes
	}

	#readAnew(digest: Digest, size: number): Uint8Array {
		const bytes = this.#packs.has(digest) ? this.#readPacked(digest) : this.#readFile(digest, size)
		const actual = digestOf(bytes, digestAlgorithm(digest))
		if (actual !== digest) throw this.#damage(digest, `its content has the digest ${actual}`)
		this.#damaged.delete(digest)
		this.#remember(digest, bytes)
		return bytes
	}

	/** @throws RemoteError `CONTENT_CORRUPT` where a small one is damaged */
	open(digest: Digest, size: number): OpenedBlob {
		if (size <= CACHED_BYTES || this.#packs.has(digest)) {
			const bytes = this.read(digest, size)
			return { size, read: (range) => (range ? bytes.subarray(range.start, range.end + 1) : bytes) }
		}
		return { size, read: (range) => this.#stream(digest, { size, range }) }
	}

	/** Whether a registry has begun to keep content here. */
	hasDirectories(): boolean {
		return existsSync(this.#directory) || this.#packs.hasDirectory()
	}

	/** Whether there is any. */
	hasFiles(): boolean {
		if (this.#packs.hasFiles()) return true
		return ALGORITHMS.some((algorithm) => {
			const path = join(this.#directory, algorithm)
			return existsSync(path) && readdirSync(path).length > 0
		})
	}

	/** Removes all that `keep` does not name. Returns how many. */
	sweep(keep: (digest: Digest) => boolean): number {
		let removed = this.#packs.sweep(keep)
		for (const digest of this.#damaged.keys()) if (!keep(digest)) this.#damaged.delete(digest)
		for (const algorithm of ALGORITHMS) {
			for (const name of readdirSync(join(this.#directory, algorithm))) {
				if (keep(`${algorithm}:${name}` as Digest)) continue
				rmSync(join(this.#directory, algorithm, name), { force: true })
				removed++
			}
		}
		return removed
	}

	close(): void {
		this.#packs.close()
		for (const { descriptor } of this.#syncs.values()) closeSync(descriptor)
	}

	async *#stream(
		digest: Digest,
		{ size, range }: { readonly size: number; readonly range: ByteRange | undefined },
	): AsyncGenerator<Uint8Array, void, undefined> {
		const descriptor = this.#open(digest)
		const whole = (): AsyncGenerator<Uint8Array, void, undefined> =>
			verified({ mediaType: '', digest, size }, this.#chunks.read(descriptor, { start: 0, end: size - 1 }))
		let identity: string | undefined
		try {
			identity = this.#checkSize(digest, { descriptor, size })
			if (this.#damaged.get(digest) === identity) throw this.#damage(digest, 'a read found it so', identity)
			if (this.#checked.get(digest) !== identity) {
				if (range) await drain(whole())
				else yield* whole()
				this.#checked.set(digest, identity)
				if (!range) return
			}
			let held: Uint8Array | undefined
			for await (const chunk of this.#chunks.read(descriptor, range ?? { start: 0, end: size - 1 })) {
				if (held) yield held
				held = chunk
			}
			// Changed while it was read: removed or pushed again, or damaged.
			if (identityOf(descriptor) !== identity) await drain(whole())
			if (held) yield held
		} catch (error) {
			const isDamage = error instanceof RemoteError && error.code === 'CONTENT_CORRUPT'
			// Of a file that changed under the read, or a disk that fails now and then, the next read may find it good.
			const isLasting = isDamage && identity === identityOf(descriptor)
			if (isDamage || isSystemError(error, 'EIO')) this.#damaged.set(digest, isLasting ? identity : undefined)
			throw error
		} finally {
			closeSync(descriptor)
		}
	}

	/** @returns what changes when the file does */
	#checkSize(
		digest: Digest,
		{ descriptor, size }: { readonly descriptor: number; readonly size: number },
	): string {
		const found = fstatSync(descriptor, { bigint: true })
		if (found.size !== BigInt(size))
			throw this.#damage(digest, `its file has ${found.size} bytes instead of ${size}`)
		return identify(found)
	}

	#readPacked(digest: Digest): Uint8Array {
		return this.#unlessGone(digest, () => this.#packs.read(digest) ?? new Uint8Array())
	}

	#readFile(digest: Digest, size: number): Uint8Array {
		const descriptor = this.#open(digest)
		try {
			this.#checkSize(digest, { descriptor, size })
			return readFully(descriptor, { position: 0, length: size })
		} finally {
			closeSync(descriptor)
		}
	}

	#open(digest: Digest): number {
		return this.#unlessGone(digest, () => openSync(this.#path(digest), 'r'))
	}

	#unlessGone<T>(digest: Digest, look: () => T): T {
		try {
			return look()
		} catch (error) {
			if (isSystemError(error, 'ENOENT')) throw this.#damage(digest, 'its file is gone')
			throw error
		}
	}

	#path(digest: Digest): string {
		return join(this.#directory, digestAlgorithm(digest), digestHex(digest))
	}

	#damage(digest: Digest, what: string, identity?: string): RemoteError {
		this.#damaged.set(digest, identity)
		return new RemoteError('CONTENT_CORRUPT', `${digest} is damaged in the registry: ${what}`, {
			hint: 'Push the same content again: that replaces the damaged copy.',
		})
	}

	#remember(digest: Digest, bytes: Uint8Array): void {
		if (bytes.byteLength > CACHED_BYTES) return
		this.#cache.set(digest, bytes)
		this.#cachedBytes += bytes.byteLength
		for (const oldest of this.#cache.keys()) {
			if (this.#cachedBytes <= CACHE_BYTES) break
			this.#uncache(oldest)
		}
	}

	#uncache(digest: Digest): void {
		this.#cachedBytes -= this.#cache.get(digest)?.byteLength ?? 0
		this.#cache.delete(digest)
	}
}

type ToCheck =
	| { readonly kind: 'good'; readonly identity: string }
	| { readonly kind: 'damaged'; readonly what: string; readonly identity: string | undefined }

/** @throws what is no fault of the file */
function whyUnread(error: unknown): string {
	if (isSystemError(error, 'ENOENT')) return 'its file is gone'
	if (isSystemError(error, 'EIO', 'EACCES', 'EPERM')) return `its file cannot be read (${error.code})`
	throw error
}

/** @returns `undefined` where there is one */
function createFile(path: string): number | undefined {
	try {
		return openSync(path, 'wx', 0o600)
	} catch (error) {
		if (isSystemError(error, 'EEXIST')) return undefined
		throw error
	}
}

/** Reads to the end. Nothing in that waits for anything, and so others get their turn only where they are given one. */
async function drain(stream: AsyncIterable<Uint8Array>): Promise<void> {
	let chunks = 0
	for await (const _ of stream) if (++chunks % TURN_CHUNKS === 0) await othersTurn()
}

async function digestOfFile(
	file: FileHandle,
	{ algorithm, size, pace }: Pick<CheckOptions, 'size' | 'pace'> & { readonly algorithm: DigestAlgorithm },
): Promise<Digest> {
	const digester = createDigester(algorithm)
	const buffer = Buffer.allocUnsafeSlow(Math.min(CHECK_BYTES, Math.max(size, 1)))
	for (let position = 0; position < size;) {
		await pace?.(Math.min(buffer.byteLength, size - position))
		const { bytesRead } = await file.read(buffer, 0, buffer.byteLength, position)
		if (bytesRead === 0) break
		digester.update(buffer.subarray(0, bytesRead))
		position += bytesRead
	}
	return digester.digest()
}

function identityOf(descriptor: number): string {
	return identify(fstatSync(descriptor, { bigint: true }))
}

function identify({ ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
	return `${ino} ${size} ${mtimeNs} ${ctimeNs}`
}
