import { execFileSync } from 'node:child_process'
import {
	chmodSync,
	copyFileSync,
	existsSync,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	renameSync,
	rmSync,
	writeFileSync,
} from 'node:fs'
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
const of = (text: string) => (): Buffer => body(text)

describe('sealed files', () => {
	it('are read as they were written, the last one', () => {
		open().write('apple', of('red'))
		open().write('apple', of('green'))
		expect(open().read('apple')).toEqual(body('green'))
		expect(open().read('pear')).toBeUndefined()
		expect(readdirSync(join(home, '.cache/lading/fruit'))).toEqual(['apple'])
	})

	it('lie where the environment says, not where a relative path would lead', () => {
		const env = { XDG_CACHE_HOME: join(home, 'c'), XDG_STATE_HOME: join(home, 's'), HOME: join(home, 'h') }
		open({ env }).write('apple', of('red'))
		expect(existsSync(join(home, 'c/lading/fruit/apple'))).toBe(true)
		expect(existsSync(join(home, 's/lading/cache-key'))).toBe(true)
		open({ env: { ...env, XDG_CACHE_HOME: 'c' } }).write('apple', of('red'))
		expect(existsSync(join(home, 'h/.cache/lading/fruit/apple'))).toBe(true)
	})

	it('are none under another name, of another kind, or with another key', () => {
		open().write('apple', of('red'))
		const folder = join(home, '.cache/lading/fruit')
		copyFileSync(join(folder, 'apple'), join(folder, 'pear'))
		expect(open().read('pear')).toBeUndefined()
		mkdirSync(join(home, '.cache/lading/tree'))
		copyFileSync(join(folder, 'apple'), join(home, '.cache/lading/tree/apple'))
		expect(open({ kind: 'tree' }).read('apple')).toBeUndefined()
		renameSync(join(home, '.local/state/lading/cache-key'), join(home, 'old-key'))
		expect(open().read('apple')).toBeUndefined()
		open().write('other', of(''))
		expect(open().read('apple')).toBeUndefined()
		expect(open().read('other')).toEqual(body(''))
	})

	it('are neither too large nor too many', async () => {
		open().write('large', () => Buffer.alloc(101))
		expect(open().read('large')).toBeUndefined()
		open({ maxBytes: 200 }).write('large', () => Buffer.alloc(101))
		expect(open().read('large')).toBeUndefined()
		for (const name of ['a', 'b', 'c', 'd']) {
			open().write(name, of(name))
			await new Promise((resolve) => setTimeout(resolve, 20))
		}
		expect(readdirSync(join(home, '.cache/lading/fruit')).toSorted()).toEqual(['b', 'c', 'd'])
	})

	it('are done without by a user who has no home', () => {
		os.homedir = () => {
			throw new Error('A system error occurred: uv_os_get_passwd returned ENOENT (no such file or directory)')
		}
		open().write('apple', of('red'))
		expect(open().read('apple')).toBeUndefined()
	})

	it('are none in a home that is relative, such as the directory one works in', () => {
		const before = process.cwd()
		process.chdir(home)
		try {
			for (const path of ['', '.local', '.local/state', '.local/state/lading', '.cache', '.cache/lading'])
				mkdirSync(join(home, path), { recursive: true })
			open({ env: { HOME: '.' } }).write('apple', of('red'))
			open({ env: { HOME: home } }).write('apple', of('red'))
			expect(open({ env: { HOME: home } }).read('apple')).toEqual(body('red'))
			expect(open({ env: { HOME: '.' } }).read('apple')).toBeUndefined()
		} finally {
			process.chdir(before)
		}
	})

	it.each(['.cache/lading/fruit/apple', '.local/state/lading/cache-key'])(
		'are none where others may read %s, as of a working copy of git',
		(path) => {
			open().write('apple', of('red'))
			chmodSync(join(home, path), 0o644)
			expect(open().read('apple')).toBeUndefined()
			open().write('apple', of('green'))
			expect(open().read('apple')).toEqual(body('green'))
		},
	)

	it('are none of another user, and none are made in his home', () => {
		open().write('apple', of('red'))
		const user = vi.spyOn(process, 'geteuid').mockReturnValue(54_321)
		try {
			expect(open().read('apple')).toBeUndefined()
			const made = vi.fn<() => Buffer>(of('green'))
			open().write('apple', made)
			open({ kind: 'tree' }).write('apple', made)
			expect(made).not.toHaveBeenCalled()
			expect(readdirSync(join(home, '.cache/lading'))).toEqual(['fruit'])
		} finally {
			user.mockRestore()
		}
		expect(open().read('apple')).toEqual(body('red'))
	})

	it('have another key where the one there cannot be used', () => {
		open().write('apple', of('red'))
		writeFileSync(join(home, '.local/state/lading/cache-key'), 'short')
		expect(open().read('apple')).toBeUndefined()
		open().write('apple', of('green'))
		expect(open().read('apple')).toEqual(body('green'))
	})

	it('are no pipe, which would never end', () => {
		open().write('apple', of('red'))
		const path = join(home, '.cache/lading/fruit/apple')
		rmSync(path)
		execFileSync('mkfifo', ['-m', '600', path])
		expect(open().read('apple')).toBeUndefined()
	})
})
