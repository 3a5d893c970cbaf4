import { describe, expect, it } from 'vitest'
import { RemoteError, UserError } from '../errors/index.ts'
import { createOutput, type Output } from './output.ts'

interface Captured {
	readonly output: Output
	readonly text: { stdout: string; stderr: string }
}

function capture(
	options: { json?: boolean; quiet?: boolean; isTTY?: boolean; columns?: number } = {},
): Captured {
	const text = { stdout: '', stderr: '' }
	const sink = (
		name: 'stdout' | 'stderr',
	): { write(part: string): void; isTTY: boolean; columns: number } => ({
		write(part) {
			text[name] += part
		},
		isTTY: options.isTTY ?? false,
		columns: options.columns ?? 80,
	})
	const output = createOutput({
		stdout: sink('stdout'),
		stderr: sink('stderr'),
		json: options.json ?? false,
		quiet: options.quiet ?? false,
		color: false,
		now: () => 0,
	})
	return { output, text }
}

/** What a terminal shows after text with carriage returns and "clear the line". */
function screen(text: string): readonly string[] {
	return text.split('\n').map((line) => line.split('\r\u001B[2K').at(-1) ?? '')
}

describe('output', () => {
	it('keeps the answer apart from the talk', () => {
		const { output, text } = capture()
		output.progress.step('pack').done('3 files')
		output.progress.note('left out: .env')
		output.answer({ text: 'the answer', document: {} })
		expect(text.stdout).toBe('the answer\n')
		expect(text.stderr).toBe('✓ pack         3 files  0.00 s\nleft out: .env\n')
	})

	it('answers with one document', () => {
		const { output, text } = capture({ json: true })
		output.progress.warn('careful', 'do this')
		output.answer({ text: 'the answer', document: { tags: ['v1'] } })
		expect(JSON.parse(text.stdout)).toEqual({ version: 1, tags: ['v1'] })
		expect(text.stderr).toContain('careful')
	})

	it('fails with one document', () => {
		const { output, text } = capture({ json: true })
		output.error(new UserError('TAG_EXISTS', 'no', { hint: 'another', details: ['a'] }))
		expect(JSON.parse(text.stdout)).toEqual({
			version: 1,
			error: { code: 'TAG_EXISTS', message: 'no', hint: 'another', details: ['a'] },
		})
		expect(text.stderr).toBe('')
	})

	it('is quiet but for errors', () => {
		const { output, text } = capture({ quiet: true })
		output.progress.step('pack').done('3 files')
		output.progress.warn('careful')
		output.error(new UserError('USAGE', 'no', { hint: 'yes' }))
		expect(text.stderr).toBe('error: no\nnext:  yes\n')
	})

	it('tells what went over the wire', () => {
		const { output, text } = capture()
		const wire = { method: 'GET', url: 'https://r.example/v2/?token=secret', status: 500, body: ' broken ' }
		output.error(new RemoteError('REGISTRY_FAILED', 'no', { wire }))
		expect(text.stderr).toContain('GET https://r.example/v2/')
		expect(text.stderr).toContain('answered 500\n  broken\n')
		expect(text.stderr).not.toContain('secret')
	})

	it('lets nobody else move the cursor', () => {
		const { output, text } = capture()
		output.error(new UserError('USAGE', 'a\u001B[2Jb\rc', { details: ['d\u009Be'], hint: 'f\u0007g' }))
		// eslint-disable-next-line no-control-regex
		expect(text.stderr).not.toMatch(/[\u0000-\u0009\u000B-\u001F\u007F-\u009F]/)
	})
})

describe('the talk on a terminal', () => {
	it('leaves one line per step and nothing else', () => {
		const { output, text } = capture({ isTTY: true })
		const first = output.progress.step('registry')
		first.update('starting')
		output.progress.note('port 5000 is taken')
		first.done('https://localhost:5001')
		output.progress.step('push').unchanged()
		expect(screen(text.stderr)).toEqual([
			'port 5000 is taken',
			'✓ registry     https://localhost:5001  0.00 s',
			'= push         unchanged  0.00 s',
			'',
		])
	})

	it('ends what a failure has left open, once', () => {
		const { output, text } = capture({ isTTY: true })
		const step = output.progress.step('sync')
		output.fail()
		output.fail()
		step.done('too late')
		output.error(new UserError('TIMED_OUT', 'no'))
		expect(screen(text.stderr)).toEqual(['✗ sync           0.00 s', 'error: no', ''])
	})
})
