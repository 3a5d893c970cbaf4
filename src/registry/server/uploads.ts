import { randomUUID } from 'node:crypto'
import {
	closeSync,
	existsSync,
	openSync,
	readdirSync,
	readFileSync,
	rmSync,
	statSync,
	writeFileSync,
} from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import {
	createDigester,
	type Digest,
	digestAlgorithm,
	type Digester,
	digestOf,
	isRepository,
} from '../../oci/index.ts'
import { BackgroundWriter } from './background-writer.ts'
import type { BodyShare } from './body-memory.ts'
import type { ContentFiles } from './content-files.ts'
import { type Fence, UNFENCED } from './fence.ts'
import type { Upload, UploadOptions, UploadRefusal, UploadResult } from './storage.ts'

/** A body up to this size that comes in one piece never touches a temporary file, in bytes. */
const SMALL_BYTES = 1024 * 1024
/** Uploads on which nothing arrived for so long are removed, in milliseconds. */
const EXPIRY_MS = 7 * 24 * 60 * 60 * 1000
/** How often that is looked for, in milliseconds. */
const LOOK_MS = 60 * 1000
/** Where there are as many as may be, one on which nothing arrived for so long makes room, in milliseconds. */
const IDLE_MS = 60 * 1000
const ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

interface UploadState {
	readonly id: string
	readonly repository: string
	/** Milliseconds since 1970. */
	readonly startedAt: number
	/** When something last arrived, or it was begun; milliseconds since 1970. */
	activeAt: number
	size: number
	busy: boolean
	/** All of it is there: it is being made a blob, and no longer cancelled. */
	isComplete: boolean
	/** SHA-256 of what arrived; absent where that is nothing, or some of it came before the start. */
	digester: Digester | undefined
}

export interface UploadsOptions {
	readonly contents: ContentFiles
	/** Content up to this size is kept by whoever finishes the upload, in bytes. */
	readonly inlineBytes: number
	/** Of one blob, in bytes. */
	readonly maxBytes: number
	/** Begun and not ended. With more, one that nobody has sent a byte to is forgotten. */
	readonly maxUploads: number
	/** What is left of others stays. */
	readonly readOnly: boolean
	readonly fence?: Fence | undefined
	readonly now: () => number
}

type Body = AsyncIterable<Uint8Array>

/** What is stored is durable, but nobody's yet; small content is not, and handed over. */
type Finished =
	| Exclude<UploadResult, { readonly kind: 'stored' }>
	| {
			readonly kind: 'stored'
			readonly digest: Digest
			readonly size: number
			readonly content?: Uint8Array | undefined
	  }

/**
 * Uploads under way: `ID` holds the bytes, `ID.repository` whose they are. An
 * upload without bytes is only in memory.
 */
export class Uploads {
	readonly #directory: string
	readonly #options: UploadsOptions
	readonly #fence: Fence
	readonly #uploads = new Map<string, UploadState>()
	#looked = -Infinity

