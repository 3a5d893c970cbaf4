import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { isSystemError, UserError } from '../../errors/index.ts'
import type { Digest } from '../../oci/index.ts'
import { Catalog } from './catalog.ts'
import { ContentFiles } from './content-files.ts'
import { Journal, replayJournal } from './journal.ts'
import type { StoreRecord } from './record.ts'
import type { RegistryStorage } from './storage.ts'
import { Uploads } from './uploads.ts'

export interface CreateStorageOptions {
	/** Of one blob, in bytes. Default 10 GiB. */
	readonly maxBlobBytes?: number | undefined
	/** Uploads begun and not ended. Default 10,000. */
	readonly maxUploads?: number | undefined
	/** The journal is written anew when it has more lines than this, most of which no longer count. Default 20,000. */
	readonly compactLines?: number | undefined
	/** Milliseconds since 1970. Default: the clock. */
	readonly now?: (() => number) | undefined
	/** Told about damage found at the start. */
	readonly onWarning?: ((message: string) => void) | undefined
}

const DEFAULT_COMPACT_LINES = 20_000
const DEFAULT_MAX_UPLOADS = 10_000
const DEFAULT_MAX_BLOB_BYTES = 10 * 1024 ** 3

/**
 * A storage in a directory:
 * - `blobs/ALGORITHM/HEX`: content, manifests too, each once, as in an OCI image layout;
 * - `journal`: which repository holds what, and its tags, one line a change;
 * - `uploads/`: what is not complete yet.
 *
 * Content is flushed before it gets its name, its name before the line that refers to
 * it, and that line before the answer: whenever the process or the machine stops, what
 * was answered is there, and no line refers to what is not. A start reads the journal;
 * nothing is repaired.
 *
 * One process at a time may use the directory: `serveRegistry` sees to that.
 * @throws UserError `FILE_UNWRITABLE`
 */
export function createStorage(directory: string, options: CreateStorageOptions = {}): RegistryStorage {
	try {
		return openStorage(directory, options)
	} catch (error) {
		if (!isSystemError(error)) throw error
		throw new UserError('FILE_UNWRITABLE', `cannot use ${directory} for a registry: ${error.message}`, {
			hint: 'Choose another directory with --data, or mend its permissions.',
			cause: error,
		})
	}
}

function openStorage(directory: string, options: CreateStorageOptions): RegistryStorage {
	const uploadDirectory = join(directory, 'uploads')
	const journalPath = join(directory, 'journal')
	mkdirSync(uploadDirectory, { recursive: true, mode: 0o700 })
	const contents = new ContentFiles(join(directory, 'blobs'), { temporaryDirectory: uploadDirectory })

	const catalog = new Catalog()
	const { records, damaged, existed } = replayJournal(journalPath)
	for (const record of records) catalog.apply(record)
	if (damaged > 0) {
		options.onWarning?.(`${damaged} lines of ${journalPath} are damaged: what they named is not served`)
	} else if (existed) {
		// What a crash left behind between naming content and writing the line that refers to it.
		contents.sweep((digest) => catalog.contentSize(digest) !== undefined)
	}
	const journal = new Journal(journalPath, {
		lines: records.length,
		live: () => catalog.records(),
		compactLines: options.compactLines ?? DEFAULT_COMPACT_LINES,
	})

	const uploads = new Uploads(uploadDirectory, {
		contents,
		maxBytes: options.maxBlobBytes ?? DEFAULT_MAX_BLOB_BYTES,
		maxUploads: options.maxUploads ?? DEFAULT_MAX_UPLOADS,
		now: options.now ?? Date.now,
	})
	return new FileStorage({ catalog, contents, journal, uploads })
}

interface Parts {
	readonly catalog: Catalog
	readonly contents: ContentFiles
	readonly journal: Journal
	readonly uploads: Uploads
}

class FileStorage implements RegistryStorage {
	readonly #catalog: Catalog
	readonly #contents: ContentFiles
	readonly #journal: Journal
	readonly #uploads: Uploads
	/** Content on its way into the catalog, by how many: it must not be removed meanwhile. */
	readonly #held = new Map<Digest, number>()
	readonly #changes = new Set<Promise<unknown>>()

	constructor({ catalog, contents, journal, uploads }: Parts) {
		this.#catalog = catalog
		this.#contents = contents
		this.#journal = journal
		this.#uploads = uploads
	}

