import {
	appendFileSync,
	existsSync,
	mkdtempSync,
	readFileSync,
	rmSync,
	statSync,
	symlinkSync,
	truncateSync,
	writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { UserError } from '../../errors/index.ts'
import { digestOf } from '../../oci/index.ts'
import { Journal } from './journal.ts'
import { Packs } from './packs.ts'
import { formatRecord, type StoreRecord } from './record.ts'
import { type Replayed, replayJournal } from './replay.ts'
import { Reserve } from './reserve.ts'

const root = mkdtempSync(join(tmpdir(), 'lading-'))
const path = join(root, 'journal')
afterAll(() => rmSync(root, { recursive: true, force: true }))

const packs = new Packs(join(root, 'packs'), { journalPath: path })

const record = (tag: string): StoreRecord => ({ type: 'tag-deleted', repository: 'app', tag })
/** Over two megabytes, and so longer than what is read at once. */
const long: StoreRecord = {
	type: 'removed',
	repository: 'app',
	tags: [],
	manifests: Array.from({ length: 30_000 }, (_, index) => digestOf(String(index))),
	blobs: [],
	at: 1,
}

function replay(text: string): Replayed & { readonly records: readonly StoreRecord[] } {
	writeFileSync(path, text)
	const records: StoreRecord[] = []
	return { ...replayJournal(path, (each) => records.push(each)), records }
}

describe('a journal is read', () => {
	it('whatever its lines are long, and wherever what is read at once ends', () => {
		const many = Array.from({ length: 40_000 }, (_, index) => record(`v${index}`))
		const all = [...many, long, record('a'), long, ...many]
		const text = all.map(formatRecord).join('')
		const { records, ...rest } = replay(text)
		expect(rest).toMatchObject({ lines: all.length, damaged: 0, length: text.length, existed: true })
		expect(records).toEqual(all)
	})

	it('up to a torn end, with a whole line that has only lost its newline, past damaged and empty ones', () => {
		const line = formatRecord(record('a'))
		expect(replay(line + line.slice(0, 20))).toMatchObject({ lines: 1, damaged: 0, length: line.length })
		expect(replay(line + line.slice(0, -1))).toMatchObject({
			lines: 2,
			damaged: 0,
			length: 2 * line.length - 1,
		})
		expect(replay(`${line}x${line}\n${line}`)).toMatchObject({ lines: 2, damaged: 1 })
		expect(replay('')).toMatchObject({ lines: 0, damaged: 0, length: 0, existed: true })
	})

	it('where a line is longer than may be held, past it', () => {
		const line = formatRecord(record('a'))
		writeFileSync(path, line)
		truncateSync(path, 300 * 1024 * 1024)
		appendFileSync(path, `\n${line}`)
		const { size } = statSync(path)
		expect(replayJournal(path, () => undefined)).toMatchObject({
			lines: 2,
			damaged: 1,
			length: size,
			existed: true,
		})
	})
})

describe('a journal that another process has taken over', () => {
	it('acknowledges no append that was under way, and neither adds, cuts nor replaces anything', async () => {
		let held = true
		const fence = {
			isHeld: () => held,
			assertHeld() {
				if (!held) throw new UserError('ALREADY_RUNNING', 'lost')
			},
		}
		const lines = ['a', 'b', 'c'].map((tag) => formatRecord(record(tag)))
		writeFileSync(path, lines.join(''))
		// The third line is one that it would take back.
		const length = lines.slice(0, 2).join('').length
		const options = { lines: 2, length, live: () => [], packs, compactLines: 1, fence }
		const journal = new Journal(path, options)
		held = false
		const onDurable = vi.fn<() => void>()
		await expect(journal.append(record('d'), onDurable)).rejects.toMatchObject({ code: 'ALREADY_RUNNING' })
		expect(() => journal.compact()).toThrow('lost')
		expect(readFileSync(path, 'utf8')).toBe(lines.join(''))
		held = true
		const late = journal.append(record('e'), onDurable, { applied: true })
		held = false
		appendFileSync(path, 'of the other')
		const written = readFileSync(path, 'utf8')
		await expect(late).rejects.toMatchObject({ code: 'ALREADY_RUNNING' })
		await journal.close()
		expect(onDurable).not.toHaveBeenCalled()
		expect(journal.isUncertain).toBe(true)
		expect(readFileSync(path, 'utf8')).toBe(written)
	})
})

describe.skipIf(!existsSync('/dev/full'))('on a full disk', () => {
	const full = join(root, 'full')
	const reserved = join(root, 'reserve')
	async function append(...records: readonly StoreRecord[]): Promise<readonly PromiseSettledResult<void>[]> {
		rmSync(full, { force: true })
		symlinkSync('/dev/full', full)
		const reserve = new Reserve(reserved)
		const journal = new Journal(full, {
			lines: 0,
			length: 0,
			live: () => [],
			packs,
			compactLines: 10,
			reserve,
		})
		const ended = await Promise.allSettled(records.map((each) => journal.append(each, () => undefined)))
		await journal.close()
		return ended
	}
	const push: StoreRecord = { type: 'blob', repository: 'app', digest: digestOf(''), size: 0 }

	it('the reserve is given up for what frees space, and not for a push; and is made again', async () => {
		const [failed] = await append(push)
		expect(failed).toMatchObject({ status: 'rejected', reason: { code: 'ENOSPC' } })
		const before = readFileSync(reserved)
		expect(before.byteLength).toBe(1024 * 1024)
		await append(push)
		expect(readFileSync(reserved).equals(before)).toBe(true)
		expect(await append(record('v1'))).toMatchObject([{ status: 'rejected' }])
		expect(readFileSync(reserved)).toHaveLength(1024 * 1024)
		expect(readFileSync(reserved).equals(before)).toBe(false)
	})
})