	constructor(directory: string, options: UploadsOptions) {
		this.#directory = directory
		this.#options = options
		this.#fence = options.fence ?? UNFENCED
		const { readOnly } = options
		const names = new Set(readOnly && !existsSync(directory) ? [] : readdirSync(directory))
		for (const name of names) {
			const ownerOf = name.replace(/\.repository$/, '')
			const isGoing = name.endsWith('.tmp') || !names.has(ownerOf) || (ID.test(name) && !this.#resume(name))
			if (isGoing && !readOnly) this.#removeFiles(ownerOf)
		}
	}

	/** @returns whether it can be gone on with */
	#resume(name: string): boolean {
		const { size, mtimeMs } = statSync(join(this.#directory, name))
		const repository = readOwner(join(this.#directory, `${name}.repository`))
		if (repository === undefined || this.#options.now() - mtimeMs > EXPIRY_MS) return false
		this.#uploads.set(name, {
			id: name,
			repository,
			// Its file of the owner was written with the first byte.
			startedAt: statSync(join(this.#directory, `${name}.repository`)).mtimeMs,
			activeAt: mtimeMs,
			size,
			busy: false,
			isComplete: false,
			digester: undefined,
		})
		return true
	}

	get count(): number {
		return this.#uploads.size
	}

	/** @see RegistryStorage.startUpload */
	start(repository: string, isWhole = false): Upload | undefined {
		const now = this.#options.now()
		this.#expire(now)
		if (!isWhole && this.#uploads.size >= this.#options.maxUploads && !this.#makeRoom(now)) return undefined
		const upload: UploadState = {
			id: randomUUID(),
			repository,
			startedAt: now,
			activeAt: now,
			size: 0,
			busy: false,
			isComplete: false,
			digester: undefined,
		}
		this.#uploads.set(upload.id, upload)
		return upload
	}

	/** When the oldest upload was begun on which something happened since then; milliseconds since 1970. */
	oldestActive(repository: string, since: number): number | undefined {
		let oldest: number | undefined
		for (const upload of this.#uploads.values()) {
			if (upload.repository !== repository || (!upload.busy && upload.activeAt < since)) continue
			oldest = Math.min(oldest ?? upload.startedAt, upload.startedAt)
		}
		return oldest
	}

	get(repository: string, id: string): Upload | undefined {
		return this.#find(repository, id)
	}

	cancel(repository: string, id: string): boolean {
		const upload = this.#find(repository, id)
		if (!upload || upload.isComplete) return false
		this.#discard(upload)
		return true
	}

	async append(
		repository: string,
		{ id, body, offset }: UploadOptions & { readonly id: string; readonly body: Body },
	): Promise<{ readonly kind: 'appended'; readonly size: number } | UploadRefusal> {
		return this.#exclusively(repository, { id, offset }, async (upload) => {
			const refusal = await this.#write(upload, { body, isLast: false })
			return refusal ?? { kind: 'appended', size: upload.size }
		})
	}

	/** Takes the last piece and checks the digest. */
	async finish(
		repository: string,
		{
			id,
			body,
			offset,
			digest,
			share,
		}: UploadOptions & {
			readonly id: string
			readonly digest: Digest
			readonly body: Body
			readonly share?: BodyShare | undefined
		},
	): Promise<Finished> {
		return this.#exclusively(repository, { id, offset }, async (upload) => {
			let rest = body
			if (upload.size === 0) {
				const start = await takeSmall(body, share)
				if (start.kind === 'whole') return this.#storeSmall(upload, { digest, bytes: start.bytes })
				rest = start.body
			}
			const refusal = await this.#write(upload, { body: rest, isLast: true })
			if (refusal) return refusal
			if (upload.size > this.#options.inlineBytes) return await this.#storeFile(upload, digest)
			try {
				const bytes = readFileSync(join(this.#directory, upload.id))
				return await this.#storeSmall(upload, { digest, bytes })
			} finally {
				this.#discard(upload)
			}
		})
	}

	async #exclusively<T>(
		repository: string,
		{ id, offset }: UploadOptions & { readonly id: string },
		use: (upload: UploadState) => Promise<T | UploadRefusal>,
	): Promise<T | UploadRefusal> {
		const upload = this.#find(repository, id)
		if (!upload) return { kind: 'unknown' }
		if (upload.busy) return { kind: 'busy' }
		if (offset !== undefined && offset !== upload.size) return { kind: 'out-of-order', size: upload.size }
		upload.busy = true
		try {
			return await use(upload)
		} finally {
			upload.busy = false
			upload.activeAt = this.#options.now()
		}
	}

	async #write(
		upload: UploadState,
		{ body, isLast }: { readonly body: Body; readonly isLast: boolean },
	): Promise<UploadRefusal | undefined> {
		let file: { readonly descriptor: number; readonly writer: BackgroundWriter } | undefined
		try {
			for await (const chunk of body) {
				this.#fence.assertHeld()
				if (upload.size + chunk.byteLength > this.#options.maxBytes) {
					this.#discard(upload)
					return { kind: 'too-large', limit: this.#options.maxBytes }
				}
				file ??= await this.#discardOnFailure(upload, () => this.#openFile(upload))
				if (upload.size === 0) upload.digester = createDigester()
				upload.size += chunk.byteLength
				upload.digester?.update(chunk)
				const full = file.writer.add(chunk)
				if (full) await this.#discardOnFailure(upload, () => full)
			}
			upload.isComplete = isLast
		} finally {
			try {
				// Also of a body that broke off: the upload goes on from there.
				await this.#discardOnFailure(upload, () => file?.writer.end())
			} finally {
				if (file) closeSync(file.descriptor)
				// Cancelled meanwhile: what was written since goes too.
				if (this.#isCancelled(upload)) this.#discard(upload)
			}
		}
		return this.#isCancelled(upload) ? { kind: 'unknown' } : undefined
	}

	#isCancelled({ id }: UploadState): boolean {
		return !this.#uploads.has(id)
	}

	/** A full disk gets its space back: the client has to start again anyway. */
	async #discardOnFailure<T>(upload: UploadState, write: () => T): Promise<Awaited<T>> {
		try {
			return await write()
		} catch (error) {
			this.#discard(upload)
			throw error
		}
	}

	#openFile(upload: UploadState): { readonly descriptor: number; readonly writer: BackgroundWriter } {
		if (upload.size === 0) writeFileSync(join(this.#directory, `${upload.id}.repository`), upload.repository)
		const descriptor = openSync(join(this.#directory, upload.id), 'a', 0o600)
		return { descriptor, writer: new BackgroundWriter(descriptor) }
	}

	async #storeSmall(
		upload: UploadState,
		{ digest, bytes }: { readonly digest: Digest; readonly bytes: Uint8Array },
	): Promise<Finished> {
		if (this.#isCancelled(upload)) return { kind: 'unknown' }
		this.#uploads.delete(upload.id)
		const actual = digestOf(bytes, digestAlgorithm(digest))
		if (actual !== digest) return { kind: 'mismatch', actual }
		const size = bytes.byteLength
		// `digest` would keep the whole request line in memory, which it is a part of.
		if (size <= this.#options.inlineBytes) return { kind: 'stored', digest: actual, size, content: bytes }
		await this.#options.contents.write(digest, bytes)
		return { kind: 'stored', digest: actual, size }
	}

	async #storeFile(upload: UploadState, digest: Digest): Promise<Finished> {
		const path = join(this.#directory, upload.id)
		try {
			const actual = await this.#digestOf(upload, digest)
			if (actual !== digest) return { kind: 'mismatch', actual }
			const descriptor = openSync(path, 'r+')
			try {
				await this.#options.contents.adopt(digest, { path, descriptor })
			} finally {
				closeSync(descriptor)
			}
			return { kind: 'stored', digest, size: upload.size }
		} finally {
			this.#discard(upload)
		}
	}

	async #digestOf(upload: UploadState, expected: Digest): Promise<Digest> {
		const algorithm = digestAlgorithm(expected)
		if (algorithm === 'sha256' && upload.digester) return upload.digester.digest()
		const path = join(this.#directory, upload.id)
		if (upload.size <= SMALL_BYTES) return digestOf(await readFile(path), algorithm)
		const digester = createDigester(algorithm)
		for await (const chunk of createReadStream(path, { highWaterMark: SMALL_BYTES })) {
			digester.update(chunk as Uint8Array)
		}
		return digester.digest()
	}

	#find(repository: string, id: string): UploadState | undefined {
		const upload = this.#uploads.get(id)
		return upload?.repository === repository ? upload : undefined
	}

	#discard(upload: UploadState): void {
		this.#uploads.delete(upload.id)
		if (upload.size > 0 || upload.busy) this.#removeFiles(upload.id)
	}

	#removeFiles(name: string): void {
		// Whoever has the directory now may go on with it.
		if (!this.#fence.isHeld()) return
		rmSync(join(this.#directory, name), { force: true })
		rmSync(join(this.#directory, `${name}.repository`), { force: true })
	}

	#expire(now: number): void {
		if (now - this.#looked < LOOK_MS) return
		this.#looked = now
		for (const upload of this.#uploads.values())
			if (!upload.busy && now - upload.activeAt > EXPIRY_MS) this.#discard(upload)
	}

	/** Lets go of an upload without bytes, else of the one that has been idle longest. @returns whether there was one */
	#makeRoom(now: number): boolean {
		let idlest: UploadState | undefined
		for (const upload of this.#uploads.values()) {
			if (upload.busy) continue
			if (upload.size === 0) {
				this.#uploads.delete(upload.id)
				return true
			}
			if (idlest === undefined || upload.activeAt < idlest.activeAt) idlest = upload
		}
		if (idlest === undefined || now - idlest.activeAt < IDLE_MS) return false
		this.#discard(idlest)
		return true
	}
}

type Start =
	| { readonly kind: 'whole'; readonly bytes: Uint8Array }
	/** More than fits: the same body, from its start. */
	| { readonly kind: 'more'; readonly body: Body }

async function takeSmall(body: Body, share: BodyShare | undefined): Promise<Start> {
	const iterator = body[Symbol.asyncIterator]()
	const taken: Uint8Array[] = []
	let size = 0
	let mayHold = true
	while (size <= SMALL_BYTES && mayHold) {
		const next = await iterator.next()
		if (next.done === true) return { kind: 'whole', bytes: Buffer.concat(taken) }
		taken.push(next.value)
		size += next.value.byteLength
		mayHold = share?.hold(next.value.byteLength) !== false
	}
	return { kind: 'more', body: again(taken, { rest: iterator, share }) }
}

async function* again(
	taken: Uint8Array[],
	{ rest, share }: { readonly rest: AsyncIterator<Uint8Array>; readonly share: BodyShare | undefined },
): AsyncGenerator<Uint8Array, void, undefined> {
	try {
		for (let chunk = taken.shift(); chunk; chunk = taken.shift()) yield chunk
		share?.release()
		for (;;) {
			const next = await rest.next()
			if (next.done === true) return
			yield next.value
		}
	} finally {
		await rest.return?.()
	}
}

function readOwner(path: string): string | undefined {
	try {
		const text = readFileSync(path, 'utf8')
		return isRepository(text) ? text : undefined
	} catch {
		return undefined
	}
}