	hasRepository: RegistryStorage['hasRepository'] = (repository) => this.#catalog.has(repository)
	repositories: RegistryStorage['repositories'] = () => this.#catalog.names()
	resolveTag: RegistryStorage['resolveTag'] = (repository, tag) => this.#catalog.tag(repository, tag)
	listTags: RegistryStorage['listTags'] = (repository, options) => this.#catalog.tags(repository, options)
	manifest: RegistryStorage['manifest'] = (repository, digest) => this.#catalog.manifest(repository, digest)
	referrers: RegistryStorage['referrers'] = (repository, subject) =>
		this.#catalog.referrers(repository, subject)
	blobSize: RegistryStorage['blobSize'] = (repository, digest) => this.#catalog.blobSize(repository, digest)
	isDamaged: RegistryStorage['isDamaged'] = (digest) => this.#contents.isDamaged(digest)
	statistics: RegistryStorage['statistics'] = () => this.#catalog.statistics()

	readManifest: RegistryStorage['readManifest'] = (repository, digest) => {
		const manifest = this.#catalog.manifest(repository, digest)
		return manifest && this.#contents.read(digest, manifest.size)
	}

	putManifest: RegistryStorage['putManifest'] = (repository, { manifest, bytes, tags }) => {
		const { digest } = manifest
		return this.#holding(digest, async () => {
			// Also where it is known: pushing again replaces a damaged copy.
			await this.#contents.write(digest, bytes)
			await this.#commit({ type: 'manifest', repository, ...manifest, tags })
		})
	}

	deleteManifest: RegistryStorage['deleteManifest'] = async (repository, digest) => {
		if (!this.#catalog.manifest(repository, digest)) return false
		await this.#holding(digest, () => this.#commit({ type: 'manifest-deleted', repository, digest }))
		return true
	}

	deleteTag: RegistryStorage['deleteTag'] = async (repository, tag) => {
		if (this.#catalog.tag(repository, tag) === undefined) return false
		await this.#track(this.#commit({ type: 'tag-deleted', repository, tag }))
		return true
	}

	openBlob: RegistryStorage['openBlob'] = (repository, digest) => {
		const size = this.#catalog.blobSize(repository, digest)
		return size === undefined ? undefined : this.#contents.open(digest, size)
	}

	mountBlob: RegistryStorage['mountBlob'] = async (repository, { digest, from }) => {
		if (this.#catalog.blobSize(repository, digest) !== undefined) return true
		const size = from === undefined ? this.#catalog.contentSize(digest) : this.#catalog.blobSize(from, digest)
		if (size === undefined) return false
		await this.#holding(digest, () => this.#commit({ type: 'blob', repository, digest, size }))
		return true
	}

	deleteBlob: RegistryStorage['deleteBlob'] = async (repository, digest) => {
		if (this.#catalog.blobSize(repository, digest) === undefined) return false
		await this.#holding(digest, () => this.#commit({ type: 'blob-deleted', repository, digest }))
		return true
	}

	startUpload: RegistryStorage['startUpload'] = (repository) => this.#uploads.start(repository)
	upload: RegistryStorage['upload'] = (repository, id) => this.#uploads.get(repository, id)
	uploadCount: RegistryStorage['uploadCount'] = () => this.#uploads.count
	cancelUpload: RegistryStorage['cancelUpload'] = (repository, id) => this.#uploads.cancel(repository, id)
	appendUpload: RegistryStorage['appendUpload'] = (repository, options) =>
		this.#track(this.#uploads.append(repository, options))

	finishUpload: RegistryStorage['finishUpload'] = (repository, options) =>
		this.#holding(options.digest, async () => {
			const result = await this.#uploads.finish(repository, options)
			if (result.kind === 'stored') {
				const { digest, size } = result
				await this.#commit({ type: 'blob', repository, digest, size })
			}
			return result
		})

	close: RegistryStorage['close'] = async () => {
		await Promise.allSettled(this.#changes)
		await this.#journal.close()
		this.#contents.close()
	}

	#commit(record: StoreRecord): Promise<void> {
		return this.#journal.append(record, () => this.#catalog.apply(record))
	}

	/** Runs a change of content, and removes the content afterwards if nobody refers to it. */
	#holding<T>(digest: Digest, change: () => Promise<T>): Promise<T> {
		const run = async (): Promise<T> => {
			this.#held.set(digest, (this.#held.get(digest) ?? 0) + 1)
			try {
				return await change()
			} finally {
				const left = (this.#held.get(digest) ?? 1) - 1
				if (left > 0) this.#held.set(digest, left)
				else {
					this.#held.delete(digest)
					if (this.#catalog.contentSize(digest) === undefined) this.#contents.remove(digest)
				}
			}
		}
		return this.#track(run())
	}

	#track<T>(change: Promise<T>): Promise<T> {
		this.#changes.add(change)
		void change.catch(() => undefined).finally(() => this.#changes.delete(change))
		return change
	}
}
