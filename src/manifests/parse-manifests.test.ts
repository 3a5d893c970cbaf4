import { describe, expect, it } from 'vitest'
import { UserError } from '../errors/index.ts'
import { parseManifests } from './parse-manifests.ts'

function values(text: string): unknown[] {
	return parseManifests(Buffer.from(text), 'a.yaml').map((document) => document.value)
}

function failure(text: string | Uint8Array): UserError {
	try {
		parseManifests(Buffer.from(text), 'dir/a.yaml')
	} catch (error) {
		if (error instanceof UserError) return error
		throw error
	}
	throw new Error('it was read')
}

describe('scalars', () => {
	// What sigs.k8s.io/yaml 1.6.0 makes of each.
	it.each<[string, unknown]>([
		['0644', 420],
		['0o644', 420],
		['0O17', 15],
		['-0o17', -15],
		['0b101', 5],
		['-0b11', -3],
		['0x1F', 31],
		['1_000', 1000],
		['08', 8],
		['0888', 888],
		['12:30', '12:30'],
		['190:20:30', '190:20:30'],
		['2020-01-01', '2020-01-01'],
		['!!timestamp 2020-01-01', '2020-01-01'],
		['yes', true],
		['Y', true],
		['on', true],
		['NO', false],
		['n', false],
		['tRue', 'tRue'],
		['~', null],
		['nUll', 'nUll'],
		['.5', 0.5],
		['1.', 1],
		['1e3', 1000],
		['1e400', '1e400'],
		['.e3', '.e3'],
		['0x', '0x'],
		['0o8', '0o8'],
		['_1', '_1'],
		['1.5_0', 1.5],
		['-.nan', '-.nan'],
		['18446744073709551616', 2 ** 64],
		['0xffffffffffffffff', 2 ** 64],
		['0x10000000000000000', '0x10000000000000000'],
		['<<', '<<'],
		['!!str 0644', '0644'],
		['"0644"', '0644'],
		['!!int "12"', 12],
		['!!float 1', 1],
		['!!binary aGVsbG8=', 'hello'],
		['!foo bar', 'bar'],
		['!foo {a: 1}', { a: 1 }],
		['!!set {a, b}', { a: null, b: null }],
	])('%s', (text, value) => {
		expect(values(`v: ${text}`)).toEqual([{ v: value }])
	})

	it.each(['.inf', '-.Inf', '.nan', '!!int 1.5', '!!int'])('%s is refused', (text) => {
		expect(failure(`v: ${text}`).code).toBe('MANIFEST_UNPARSABLE')
	})
})

describe('keys', () => {
	it('are text', () => {
		expect(values('y: 1\n0644: 2\n1.5: 3\n1e3: 4')).toEqual([{ true: 1, 420: 2, 1.5: 3, 1000: 4 }])
	})

	it('may be called __proto__', () => {
		const [value] = values('__proto__: {polluted: yes}')
		expect(Object.keys(value as object)).toEqual(['__proto__'])
		expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
	})

	it.each(['null: a', '[a]: b', '? {a: b}\n: c'])('%j is refused', (text) => {
		expect(failure(text).message).toMatch(/^dir\/a\.yaml:1:\d+: .*key/)
	})

	it('of the same name: the last wins, and is remarked', () => {
		expect(parseManifests(Buffer.from('# one\na: 1\nb:\n  c: 1\n  c: 2\n'), 'x')).toEqual([
			{
				path: 'x',
				line: 2,
				index: 0,
				value: { a: 1, b: { c: 2 } },
				remarks: [{ kind: 'duplicate-key', line: 5, column: 3 }],
			},
		])
	})

	it.each<[string, unknown]>([
		['x: &x {a: 1, c: 1}\nz:\n  <<: *x\n  a: 2', { a: 2, c: 1 }],
		['x: &x {a: 1}\nz: {a: 5, <<: *x}', { a: 1 }],
		['x: &x {a: 1}\nw: &w {a: 3, b: 4}\nz:\n  <<: [*x, *w]', { a: 1, b: 4 }],
	])('%j are merged', (text, merged) => {
		expect(values(text)).toMatchObject([{ z: merged }])
	})

	it('cannot be merged from a scalar', () => {
		expect(failure('<<: 1').message).toContain('merge key')
	})
})

