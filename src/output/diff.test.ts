import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { diffResources, type ManifestObject } from '../manifests/index.ts'
import { differencesDocument, formatDifferences } from './diff.ts'
import { formatMarkdown } from './diff-markdown.ts'
import { formatUnified } from './diff-unified.ts'
import { diffLines, hunksOf } from './line-diff.ts'
import { createStyle } from './style.ts'

const plain = createStyle(false)

const configMap = (name: string, data: Readonly<Record<string, string>>): ManifestObject => ({
	apiVersion: 'v1',
	kind: 'ConfigMap',
	metadata: { name },
	data,
})

const deployment = (image: string, replicas: number): ManifestObject => ({
	apiVersion: 'apps/v1',
	kind: 'Deployment',
	metadata: { name: 'web', namespace: 'shop' },
	spec: { replicas, template: { spec: { containers: [{ name: 'app', image }] } } },
})

const secret = (value: string): ManifestObject => ({
	apiVersion: 'v1',
	kind: 'Secret',
	metadata: { name: 's' },
	data: { password: value, same: 'UNCHANGEDSECRET' },
})

describe('diffLines', () => {
	const text = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 25 })

	it('has both texts in it, and is no longer than it must', () => {
		fc.assert(
			fc.property(text, text, (before, after) => {
				const changes = diffLines(before, after)
				expect(changes.filter(({ kind }) => kind !== '+').map((each) => each.text)).toEqual(before)
				expect(changes.filter(({ kind }) => kind !== '-').map((each) => each.text)).toEqual(after)
				const edits = changes.filter(({ kind }) => kind !== ' ').length
				expect(edits).toBe(before.length + after.length - 2 * common(before, after))
			}),
		)
	})

	it('gives hunks that stand where they say', () => {
		fc.assert(
			fc.property(text, text, fc.integer({ min: 0, max: 3 }), (before, after, context) => {
				const wrong = hunksOf(diffLines(before, after), context).filter(
					({ before: left, after: right, lines }) => {
						const side = (other: string): string =>
							lines.flatMap(({ kind, text: each }) => (kind === other ? [] : [each])).join()
						const at = (whole: readonly string[], { start, count }: typeof left): string =>
							count === 0 ? '' : whole.slice(start - 1, start - 1 + count).join()
						return at(before, left) !== side('+') || at(after, right) !== side('-')
					},
				)
				expect(wrong).toEqual([])
			}),
		)
	})
})

/** Length of the longest common subsequence. */
function common(left: readonly string[], right: readonly string[]): number {
	let row: number[] = right.map(() => 0)
	for (const a of left) {
		const next: number[] = []
		for (const [index, b] of right.entries())
			next.push(a === b ? (row[index - 1] ?? 0) + 1 : Math.max(next[index - 1] ?? 0, row[index] ?? 0))
		row = next
	}
	return row.at(-1) ?? 0
}

