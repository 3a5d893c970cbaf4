import { close, closeSync, fstatSync, fsyncSync, ftruncateSync, openSync, renameSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { InternalError, isSystemError } from '../../errors/index.ts'
import { type Fence, UNFENCED } from './fence.ts'
import { flushDescriptor, GroupSync, syncDirectory } from './group-sync.ts'
import type { Packs } from './packs.ts'
import {
	type ContentRecord,
	formatContent,
	formatRecord,
	MARK,
	type Place,
	type StoreRecord,
} from './record.ts'
import type { Reserve } from './reserve.ts'
import { writeFully } from './write-fully.ts'

/** Lines whose length stands for that of all. */
const SAMPLE_LINES = 1000
/** A journal is written anew when it has so many times the lines, or the bytes, that still count. */
const COMPACT_FACTOR = 3
/** The same for its bytes: few lines may be long ones. */
const DEFAULT_COMPACT_BYTES = 16 * 1024 * 1024

/** Records after which there is more space than before. */
const FREEING: ReadonlySet<StoreRecord['type']> = new Set<StoreRecord['type']>([
	'removed',
	'blob-deleted',
	'manifest-deleted',
	'tag-deleted',
])

/** What a storage needs of a journal. */
export type RecordLog = Pick<Journal, 'append' | 'appendContent' | 'close' | 'isUncertain'>

/** That of a storage which is only looked at: nothing is added, and no content is removed. */
export const READ_ONLY_LOG: RecordLog = {
	isUncertain: true,
	append: () => refuseChange(),
	appendContent: () => refuseChange(),
	close: () => Promise.resolve(),
}

function refuseChange(): Promise<never> {
	return Promise.reject(new InternalError('a change of a storage that is only looked at'))
}

export interface JournalOptions {
	/** Number of lines the file has. */
	readonly lines: number
	/** How much of the file counts, in bytes. What is behind that goes. */
	readonly length: number
	/** The shortest list of records that leads to the same state. */
	readonly live: () => Iterable<StoreRecord>
	/** Who has the content that lies in it. */
	readonly packs: Packs
	/** It was written anew: there may be space to free. */
	readonly onCompacted?: (() => void) | undefined
	/** Lines that are damaged: it is not written anew before `keep` has made sure that they are not lost. */
	readonly keep?: (() => void) | undefined
	/** Without it nothing else can have the file. */
	readonly fence?: Fence | undefined
	/** For the records that free space. */
	readonly reserve?: Reserve | undefined
	readonly onWarning?: ((message: string) => void) | undefined
	/** It ends with a mark. Default: yes. */
	readonly isMarked?: boolean | undefined
	/** There was none. */
	readonly isFirst?: boolean | undefined
	/** With fewer lines it is never written anew. */
	readonly compactLines: number
	/** Nor with fewer bytes, unless it has too many lines. Default 16 MiB. */
	readonly compactBytes?: number | undefined
}

/**
 * An append-only file of records. An append is durable when its promise resolves;
 * appends that come while a flush is running share the next one.
 */
export class Journal {
	readonly #path: string
	readonly #live: () => Iterable<StoreRecord>
	readonly #packs: Packs
	readonly #onCompacted: (() => void) | undefined
	readonly #sync: GroupSync
	readonly #fence: Fence
	readonly #reserve: Reserve | undefined
	readonly #onWarning: ((message: string) => void) | undefined
	#keep: (() => void) | undefined
	readonly #compactLines: number
	readonly #compactBytes: number
	#descriptor: number
	#lines: number
	#compactAt: { lines: number; bytes: number }
	/** Since it was opened. */
	#isMeasured = false
	/** What is durable, in bytes. */
	#length: number
	/** There may be more in the file: of an append that failed, or that a crash cut short. */
	#isUncertain: boolean
	/** The file is new under its name, and that is not flushed. */
	#isNew = true
	/** The file may end without a newline. */
	#isOpenLine = true
	#pending: Append[] = []

	constructor(path: string, options: JournalOptions) {
		this.#path = path
		this.#live = options.live
		this.#packs = options.packs
		this.#onCompacted = options.onCompacted
		this.#keep = options.keep
		this.#fence = options.fence ?? UNFENCED
		this.#reserve = options.reserve
		this.#onWarning = options.onWarning
		this.#lines = options.lines
		this.#compactLines = options.compactLines
		this.#compactBytes = options.compactBytes ?? DEFAULT_COMPACT_BYTES
		this.#compactAt = { lines: this.#compactLines, bytes: this.#compactBytes }
		this.#sync = new GroupSync(() => this.#flush())
		this.#descriptor = openSync(path, 'a', 0o600)
		this.#length = options.length
		this.#isUncertain = fstatSync(this.#descriptor).size !== options.length
		// Before any content: content without a journal is not touched. Nor is a first line that was torn taken for damage.
		if (options.isFirst === true) {
			this.#mark()
			fsyncSync(this.#descriptor)
			syncDirectory(dirname(path))
		}
		if (options.isMarked === false && !this.isUncertain) this.#mark()
	}

	/** Whether a start might read what was never acknowledged here: an append failed and could not be taken back yet, or others write. */
	get isUncertain(): boolean {
		return this.#isUncertain || !this.#fence.isHeld()
	}

	/**
	 * @param onDurable is called in the order of the appends, before the promise resolves
	 * @throws what the disk says; the record is taken back then, before anything else is acknowledged
	 */
	append(record: StoreRecord, onDurable: () => void, options: AppendOptions = {}): Promise<void> {
		const applied = options.applied === true
		const frees = FREEING.has(record.type)
		return this.#add({ text: formatRecord(record), onDurable, applied, frees, isOptional: false })
	}

	/** The same for a record whose content shall be kept with it: `onDurable` is told where it lies. */
	appendContent(
		record: ContentRecord,
		content: Uint8Array,
		onDurable: (place: Place) => void,
	): Promise<void> {
		const { text, place } = formatContent(record, content)
		const onDurableAt = (offset: number): void =>
			onDurable({ offset: offset + place.offset, length: place.length })
		const isOptional = record.type === 'content'
		return this.#add({ text, onDurable: onDurableAt, applied: false, frees: false, isOptional })
	}

	#add({
		text,
		onDurable,
		applied,
		frees,
		isOptional,
	}: Omit<Append, 'resolve' | 'reject' | 'offset'>): Promise<void> {
		return new Promise((resolve, reject) => {
			this.#pending.push({ text, onDurable, applied, frees, isOptional, resolve, reject, offset: 0 })
			// Every waiter is told of a failure by its own `reject`.
			void this.#sync.sync()
		})
	}

	/** Replaces the file by one that holds only what counts, in one step. Not while an append is under way. */
	compact(): void {
		this.#fence.assertHeld()
		this.#keep?.()
		this.#keep = undefined
		const temporary = `${this.#path}.tmp`
		const retirement = this.#packs.retire(this.#length)
		let written: { readonly lines: number; readonly bytes: number }
		let descriptor: number | undefined
		try {
			written = writeRecords(temporary, this.#packs.located(this.#live()))
			descriptor = openSync(temporary, 'a', 0o600)
			this.#fence.assertHeld()
			renameSync(temporary, this.#path)
		} catch (error) {
			if (descriptor !== undefined) closeSync(descriptor)
			retirement.undo()
			if (this.#fence.isHeld()) rmSync(temporary, { force: true })
			throw error
		}
		// From here on nothing may fail: the new file is the journal.
		retirement.done()
		const old = this.#descriptor
		this.#descriptor = descriptor
		this.#lines = written.lines
		this.#length = written.bytes
		this.#isMeasured = true
		this.#expect(written)
		this.#isNew = true
		this.#isUncertain = false
		this.#isOpenLine = false
		close(old, () => undefined)
		this.#onCompacted?.()
	}

	async #flush(): Promise<void> {
		const batch = this.#pending
		if (batch.length === 0) return
		this.#pending = []
		// What is applied before it is durable may be taken back: no file is made of that.
		if (!batch.some(({ applied }) => applied)) this.#compactWhenDue()
		for (const { onDurable, resolve, offset } of await this.#written(batch)) {
			onDurable(offset)
			resolve()
		}
		if (this.#fence.isHeld()) this.#reserve?.restore()
	}

	/** Those of the appends that are in the file; the others are told why not. */
	async #written(batch: readonly Append[]): Promise<readonly Append[]> {
		try {
			await this.#write(batch)
			return batch
		} catch (error) {
			const isFull = isSystemError(error, 'ENOSPC', 'EDQUOT')
			const needed = batch.filter(({ isOptional }) => !isOptional)
			if (isFull && needed.length > 0 && needed.length < batch.length) {
				for (const append of batch) if (append.isOptional) append.reject(error)
				return await this.#written(needed)
			}
			const freeing = isFull ? batch.filter(({ frees }) => frees) : []
			const isAgain = freeing.length > 0 && this.#fence.isHeld() && this.#reserve?.release() === true
			for (const append of batch) if (!isAgain || !append.frees) append.reject(error)
			return isAgain ? await this.#written(freeing) : []
		}
	}

	/** What counts is in the old file too, so a failure is no reason to refuse what still fits into it. */
	#compactWhenDue(): void {
		if (!this.#fence.isHeld() || !this.#isDue()) return
		if (!this.#isMeasured) this.#measure()
		if (!this.#isDue()) return
		try {
			this.compact()
		} catch (error) {
			const why = error instanceof Error ? error.message : String(error)
			this.#compactAt = { lines: this.#lines + this.#compactLines, bytes: this.#length + this.#compactBytes }
			this.#onWarning?.(
				`${this.#path} cannot be written anew and grows: ${why}; make room for a second one beside it`,
			)
		}
	}

	#isDue(): boolean {
		return this.#lines > this.#compactAt.lines || this.#length > this.#compactAt.bytes
	}

	/** How long it would be if it were written anew, without doing that. */
	#measure(): void {
		this.#isMeasured = true
		let lines = 0
		let sample = 0
		for (const record of this.#live()) {
			lines++
			if (lines <= SAMPLE_LINES) sample += Buffer.byteLength(formatRecord(record))
		}
		this.#expect({ lines, bytes: (sample / Math.max(1, Math.min(lines, SAMPLE_LINES))) * lines })
	}

	#expect({ lines, bytes }: { readonly lines: number; readonly bytes: number }): void {
		this.#compactAt = {
			lines: Math.max(this.#compactLines, lines * COMPACT_FACTOR),
			bytes: Math.max(this.#compactBytes, bytes * COMPACT_FACTOR),
		}
	}

	async #write(batch: readonly Append[]): Promise<void> {
		this.#fence.assertHeld()
		try {
			this.#settle()
			let text = this.#isOpenLine ? '\n' : ''
			let offset = this.#length + text.length
			for (const append of batch) {
				append.offset = offset
				text += append.text
				offset += Buffer.byteLength(append.text)
			}
			writeFully(this.#descriptor, Buffer.from(text))
			await flushDescriptor(this.#descriptor, 'file')
			this.#length = offset
			this.#isOpenLine = false
			// Whoever has the directory now may be writing.
			if (this.#fence.isHeld()) this.#mark()
			this.#lines += batch.length
		} catch (error) {
			this.#isUncertain = true
			this.#takeBack()
			throw error
		}
		// Whoever has the directory now may have read it before.
		this.#fence.assertHeld()
	}

	/** The file is flushed, and says so from now on. Where that fails, it does after the next append. */
	#mark(): void {
		const text = Buffer.from(`${this.#isOpenLine ? '\n' : ''}${MARK}\n`)
		try {
			writeFully(this.#descriptor, text)
			this.#length += text.byteLength
			this.#isOpenLine = false
		} catch {
			this.#isUncertain = true
		}
	}

	/** Makes the file what was acknowledged, under its name. Nothing is acknowledged before. */
	#settle(): void {
		this.#fence.assertHeld()
		if (this.#isNew) syncDirectory(dirname(this.#path))
		this.#isNew = false
		if (!this.#isUncertain) return
		ftruncateSync(this.#descriptor, this.#length)
		fsyncSync(this.#descriptor)
		this.#isUncertain = false
	}

	/** After a failure. What cannot be taken back now is before the next append. */
	#takeBack(): void {
		try {
			this.#settle()
		} catch {
			// The disk has said what is wrong with it already.
		}
	}

	async close(): Promise<void> {
		await this.#sync.sync()
		closeSync(this.#descriptor)
	}
}

export interface AppendOptions {
	/** What `live` gives has the change already. */
	readonly applied?: boolean | undefined
}

interface Append {
	readonly text: string
	/** Of `text` in the file once it is written, in bytes. */
	offset: number
	readonly onDurable: (offset: number) => void
	readonly resolve: () => void
	readonly reject: (error: unknown) => void
	readonly applied: boolean
	readonly frees: boolean
	/** On a full disk it does without, for the others. */
	readonly isOptional: boolean
}

/** Writes a flushed file of records. What is left of it when it fails is the caller's. */
function writeRecords(
	path: string,
	records: Iterable<StoreRecord>,
): { readonly lines: number; readonly bytes: number } {
	const descriptor = openSync(path, 'w', 0o600)
	let lines = 0
	let bytes = 0
	const write = (text: string): void => {
		const encoded = Buffer.from(text)
		writeFully(descriptor, encoded)
		bytes += encoded.byteLength
	}
	try {
		let text = ''
		for (const record of records) {
			text += formatRecord(record)
			lines++
			if (text.length < 1024 * 1024) continue
			write(text)
			text = ''
		}
		write(`${text}${MARK}\n`)
		fsyncSync(descriptor)
	} finally {
		closeSync(descriptor)
	}
	return { lines, bytes }
}