describe('documents', () => {
	it('know their line; empty ones are left out', () => {
		const text = '# nothing\n---\n\na: 1\n---\n---\n# c\n---  # note\nnull\n---\nb: 2\n...\n'
		const documents = parseManifests(Buffer.from(text), 'x')
		expect(documents.map(({ line, index, value }) => ({ line, index, value }))).toEqual([
			{ line: 4, index: 0, value: { a: 1 } },
			{ line: 11, index: 1, value: { b: 2 } },
		])
	})

	it.each(['utf16le', 'utf16be'])('of %s with a byte order mark', (encoding) => {
		const bytes = Buffer.from('\uFEFFa: 1\n', 'utf16le')
		const parsed = parseManifests(encoding === 'utf16le' ? bytes : bytes.swap16(), 'a.yaml')
		expect(parsed.map(({ value }) => value)).toEqual([{ a: 1 }])
	})

	it('of JSON, with what only JSON allows, and after a byte order mark', () => {
		expect(values('\uFEFF\n{"a": "\\/", "b": "\\ud83d\\ude00"}\n')).toEqual([{ a: '/', b: '😀' }])
	})

	it('with CRLF', () => {
		expect(values('a:\r\n  b: 1\r\n---\r\nc: |\r\n  x\r\n')).toEqual([{ a: { b: 1 } }, { c: 'x\n' }])
	})

	it.each(['', '\n', '# c\n', '---\n', '---\n---\n'])('%j has none', (text) => {
		expect(values(text)).toEqual([])
	})

	it.each<[string, RegExp]>([
		['a: 1\n--- b: 2\n', /^dir\/a\.yaml:2:4: content after ---/],
		['a: 1\n...\nb: 2\n', /^dir\/a\.yaml:1: more content after/],
		['a: 1\n---\n%YAML 1.2\n---\nb: 1\n', /^dir\/a\.yaml:3:1: a YAML directive/],
	])('%j would lose something in Kubernetes', (text, message) => {
		expect(failure(text).message).toMatch(message)
	})
})

describe('faults', () => {
	it('have file, line, column and an excerpt', () => {
		const error = failure('a: 1\n---\nb: 1\nkind: [x\u001b[31m\nc: d\n')
		expect(error.code).toBe('MANIFEST_UNPARSABLE')
		expect(error.message).toMatch(/^dir\/a\.yaml:\d+:\d+: /)
		const bad = failure('a: 1\n---\nb:\n  c: 1\n d: 2\n')
		expect(bad.message).toMatch(/^dir\/a\.yaml:5:\d+: /)
		expect(bad.details).toContain('5 |  d: 2')
		expect(bad.details.at(-1)).toMatch(/^ {2}\| +\^$/)
	})

	it('never put control characters of the file into the excerpt', () => {
		const error = failure('a: "\u001b[31m"\nb: [')
		expect(error.details.join('')).not.toContain('\u001b')
	})

	it('include bytes that are not UTF-8', () => {
		expect(failure(Uint8Array.of(0x61, 0x3a, 0x20, 0xff)).message).toBe('dir/a.yaml: not UTF-8')
		expect(failure(Buffer.from([0xff, 0xfe, 0x00, 0xd8])).message).toBe('dir/a.yaml: not UTF-16')
	})

	it('include aliases that explode', () => {
		const levels = Array.from({ length: 12 }, (_, level) =>
			level === 0
				? 'a0: &a0 [x, x, x, x, x, x, x, x, x]'
				: `a${level}: &a${level} [${`*a${level - 1}, `.repeat(9)}]`,
		)
		expect(failure(levels.join('\n')).message).toContain('aliases')
	})

	it('include an alias inside itself', () => {
		expect(failure('a: &a [*a]').message).toContain('inside what it stands for')
	})

	it('include merge keys that explode', () => {
		const wide = `x: &x {${Array.from({ length: 2000 }, (_, key) => `k${key}: 1`).join(', ')}}`
		const merges = Array.from({ length: 100 }, (_, index) => `m${index}: {<<: *x}`)
		expect(failure([wide, ...merges].join('\n')).message).toContain('merge keys')
	})

	it.each([
		['yaml', `${'['.repeat(600)}${']'.repeat(600)}`],
		['json', `{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`],
	])('include %s nested too deeply', (_, text) => {
		expect(failure(text).code).toBe('MANIFEST_UNPARSABLE')
	})
})

it('says where a template was not rendered', () => {
	const { message, hint } = failure('kind: A\n---\nkind: ConfigMap\ndata:\n  name: {{ .Values.name }}\n')
	expect(message).toBe('dir/a.yaml:5:9: {{ … }} of a template, not rendered')
	expect(hint).toContain('Chart.yaml')
})
