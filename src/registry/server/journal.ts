import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { isSystemError } from '../../errors/index.ts'
import { flushDescriptor, GroupSync } from './group-sync.ts'
import { formatRecord, parseRecord, type StoreRecord } from './record.ts'

export interface Replayed {
	readonly records: readonly StoreRecord[]
	/** Lines that are damaged. One torn last line is what a crash leaves, and not counted. */
	readonly damaged: number
	/** There was a journal. */
	readonly existed: boolean
}

/** Reads the journal at `path`, up to its last whole line. */
export function replayJournal(path: string): Replayed {
	let text: string
	try {
		text = readFileSync(path, 'utf8')
	} catch (error) {
		if (isSystemError(error, 'ENOENT')) return { records: [], damaged: 0, existed: false }
		throw error
	}
	const records: StoreRecord[] = []
	let damaged = 0
	const lines = text.split('\n')
	const torn = lines.pop()
	for (const line of lines) {
		// A line torn by a crash or a full disk is closed by the next append.
		if (line === '') continue
		const record = parseRecord(line)
		if (record) records.push(record)
		else damaged++
	}
	const last = torn === undefined || torn === '' ? undefined : parseRecord(torn)
	if (last) records.push(last)
	return { records, damaged, existed: true }
}

/** A journal is written anew when it has so many times the lines that still count. */
const COMPACT_FACTOR = 3

export interface JournalOptions {
	/** Number of lines the file has. */
	readonly lines: number
	/** The shortest list of records that leads to the same state. */
	readonly live: () => Iterable<StoreRecord>
	/** With fewer lines it is never written anew. */
	readonly compactLines: number
}

/**
 * An append-only file of records. An append is durable when its promise resolves;
 * appends that come while a flush is running share the next one.
 */
export class Journal {
	readonly #path: string
	readonly #live: () => Iterable<StoreRecord>
	readonly #sync: GroupSync
	readonly #compactLines: number
	#descriptor: number
	#lines: number
	#compactAt: number
	/** The last write may have stopped in the middle of a line. */
	#torn = true
	#pending: Append[] = []

	constructor(path: string, options: JournalOptions) {
		this.#path = path
		this.#live = options.live
		this.#lines = options.lines
		this.#compactLines = options.compactLines
		this.#compactAt = options.compactLines
		this.#sync = new GroupSync(() => this.#flush())
		this.#descriptor = openSync(path, 'a', 0o600)
	}

	/**
	 * @param onDurable is called in the order of the appends, before the promise resolves
	 * @throws what the disk says; the record may then be there or not after a restart
	 */
	append(record: StoreRecord, onDurable: () => void, options: AppendOptions = {}): Promise<void> {
		return new Promise((resolve, reject) => {
			const applied = options.applied === true
			this.#pending.push({ text: formatRecord(record), onDurable, resolve, reject, applied })
			// Every waiter is told of a failure by its own `reject`.
			void this.#sync.sync()
		})
	}

	/** Replaces the file by one that holds only what counts, in one step. Not while an append is under way. */
	compact(): void {
		const temporary = `${this.#path}.tmp`
		const lines = writeRecords(temporary, this.#live())
		renameSync(temporary, this.#path)
		syncDirectory(dirname(this.#path))
		closeSync(this.#descriptor)
		this.#descriptor = openSync(this.#path, 'a', 0o600)
		this.#lines = lines
		this.#compactAt = Math.max(this.#compactLines, lines * COMPACT_FACTOR)
		this.#torn = false
	}

	async #flush(): Promise<void> {
		const batch = this.#pending
		this.#pending = []
		try {
			// What is applied before it is durable may be taken back: no file is made of that.
			if (this.#lines > this.#compactAt && !batch.some(({ applied }) => applied)) this.compact()
			const text = (this.#torn ? '\n' : '') + batch.map((append) => append.text).join('')
			this.#torn = true
			writeFully(this.#descriptor, text)
			this.#torn = false
			this.#lines += batch.length
			await flushDescriptor(this.#descriptor, 'file')
		} catch (error) {
			for (const { reject } of batch) reject(error)
			return
		}
		for (const { onDurable, resolve } of batch) {
			onDurable()
			resolve()
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
	readonly onDurable: () => void
	readonly resolve: () => void
	readonly reject: (error: unknown) => void
	readonly applied: boolean
}

/** Writes a flushed file of records; leaves none when it fails. Returns the number of lines. */
function writeRecords(path: string, records: Iterable<StoreRecord>): number {
	const descriptor = openSync(path, 'w', 0o600)
	let lines = 0
	try {
		let text = ''
		for (const record of records) {
			text += formatRecord(record)
			lines++
			if (text.length < 1024 * 1024) continue
			writeFully(descriptor, text)
			text = ''
		}
		writeFully(descriptor, text)
		fsyncSync(descriptor)
	} catch (error) {
		rmSync(path, { force: true })
		throw error
	} finally {
		closeSync(descriptor)
	}
	return lines
}

function writeFully(descriptor: number, text: string): void {
	const bytes = Buffer.from(text)
	let written = 0
	while (written < bytes.byteLength) written += writeSync(descriptor, bytes, written)
}

function syncDirectory(path: string): void {
	if (process.platform === 'win32') return
	const descriptor = openSync(path, 'r')
	try {
		fsyncSync(descriptor)
	} finally {
		closeSync(descriptor)
	}
}
