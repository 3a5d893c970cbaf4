import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs'
import type * as Os from 'node:os'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { openSealedFiles, type SealedFiles } from './index.ts'

const os = vi.hoisted(() => ({ homedir: (): string => '' }))
vi.mock('node:os', async (original) => ({
	...(await original<typeof Os>()),
	homedir: () => os.homedir(),
}))

let home: string
beforeEach(() => {
	home = mkdtempSync(join(tmpdir(), 'lading-sealed-'))
	os.homedir = () => home
})
afterEach(() => rmSync(home, { recursive: true, force: true }))

const open = (options: Partial<Parameters<typeof openSealedFiles>[0]> = {}): SealedFiles =>
	openSealedFiles({ env: {}, kind: 'fruit', maxBytes: 100, maxFiles: 3, ...options })
const body = (text: string): Buffer => Buffer.from(text)

describe('sealed files', () => {
	it('are read as they were written, the last one', () => {
		open().write('apple', body('red'))
		open().write('apple', body('green'))
		expect(open().read('apple')).toEqual(body('green'))
		expect(open().read('pear')).toBeUndefined()
		expect(readdirSync(join(home, '.cache/lading/fruit'))).toEqual(['apple'])
	})

	it('lie where the environment says, not where a relative path would lead', () => {
		const env = { XDG_CACHE_HOME: join(home, 'c'), XDG_STATE_HOME: join(home, 's'), HOME: join(home, 'h') }
		open({ env }).write('apple', body('red'))
		expect(existsSync(join(home, 'c/lading/fruit/apple'))).toBe(true)
		expect(existsSync(join(home, 's/lading/cache-key'))).toBe(true)
		open({ env: { ...env, XDG_CACHE_HOME: 'c' } }).write('apple', body('red'))
		expect(existsSync(join(home, 'h/.cache/lading/fruit/apple'))).toBe(true)
	})

	it('are none under another name, of another kind, or with another key', () => {
		open().write('apple', body('red'))
		const folder = join(home, '.cache/lading/fruit')
		copyFileSync(join(folder, 'apple'), join(folder, 'pear'))
		expect(open().read('pear')).toBeUndefined()
		mkdirSync(join(home, '.cache/lading/tree'))
		copyFileSync(join(folder, 'apple'), join(home, '.cache/lading/tree/apple'))
		expect(open({ kind: 'tree' }).read('apple')).toBeUndefined()
		renameSync(join(home, '.local/state/lading/cache-key'), join(home, 'old-key'))
		expect(open().read('apple')).toBeUndefined()
		open().write('other', body(''))
		expect(open().read('apple')).toBeUndefined()
		expect(open().read('other')).toEqual(body(''))
	})

	it('are neither too large nor too many', async () => {
		open().write('large', Buffer.alloc(101))
		expect(open().read('large')).toBeUndefined()
		open({ maxBytes: 200 }).write('large', Buffer.alloc(101))
		expect(open().read('large')).toBeUndefined()
		for (const name of ['a', 'b', 'c', 'd']) {
			open().write(name, body(name))
			await new Promise((resolve) => setTimeout(resolve, 20))
		}
		expect(readdirSync(join(home, '.cache/lading/fruit')).toSorted()).toEqual(['b', 'c', 'd'])
	})

	it('are done without by a user who has no home', () => {
		os.homedir = () => {
			throw new Error('A system error occurred: uv_os_get_passwd returned ENOENT (no such file or directory)')
		}
		open().write('apple', body('red'))
		expect(open().read('apple')).toBeUndefined()
	})
})
