import { describe, expect, it } from 'vitest'
import { UserError } from '../errors/index.ts'
import type { DevEvent } from '../flows/index.ts'
import { parseDigest } from '../oci/index.ts'
import { createDevView, devEnd } from './dev.ts'

const digest = parseDigest(`sha256:${'a'.repeat(64)}`)

function written(
	events: readonly DevEvent[],
	options: { json?: boolean; isTTY?: boolean; columns?: number; rows?: number } = {},
): string {
	let text = ''
	const sink = { write: (part: string) => void (text += part), ...options }
	const view = createDevView({ sink, json: options.json ?? false, color: false, now: () => 0 })
	for (const event of events) view.show(event)
	view.close()
	return text
}

// A control character as text, where a regular expression is made of it.
const ESCAPE = '\\u001B'
const CODES = new RegExp(`(${ESCAPE}\\[\\d*[AJ]|\\r|\\n)`, 'u')
const UP = new RegExp(`${ESCAPE}\\[(\\d+)A`, 'gu')

/** What stands on a terminal after all that was written to it. */
function screen(text: string): readonly string[] {
	const lines: string[] = ['']
	let row = 0
	for (const part of text.split(CODES)) {
		const [up] = part.matchAll(UP)
		if (up) row -= Number(up[1])
		else if (part === '\u001B[J') lines.length = row
		else if (part === '\n') row++
		else if (part !== '\r' && part !== '') lines[row] = `${lines[row] ?? ''}${part}`
		lines[row] ??= ''
	}
	return lines.slice(0, -1)
}

const broken = new UserError('MANIFEST_UNPARSABLE', 'a.yaml:2:3: deficient\u001B[2Jindentation', {
	details: ['2 | a: ['],
	hint: 'Mend the file.',
})

const story: readonly DevEvent[] = [
	{ event: 'saved', save: 1 },
	{ event: 'progress', save: 1, text: 'pack' },
	{ event: 'pushed', save: 1, digest, files: 1, sentBytes: 10, ms: 120 },
	{ event: 'synced', save: 1, digest, ms: 700 },
	{ event: 'unhealthy', save: 1, resources: ['Deployment web: ImagePullBackOff'] },
	{ event: 'unhealthy', save: 1, resources: ['Deployment web: CrashLoopBackOff\u001B[1A'] },
	{ event: 'healthy', save: 1, digest, ms: 2500 },
	{ event: 'saved', save: 2 },
	{ event: 'refused', save: 2, error: broken },
	{ event: 'saved', save: 3 },
	{ event: 'unchanged', save: 3, digest },
]

describe('the view of what is saved', () => {
	it('is lines where there is no terminal', () => {
		expect(written(story).split('\n')).toEqual([
			'#1 ✓ pushed   sha256:aaaaaaaaaaaa…, 1 file  0.12 s',
			'#1 ✓ Synced   0.70 s',
			'#1 ! Deployment web: ImagePullBackOff',
			'#1 ! Deployment web: CrashLoopBackOff\\u001b[1A',
			'#1 ✓ Healthy  2.50 s',
			'#2 ✗ not pushed',
			'#2   error: a.yaml:2:3: deficient\\u001b[2Jindentation',
			'#2     2 | a: [',
			'#2   next:  Mend the file.',
			'#3 = unchanged: sha256:aaaaaaaaaaaa… is what was pushed last',
			'',
		])
	})

	it('is a block for each save on a terminal, drawn in its place', () => {
		expect(screen(written(story, { isTTY: true }))).toEqual([
			'#1',
			'✓ pushed   sha256:aaaaaaaaaaaa…, 1 file  0.12 s',
			'✓ Synced   0.70 s',
			'✓ Healthy  2.50 s',
			'#2',
			'✗ not pushed',
			'  error: a.yaml:2:3: deficient\\u001b[2Jindentation',
			'    2 | a: [',
			'  next:  Mend the file.',
			'#3',
			'= unchanged: sha256:aaaaaaaaaaaa… is what was pushed last',
		])
	})

	it('shows what is waited for, and only the newest of what is not healthy', () => {
		const lines = screen(written(story.slice(0, 6), { isTTY: true }))
		expect(lines.slice(0, 4)).toEqual([
			'#1',
			'✓ pushed   sha256:aaaaaaaaaaaa…, 1 file  0.12 s',
			'✓ Synced   0.70 s',
			'! Deployment web: CrashLoopBackOff\\u001b[1A',
		])
		expect(screen(written(story.slice(0, 2), { isTTY: true })).at(-1)).toBe('#1')
	})

	it('stays within the terminal', () => {
		const many: DevEvent = {
			event: 'unhealthy',
			save: 1,
			resources: Array.from({ length: 50 }, () => 'x'.repeat(200)),
		}
		const text = written([{ event: 'saved', save: 1 }, many], { isTTY: true, columns: 30, rows: 10 })
		for (const line of screen(text)) expect(line.length).toBeLessThan(30)
		for (const [, up] of text.matchAll(UP)) expect(Number(up)).toBeLessThan(10)
	})

	it.each([
		['日本語'.repeat(20), '! 日本語日本語日本語日本語日'],
		['🚢'.repeat(40), `! ${'🚢'.repeat(13)}`],
		['e\u0301'.repeat(40), `! ${'e\u0301'.repeat(27)}`],
		['x한'.repeat(40), `! ${'x한'.repeat(9)}`],
		['サーバー'.repeat(20), '! サーバーサーバーサーバーサ'],
		['・゛゜㈱㊙㍿㎡'.repeat(20), '! ・゛゜㈱㊙㍿㎡・゛゜㈱㊙㍿'],
		[
			'\u2329\u2FF0\u3190\u31C0\uFE10\u{1F202}'.repeat(20),
			'! \u2329\u2FF0\u3190\u31C0\uFE10\u{1F202}\u2329\u2FF0\u3190\u31C0\uFE10\u{1F202}\u2329',
		],
	])('cuts %s at the columns that a terminal shows it in', (text, shown) => {
		const event: DevEvent = { event: 'unhealthy', save: 1, resources: [text] }
		expect(screen(written([event], { isTTY: true, columns: 30 }))).toContain(shown)
	})

	it('shortens a long difference', () => {
		const differences = Array.from({ length: 30 }, (_, index) => ({
			change: 'added' as const,
			identity: { group: '', kind: 'ConfigMap', name: `c${index}` },
			object: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: `c${index}` } },
		}))
		const text = written([{ event: 'changes', save: 1, differences }])
		expect(text.trimEnd().split('\n')).toHaveLength(13)
		expect(text).toContain('… and 18 lines more')
	})

	it('is a document on each line of --json', () => {
		const lines = `${written(story, { json: true })}${devEnd(broken)}`
			.split('\n')
			.map((line) => JSON.parse(line) as unknown)
		expect(lines).toHaveLength(story.length + 1)
		expect(lines[2]).toEqual({ version: 1, ...story[2] })
		expect(lines[8]).toMatchObject({
			event: 'refused',
			save: 2,
			error: { code: 'MANIFEST_UNPARSABLE', details: ['2 | a: ['], hint: 'Mend the file.' },
		})
		expect(lines.at(-1)).toMatchObject({ version: 1, event: 'ended', error: { code: 'MANIFEST_UNPARSABLE' } })
	})
})
