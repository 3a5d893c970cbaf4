import { closeSync, openSync, readSync } from 'node:fs'
import { isSystemError } from '../../errors/index.ts'
import {
	CHECKSUM_LENGTH,
	type ContentRecord,
	isWholeLine,
	MARK,
	parseRecord,
	type Place,
	type StoreRecord,
} from './record.ts'

export interface Replayed {
	/** Number of records. */
	readonly lines: number
	/** Lines that are damaged. One torn last line is what a crash leaves, and not counted; nor is content, which has its digest. */
	readonly damaged: number
	/** Up to the torn last line, or the record whose content is torn, in bytes. */
	readonly length: number
	/** It ends with a line that says that all before it was flushed. */
	readonly isMarked: boolean
	/** There was a journal. */
	readonly existed: boolean
}

/** What is read of a journal at once, in bytes. */
const CHUNK_BYTES = 1024 * 1024
/** Of one line; the text of a longer one could not be held. */
const MAX_LINE_BYTES = 256 * 1024 * 1024
const NEWLINE = 10

/** Where the content of a record is. */
interface InlineContent extends Place {
	/** What is there is what was written. */
	readonly isWhole: boolean
}

export type OnRecord = (record: StoreRecord, content: InlineContent | undefined) => void

/** Reads the journal at `path`, up to its last whole line, and hands out one record after the other. */
export function replayJournal(path: string, onRecord: OnRecord): Replayed {
	let descriptor: number
	try {
		descriptor = openSync(path, 'r')
	} catch (error) {
		if (isSystemError(error, 'ENOENT'))
			return { lines: 0, damaged: 0, length: 0, isMarked: true, existed: false }
		throw error
	}
	try {
		return { ...replayDescriptor(descriptor, onRecord), existed: true }
	} finally {
		closeSync(descriptor)
	}
}

/** The same of a journal that is open. */
export function replayDescriptor(descriptor: number, onRecord: OnRecord): Omit<Replayed, 'existed'> {
	let lines = 0
	let damaged = 0
	let length = 0
	/** Its content is the next line. */
	let before: (ContentRecord & { readonly inline: number }) | undefined
	let isMarked = false
	let hasMarks = false
	/** What lines do from one on that is not whole: nothing, unless they were flushed. */
	let unsure: (() => void)[] | undefined
	const settle = (effect: () => void): void => {
		if (unsure) unsure.push(effect)
		else effect()
	}
	const lose = (): void => {
		// A journal of before has no marks: what is damaged of it may have been acknowledged.
		if (hasMarks) unsure ??= []
		settle(() => damaged++)
	}
	const take = (record: StoreRecord, content?: InlineContent): void => {
		if (content?.isWhole === false) unsure ??= []
		settle(() => {
			onRecord(record, content)
			lines++
		})
	}
	for (const line of linesOf(descriptor)) {
		const { text, start, end, isOpen } = line
		if (before) {
			const isWhole = text !== undefined && isWholeLine(text)
			const isLong = line.bytes === CHECKSUM_LENGTH + before.inline
			if (isOpen && !(isWhole && isLong)) break
			// A line lost its end, or has one too many: there is more than this content that is damaged.
			take(before, { offset: start + CHECKSUM_LENGTH, length: before.inline, isWhole: isWhole && isLong })
			if (!isLong) lose()
			before = undefined
		} else if (text === MARK && !isOpen) {
			for (const effect of unsure ?? []) effect()
			unsure = undefined
			hasMarks = true
		} else if (text !== '') {
			const record = text === undefined ? undefined : parseRecord(text)
			if (record && hasContent(record)) {
				before = record
				continue
			}
			if (record) take(record)
			else if (isOpen) break
			else lose()
		}
		if (unsure) continue
		length = end
		isMarked = text === MARK
	}
	return { lines, damaged, length, isMarked }
}

function hasContent(record: StoreRecord): record is ContentRecord & { readonly inline: number } {
	return 'inline' in record && record.inline !== undefined
}

interface WholeLine {
	/** `undefined`: it is too long. */
	readonly text: string | undefined
	/** Where it begins, in bytes. */
	readonly start: number
	/** Without its newline. */
	readonly bytes: number
	/** Where the next one begins, in bytes. */
	readonly end: number
	/** The file ends in it, without a newline. */
	readonly isOpen: boolean
}

/** One chunk of the file, and one line, are in memory at a time. */
function* linesOf(descriptor: number): Generator<WholeLine, void, undefined> {
	const chunk = Buffer.allocUnsafe(CHUNK_BYTES)
	let parts: Buffer[] = []
	let held = 0
	let start = 0
	let end = 0
	const hold = (bytes: Buffer): void => {
		held += bytes.byteLength
		end += bytes.byteLength
		if (held <= MAX_LINE_BYTES) parts.push(bytes)
		else parts = []
	}
	const line = (isOpen: boolean): WholeLine => {
		const text = held <= MAX_LINE_BYTES ? Buffer.concat(parts).toString() : undefined
		const whole = { text, start, bytes: held, end, isOpen }
		parts = []
		held = 0
		start = end
		return whole
	}
	for (;;) {
		const size = readSync(descriptor, chunk, 0, chunk.byteLength, end)
		if (size === 0) break
		let from = 0
		for (let to = chunk.indexOf(NEWLINE); to >= 0 && to < size; to = chunk.indexOf(NEWLINE, from)) {
			hold(chunk.subarray(from, to))
			end++
			from = to + 1
			yield line(false)
		}
		// The chunk is read into again.
		hold(Buffer.from(chunk.subarray(from, size)))
	}
	if (held > 0) yield line(true)
}
