import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { readManifestSet } from '../manifests/index.ts'
import { treeOf } from './read-tree.ts'

let root: string
beforeEach(() => (root = mkdtempSync(join(tmpdir(), 'lading-tree-'))))
afterEach(() => rmSync(root, { recursive: true, force: true }))

it('says which file of a directory cannot be read', async () => {
	const file = join(root, 'a.yaml')
	writeFileSync(file, 'a: 1\n')
	const tree = treeOf(await readManifestSet(root))
	rmSync(file)
	// Not even root reads it.
	mkdirSync(file)
	expect(() => tree.read('a.yaml')).toThrow(
		expect.objectContaining({ code: 'FILE_UNREADABLE', message: 'cannot read a.yaml: EISDIR' }),
	)
})
