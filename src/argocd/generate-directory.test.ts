import { describe, expect, it } from 'vitest'
import type { Tree, TreeEntry } from '../artifact/index.ts'
import { parseManifests } from '../manifests/index.ts'
import { type DirectoryOptions, generateDirectory } from './generate-directory.ts'

const object = (name: string): string => `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\n`

function names(
	entries: Readonly<Record<string, string | TreeEntry>>,
	options: Partial<DirectoryOptions> = {},
) {
	const tree: Tree = {
		entries: Object.entries(entries).map(([path, content]) =>
			typeof content === 'string' ? { path, type: 'file', size: content.length } : content,
		),
		read: (path) => (typeof entries[path] === 'string' ? Buffer.from(entries[path]) : undefined),
	}
	const generated = generateDirectory(tree, { parse: parseManifests, ...options })
	return {
		names: generated.resources.map(({ name }) => name),
		skipped: Object.fromEntries(generated.skipped.map(({ path, reason }) => [path, reason])),
		errors: generated.errors,
	}
}

const files = {
	'z.yaml': object('z'),
	'B.yml': object('B'),
	'a/x.yaml': object('a-x'),
	'a.yaml': object('a'),
	'a-b.yaml': object('a-b'),
	'notes.YAML': object('upper'),
}

describe('generateDirectory', () => {
	it('reads one directory, in the order of bytes', () => {
		expect(names(files)).toMatchObject({
			names: ['B', 'a-b', 'a', 'z'],
			skipped: { 'notes.YAML': 'extension', 'a/x.yaml': 'subdirectory' },
		})
	})

	it('walks a directory where its name stands among the files', () => {
		expect(names(files, { recurse: true }).names).toEqual(['B', 'a-x', 'a-b', 'a', 'z'])
	})

	it('starts at the path', () => {
		expect(names(files, { path: './a/' }).names).toEqual(['a-x'])
	})

	it.each([
		[{ include: '{a,z}.yaml' }, ['a', 'z']],
		[{ include: '*.yml' }, ['B']],
		[{ exclude: 'a*' }, ['B', 'z']],
		[{ exclude: 'a*', recurse: true }, ['B', 'z']],
		[{ include: '*x.yaml', recurse: true }, ['a-x']],
		[{ include: '[' }, []],
	] as const)('filters by %j', (options, expected) => {
		expect(names(files, options).names).toEqual(expected)
	})

	it('follows symlinks to files, and passes over those to nothing', () => {
		const linked = (path: string, linkTarget: string): TreeEntry => ({
			path,
			type: 'symlink',
			size: 0,
			linkTarget,
		})
		expect(
			names({
				'real/a.txt': object('a'),
				'l.yaml': linked('l.yaml', '/real/a.txt'),
				'd.yaml': linked('d.yaml', 'nowhere'),
				'r.yaml': linked('r.yaml', 'real'),
			}),
		).toMatchObject({ names: ['a'], skipped: { 'd.yaml': 'dangling-symlink', 'r.yaml': 'not-a-file' } })
	})

	it('takes lists apart', () => {
		const list = `apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: A, metadata: {name: one}}\n- {apiVersion: v1, kind: A, metadata: {name: two}}\n`
		expect(names({ 'l.yaml': list }).names).toEqual(['one', 'two'])
	})

	it('stops counting at 10 MB', () => {
		const { errors } = names({ 'a.yaml': { path: 'a.yaml', type: 'file', size: 10_000_001 } })
		expect(errors.map(({ rule }) => rule)).toEqual(['directory-size'])
	})

	it('tells the line of a broken document after a good one', () => {
		const { errors } = names({ 'a.yaml': `${object('a')}---\nx: [\n` })
		expect(errors[0]).toMatchObject({ rule: 'yaml-unparsable', file: 'a.yaml', line: 6 })
		expect(errors[0]?.detail).toMatch(/, at 6:1$/)
	})
})