describe('a difference', () => {
	const diffs = diffResources(
		[deployment('a:1', 1), configMap('gone', { a: 'x' }), secret('FIRSTSECRET')],
		[deployment('a:2', 3), configMap('new', { a: 'x' }), secret('SECONDSECRET')],
	)

	it('is unified', () => {
		expect(formatUnified(diffs, plain).split('\n')).toEqual([
			'--- a/ConfigMap gone',
			'+++ /dev/null',
			'@@ -1,6 +0,0 @@',
			'-apiVersion: v1',
			'-kind: ConfigMap',
			'-metadata:',
			'-  name: gone',
			'-data:',
			'-  a: x',
			'--- /dev/null',
			'+++ b/ConfigMap new',
			'@@ -0,0 +1,6 @@',
			'+apiVersion: v1',
			'+kind: ConfigMap',
			'+metadata:',
			'+  name: new',
			'+data:',
			'+  a: x',
			'--- a/Deployment.apps shop/web',
			'+++ b/Deployment.apps shop/web',
			'@@ -4,9 +4,9 @@',
			'   name: web',
			'   namespace: shop',
			' spec:',
			'-  replicas: 1',
			'+  replicas: 3',
			'   template:',
			'     spec:',
			'       containers:',
			'         - name: app',
			'-          image: a:1',
			'+          image: a:2',
			'--- a/Secret s',
			'+++ b/Secret s',
			'@@ -3,5 +3,5 @@',
			' metadata:',
			'   name: s',
			' data:',
			"-  password: '***'",
			"+  password: '*** (another)'",
			"   same: '***'",
		])
	})

	it('is Markdown also of a text that is full of backticks', () => {
		const many = diffResources([configMap('a', { k: 'x' })], [configMap('a', { k: '` '.repeat(200_000) })])
		expect(formatMarkdown(many, { before: 'a', after: 'b', limit: 1_000_000 })).toContain('\n```diff\n')
	})

	it('is Markdown with images and replicas first, and what can be unfolded', () => {
		const text = formatMarkdown(diffs, { before: 'shop:v1', after: 'a|b' })
		expect(text.split('\n').slice(0, 7)).toEqual([
			'**<code>shop:v1</code> → <code>a&#124;b</code>**: 1 added, 2 changed, 1 removed',
			'',
			'| Resource | | Before | After |',
			'| --- | --- | --- | --- |',
			'| <code>Deployment.apps shop/web</code> | replicas | <code>1</code> | <code>3</code> |',
			'| <code>Deployment.apps shop/web</code> | image of <code>app</code> | <code>a:1</code> | <code>a:2</code> |',
			'',
		])
		expect(text.match(/<details>/g)).toHaveLength(4)
		expect(text).toContain('```diff\n@@ -4,9 +4,9 @@')
	})

	it('is no longer than a comment may be, and says what is left out', () => {
		const many = Array.from({ length: 300 }, (_, index) => configMap(`c${index}`, { a: 'x'.repeat(1000) }))
		const text = formatMarkdown(diffResources([], many), { before: 'a', after: 'b' })
		expect(text.length).toBeLessThanOrEqual(60_001)
		expect(text).toMatch(/… and \d+ resources more: too much for a comment\.\n$/)
		const whole = (text.match(/<details>/g) ?? []).length
		expect(text).toContain(`… and ${300 - whole} resources more`)
		expect(text.match(/<\/details>/g)).toHaveLength(whole)
	})

	it('cannot break out of its fence, nor mention anybody', () => {
		const text = formatMarkdown(
			diffResources([], [configMap('@all <b>', { a: '````\n</details>\n@team' })]),
			{ before: 'a', after: '@org/team' },
		)
		expect(text).toContain('`````diff')
		expect(text.split('`````')[0]).not.toMatch(/@all|@org|<b>/)
	})

	it('shows the values of a Secret in no form', () => {
		const texts = [
			formatDifferences(diffs, plain),
			formatUnified(diffs, plain),
			formatMarkdown(diffs, { before: 'a', after: 'b' }),
			JSON.stringify(differencesDocument(diffs)),
		]
		for (const text of texts) {
			expect(text).not.toMatch(/SECRET/)
			expect(text).toContain('password')
		}
	})

	it('is a document by field, with what people look for', () => {
		const document = differencesDocument(diffs)
		expect(document[2]).toEqual({
			change: 'changed',
			identity: { group: 'apps', kind: 'Deployment', namespace: 'shop', name: 'web' },
			fields: expect.any(Array) as unknown,
			callouts: [
				{ what: 'replicas', before: 1, after: 3 },
				{ what: 'image', container: 'app', before: 'a:1', after: 'a:2' },
			],
		})
	})

	it('is said to be none', () => {
		expect(formatDifferences([], plain)).toBe('no difference')
		expect(formatUnified([], plain)).toBe('')
		expect(formatMarkdown([], { before: 'a', after: 'b' })).toBe(
			'**<code>a</code> → <code>b</code>**: no difference\n',
		)
	})
})
