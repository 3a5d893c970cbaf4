import { mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { isSystemError, UserError } from '../../errors/index.ts'
import { Catalog } from './catalog.ts'
import { ContentFiles } from './content-files.ts'
import { damagedJournals, keepDamagedJournal } from './damaged-journals.ts'
import type { Fence } from './fence.ts'
import { Journal, READ_ONLY_LOG } from './journal.ts'
import { syncDirectory, syncFile } from './group-sync.ts'
import { lookInto } from './look-into.ts'
import { Packs } from './packs.ts'
import type { StoreRecord } from './record.ts'
import { type OnRecord, type Replayed, replayDescriptor, replayJournal } from './replay.ts'
import { Reserve } from './reserve.ts'
import type { RegistryStorage } from './storage.ts'
import { Uploads } from './uploads.ts'

import { FileStorage } from './file-storage.ts'

export interface CreateStorageOptions {
	/** Of one blob, in bytes. Default 10 GiB. */
	readonly maxBlobBytes?: number | undefined
	/** Uploads begun and not ended. Default 10,000. */
	readonly maxUploads?: number | undefined
	/** The journal is written anew when it has more lines than this, most of which no longer count. Default 20,000. */
	readonly compactLines?: number | undefined
	/** The same for its bytes. Default 16 MiB. */
	readonly compactBytes?: number | undefined
	/** Content up to this size lies in the journal, in bytes. Default 32 KiB. */
	readonly inlineBytes?: number | undefined
	/** Once it is lost, nothing in the directory changes any more. Default: nobody else can have it. */
	readonly fence?: Fence | undefined
	/** Milliseconds since 1970. Default: the clock. */
	readonly now?: (() => number) | undefined
	/** It is looked at: nothing in the directory changes, and no change may be asked for. Default: no. */
	readonly readOnly?: boolean | undefined
	/** Told about damage found at the start, and of a journal that cannot be written anew. */
	readonly onWarning?: ((message: string) => void) | undefined
}

const DEFAULT_COMPACT_LINES = 20_000
const DEFAULT_INLINE_BYTES = 32 * 1024
const DEFAULT_MAX_UPLOADS = 10_000
const DEFAULT_MAX_BLOB_BYTES = 10 * 1024 ** 3

/**
 * A storage in a directory:
 * - `journal`: which repository holds what, and its tags, one line a change, and small content, manifests too;
 * - `packs/NUMBER`: journals of before, for the content that lies in them;
 * - `blobs/ALGORITHM/HEX`: other content, each once, as in an OCI image layout;
 * - `reserve`: space that a full disk has for the lines that free some;
 * - `uploads/`: what is not complete yet.
 *
 * A file of content and its name are flushed before the line that refers to it, small content together with it, and that line
 * before the answer: whenever the process or the machine stops, what was answered is there, and no
 * line refers to what is not. A line that cannot be flushed is taken back. A start reads the
 * journal; nothing is repaired. A journal with damaged lines is kept as `journal.damaged-TIME` beside one
 * without them, and no content is removed for as long as it is there: they may have named it.
 *
 * One process at a time may use the directory: `serveRegistry` sees to that.
 * @throws UserError `FILE_UNWRITABLE`, `FILE_UNREADABLE` where it is only looked at, `JOURNAL_MISSING` where there is
 *   content without a journal, `NOT_FOUND` where the journal is something else
 */
export function createStorage(directory: string, options: CreateStorageOptions = {}): RegistryStorage {
	try {
		const open = (): RegistryStorage => openStorage(directory, options)
		return options.readOnly === true ? lookInto(directory, open) : open()
	} catch (error) {
		if (!isSystemError(error)) throw error
		throw new UserError('FILE_UNWRITABLE', `cannot use ${directory} for a registry: ${error.message}`, {
			hint: 'Choose another directory with --data, or mend its permissions.',
			cause: error,
		})
	}
}

function openStorage(directory: string, options: CreateStorageOptions): RegistryStorage {
	const { readOnly = false, fence } = options
	const uploadDirectory = join(directory, 'uploads')
	const journalPath = join(directory, 'journal')
	const packs = new Packs(join(directory, 'packs'), { journalPath, fence, readOnly })
	const contents = new ContentFiles(join(directory, 'blobs'), {
		temporaryDirectory: uploadDirectory,
		packs,
		fence,
	})
	const catalog = new Catalog()
	const now = options.now ?? Date.now
	const openedAt = now()
	const { lines, damaged, length, isMarked, existed } = replay({ journalPath, packs }, (record, content) => {
		if (content && 'digest' in record) contents.add(record.digest, content)
		if ('packed' in record && record.packed) contents.addPacked(record.digest, record.packed)
		catalog.apply(withTime(record, { contents, now: openedAt }))
	})
	if (existed && lines === 0 && !contents.hasDirectories() && statSync(journalPath).size > 0) {
		packs.close()
		throw new UserError('NOT_FOUND', `${journalPath} is not one of a registry`, {
			hint: 'Name another directory with --data DIR.',
		})
	}
	if (!readOnly) {
		mkdirSync(uploadDirectory, { recursive: true, mode: 0o700 })
		contents.makeDirectories()
		// What a start read, and acts upon, may have been left unflushed by a process that was killed.
		if (existed) {
			syncFile(journalPath)
			syncDirectory(directory)
		}
	}
	if (!existed && contents.hasFiles()) {
		throw new UserError('JOURNAL_MISSING', `${directory} has content and no journal that says whose it is`, {
			hint: `Put the file ${journalPath} back, such as from a backup; to begin with an empty registry, choose another directory, or remove ${join(directory, 'blobs')} and ${join(directory, 'packs')}.`,
		})
	}
	const kept = damagedJournals(directory)
	const lost = new Set(damaged > 0 ? [...kept, journalPath] : kept)
	const inlineBytes = options.inlineBytes ?? DEFAULT_INLINE_BYTES
	const uploads = new Uploads(uploadDirectory, {
		contents,
		inlineBytes,
		maxBytes: options.maxBlobBytes ?? DEFAULT_MAX_BLOB_BYTES,
		maxUploads: options.maxUploads ?? DEFAULT_MAX_UPLOADS,
		readOnly,
		fence,
		now,
	})
	if (readOnly && lost.size > 0) {
		options.onWarning?.(
			damaged > 0
				? `${damagedLines(damaged, 'the journal')}, and what was named there does not count here: start the registry once, which keeps the file as journal.damaged-TIME; until that file is moved elsewhere nothing is removed`
				: `lines of the journal were damaged, and what they named does not count here: nothing is removed while ${kept.join(', ')} is there`,
		)
	}
	const parts = { catalog, contents, packs, uploads, inlineBytes, lost, now }
	if (readOnly) return new FileStorage({ ...parts, journal: READ_ONLY_LOG })
	// What a crash left behind between naming content and writing the line that refers to it.
	if (lost.size === 0) contents.sweep((digest) => catalog.contentSize(digest) !== undefined)
	let storage: FileStorage | undefined
	const journal = new Journal(journalPath, {
		packs,
		onCompacted: () => storage?.tidy(),
		lines,
		length,
		isMarked,
		isFirst: !existed,
		fence,
		reserve: new Reserve(join(directory, 'reserve')),
		onWarning: options.onWarning,
		live: () => catalog.records(),
		...(damaged > 0 && {
			keep: () => {
				lost.add(keepDamagedJournal(directory, now()))
				lost.delete(journalPath)
			},
		}),
		compactLines: options.compactLines ?? DEFAULT_COMPACT_LINES,
		compactBytes: options.compactBytes,
	})

	if (damaged > 0) compactDamaged(journal, options.onWarning)
	if (lost.size > 0)
		options.onWarning?.(
			`${damaged > 0 ? damagedLines(damaged, journalPath) : 'lines of the journal were damaged'}: what was named there is not served, and nothing is removed while ${[...lost].join(', ')} is there`,
		)
	storage = new FileStorage({ ...parts, journal })
	return storage
}

function damagedLines(count: number, journal: string): string {
	return count === 1 ? `1 line of ${journal} is damaged` : `${count} lines of ${journal} are damaged`
}

/** One that is only looked at may be written anew meanwhile: what is read is the file that its content is read from. */
function replay(
	{ journalPath, packs }: { readonly journalPath: string; readonly packs: Packs },
	onRecord: OnRecord,
): Replayed {
	const { descriptor } = packs
	if (descriptor === undefined) return replayJournal(journalPath, onRecord)
	return { ...replayDescriptor(descriptor, onRecord), existed: true }
}

/** From then on the lines that are damaged stand in a file of their own, which whoever has mended them moves away. */
function compactDamaged(journal: Journal, onWarning: CreateStorageOptions['onWarning']): void {
	try {
		journal.compact()
	} catch (error) {
		if (!isSystemError(error)) throw error
		onWarning?.(`the journal cannot be written anew: ${error.message}`)
	}
}

/** A clock that was put back must not keep content for ever; a journal of before times were kept has those of the files. */
function withTime(
	record: StoreRecord,
	{ contents, now }: { readonly contents: ContentFiles; readonly now: number },
): StoreRecord {
	if (record.type !== 'blob' && record.type !== 'manifest')
		return 'at' in record && record.at !== undefined && record.at > now ? { ...record, at: now } : record
	const { at } = record
	if (at !== undefined && at <= now) return record
	return { ...record, at: Math.min(now, at ?? contents.writtenAt(record.digest) ?? now) }
}
