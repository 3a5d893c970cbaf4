import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { initProject } from './init.ts'

describe('init that cannot write all of it', () => {
	let root: string

	beforeEach(() => {
		root = mkdtempSync(join(tmpdir(), 'lading-init-'))
		// In the place of the last file that is written.
		mkdirSync(join(root, '.gitignore'))
	})
	afterEach(() => rmSync(root, { recursive: true, force: true }))

	it('leaves nothing, and the next one starts anew', () => {
		expect(() => initProject({ root, name: 'shop' })).toThrow(/EISDIR/)
		expect(readdirSync(root)).toEqual(['.gitignore'])
		rmSync(join(root, '.gitignore'), { recursive: true })
		expect(initProject({ root, name: 'shop' })).toMatchObject({ manifests: 'manifests', kept: [] })
		expect(readdirSync(root).toSorted()).toEqual(['.gitignore', 'lading.yaml', 'manifests'])
	})

	it('keeps what was there', () => {
		mkdirSync(join(root, 'manifests'))
		writeFileSync(join(root, 'lading.yaml'), 'name: mine\n')
		expect(() => initProject({ root, name: 'shop', force: true })).toThrow(/EISDIR/)
		expect(readdirSync(root).toSorted()).toEqual(['.gitignore', 'lading.yaml', 'manifests'])
		expect(readdirSync(join(root, 'manifests'))).toEqual([])
		expect(readFileSync(join(root, 'lading.yaml'), 'utf8')).toBe('name: mine\n')
	})
})
