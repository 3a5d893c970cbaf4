import { describe, expect, it } from 'vitest'
import type { TreeEntry } from '../artifact/index.ts'
import { extractTree } from './extract-tree.ts'

const file = (path: string): TreeEntry => ({ path, type: 'file', size: 1 })
const directory = (path: string): TreeEntry => ({ path, type: 'directory', size: 0 })
const link = (path: string, linkTarget: string): TreeEntry => ({ path, type: 'symlink', size: 0, linkTarget })

function extract(entries: readonly TreeEntry[], version = '3.6.1'): string {
	const { files, fault } = extractTree({ entries, read: () => undefined }, version)
	if (fault !== undefined) return 'argocdMessage' in fault ? fault.argocdMessage : fault.rule
	return [...files]
		.filter(([, node]) => node.type !== 'directory')
		.map(([path]) => path)
		.toSorted()
		.join(' ')
}

const LONG = 'n'.repeat(256)

/** Each row is what Argo CD's own tar code did with these entries. */
describe('extractTree', () => {
	const rooted: readonly (readonly [string, readonly TreeEntry[]])[] = [
		['a d/x', [file('./a'), file('d/x'), file('/a')]],
		['b', [file('d/../b')]],
		['d', [link('d', '/etc/passwd')]],
		['d nowhere/x/e/y', [link('d', 'nowhere/x'), file('d/e/y')]],
		['error creating nested folders: mkdirat d: file exists', [link('d', 'nowhere'), file('d/x')]],
		['error creating nested folders: mkdirat d: file exists', [file('d'), file('d/x')]],
		['error creating nested folders: openat d: not a directory', [file('d'), directory('d/e/y')]],
		[`error creating file "${LONG}": openat ${LONG}: file name too long`, [file(LONG)]],
		[`error creating nested folders: mkdirat ${LONG}: file name too long`, [file(`${LONG}/a`)]],
		['error creating file "..": openat ..: path escapes from parent', [file('..')]],
		['error creating symlink: symlinkat a ..: path escapes from parent', [link('..', 'a')]],
		['error checking symlink parent "..": statat ..: path escapes from parent', [link('../b', 'a')]],
		['error checking symlink ".." target: statat ..: path escapes from parent', [link('a', '..')]],
		['error creating symlink: symlinkat a d: file exists', [link('d', '/d'), link('d', './a')]],
		['error creating file "a": openat a: no such file or directory', [link('a', '/etc/passwd'), file('a')]],
		['error creating file "a": openat a: too many levels of symbolic links', [link('a', 'a'), file('a')]],
		[
			'error creating nested folders: mkdirat b/d: too many levels of symbolic links',
			[directory('a'), link('a/d', 'd/x'), link('b', 'a'), directory('b/d/e')],
		],
		['error creating file "d": openat d: is a directory', [directory('d'), file('d')]],
	]
	it.each(rooted)('gives "%s"', (expected, entries) => {
		expect(extract(entries)).toBe(expected)
	})

	it('takes names as deep as they come, with and without links', () => {
		const deep = 'd/'.repeat(99)
		const entries = [
			directory(deep),
			link(`${deep}l`, '.'),
			...Array.from({ length: 1000 }, (_, index) => file(`${deep}l/l/${index}/x`)),
		]
		const { files, fault } = extractTree({ entries, read: () => undefined }, '3.6.1')
		expect(fault).toBeUndefined()
		expect(files.get(`${deep}999/x`)).toMatchObject({ type: 'file', entry: `${deep}l/l/999/x` })
	})

	const joined: readonly (readonly [string, readonly TreeEntry[]])[] = [
		['illegal filepath in symlink: /tmp/<path>', [link('d', '.')]],
		['error creating symlink: symlink a /tmp/<path>/d/e: no such file or directory', [link('d/e', 'a')]],
		[
			'error creating nested folders: mkdir /tmp/<path>/d: file exists',
			[link('d', 'nowhere/x'), file('d/e/y')],
		],
		['a d/l', [directory('d'), link('d/l', '../a'), file('a')]],
	]
	it.each(joined)('gave "%s" before os.Root', (expected, entries) => {
		expect(extract(entries, '3.3.15')).toBe(expected)
	})
})
