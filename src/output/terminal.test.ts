import { describe, expect, it } from 'vitest'
import { UserError } from '../errors/index.ts'
import { createOutput, createStyle, formatTable, printable } from './index.ts'
import { formatError } from './error.ts'
import { printableLine } from './style.ts'

const plain = createStyle(false)
const HOSTILE = '\u001B[2J\u009B31m\u202Eevil\u0007\u200B\u2028'

describe('text of another’s making', () => {
	it('cannot move the cursor, hide itself or turn its direction', () => {
		const shown = '\\u001b[2J\\u009b31m\\u202eevil\\u0007\\u200b\\u2028'
		expect(printable(HOSTILE)).toBe(shown)
		expect(printableLine(HOSTILE)).toBe(shown)
		expect(printableLine('\u{E0041}')).toBe('\\u{e0041}')
		expect(printable('für 日本 😀\tx')).toBe('für 日本 😀\tx')
	})

	it('cannot pass for another line', () => {
		expect(printable('a\nyes: all is well')).toBe('a\n  yes: all is well')
		expect(printableLine('a\nyes: all is well')).toBe('a\\u000ayes: all is well')
		const error = formatError(new UserError('USAGE', 'no\nnext:  rm'), { style: plain, debug: false })
		expect(error).toBe('error: no\n  next:  rm\n')
	})

	it('is not taken for paint in a table, whatever it looks like', () => {
		const painted = { text: 'Synced\u001B[0m', paint: createStyle(true).green }
		const [head, row] = formatTable(['name', 'sync'], [['\u001B[31mred\n', painted]], plain).split('\n')
		expect(head).toMatch(/^NAME {17}SYNC *$/)
		expect(row).toBe('\\u001b[31mred\\u000a  \u001B[32mSynced\\u001b[0m\u001B[39m')
	})

	it('stays in the line of a step, in characters of two columns too', () => {
		let written = ''
		const sink = { write: (text: string) => (written += text), isTTY: true, columns: 40 }
		const output = createOutput({
			stdout: sink,
			stderr: sink,
			json: false,
			quiet: false,
			color: false,
			now: () => 0,
		})
		const step = output.progress.step('push')
		step.update('日'.repeat(40))
		// It is drawn anew below a remark.
		output.progress.note('so far')
		step.done()
		// 12 for the title, 14 for mark and time.
		expect(/日+/.exec(written)?.[0]).toHaveLength(7)
	})

	it('takes part in a document without a control character', () => {
		let written = ''
		const sink = { write: (text: string) => (written += text) }
		const output = createOutput({ stdout: sink, stderr: sink, json: true, quiet: false, now: () => 0 })
		output.answer({ text: '', document: { name: HOSTILE } })
		// oxlint-disable-next-line no-control-regex -- control characters are what is looked for
		expect(written).not.toMatch(/[\u0000-\u0009\u000B-\u001F\u007F-\u009F\u202E\u2028]/)
		expect(JSON.parse(written)).toEqual({ version: 1, name: HOSTILE })
	})
})
