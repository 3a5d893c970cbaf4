import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openWorkspace } from './workspace.ts'

let root = ''

beforeEach(() => {
	root = mkdtempSync(join(tmpdir(), 'lading-'))
})
afterEach(() => {
	rmSync(root, { recursive: true, force: true })
})

const locks = (): readonly string[] =>
	readdirSync(join(root, '.lading')).filter((name) => name.startsWith('lock'))

/** Leaves the lock of a process with this id, as that process would have. */
function leaveLock(pid: number, started: string): void {
	mkdirSync(join(root, '.lading'))
	writeFileSync(join(root, '.lading', `lock.${pid}.${started}.00000000-0000-4000-8000-000000000000`), '')
}

describe('the lock of a workspace', () => {
	it('lets one at a time in, in one process too', async () => {
		let inside = 0
		let most = 0
		const enter = async (): Promise<void> => {
			most = Math.max(most, ++inside)
			await new Promise((resolve) => setTimeout(resolve, 5))
			inside--
		}
		const workspaces = Array.from({ length: 4 }, () => openWorkspace(root))
		await Promise.all(workspaces.map(async (each) => await each.exclusive(enter)))
		expect(most).toBe(1)
	})

	it('is given back when the work fails', async () => {
		const workspace = openWorkspace(root)
		await expect(workspace.exclusive(async () => await Promise.reject(new Error('no')))).rejects.toThrow('no')
		expect(await workspace.exclusive(async () => await Promise.resolve('in'))).toBe('in')
	})

	it('leaves no directory behind when nothing was written', async () => {
		await openWorkspace(root).exclusive(async () => await Promise.resolve())
		expect(existsSync(join(root, '.lading'))).toBe(false)
	})

	it('makes a directory for its owner only', async () => {
		await openWorkspace(root).exclusive(async () => {
			expect(statSync(join(root, '.lading')).mode & 0o777).toBe(0o700)
			await Promise.resolve()
		})
	})

	it('of a process that is gone does not count', async () => {
		const { pid } = spawnSync(process.execPath, ['-e', '0'])
		leaveLock(pid, '1')
		await openWorkspace(root).exclusive(async () => {
			expect(locks()).toHaveLength(1)
			await Promise.resolve()
		})
	})

	it('of a process whose number another has now does not count', async () => {
		leaveLock(process.ppid, '1')
		expect(await openWorkspace(root).exclusive(async () => await Promise.resolve('in'))).toBe('in')
	})

	it('of a process that runs is waited for, then refused with its number', async () => {
		const workspace = openWorkspace(root)
		await workspace.exclusive(async () => {
			const second = openWorkspace(root).exclusive(async () => await Promise.resolve(), { waitMs: 30 })
			await expect(second).rejects.toMatchObject({
				code: 'ALREADY_RUNNING',
				message: expect.stringContaining(String(process.pid)),
			})
		})
	})

	it('is not waited for once the user gives up', async () => {
		await openWorkspace(root).exclusive(async () => {
			const abort = new AbortController()
			const second = openWorkspace(root).exclusive(async () => await Promise.resolve(), {
				signal: abort.signal,
			})
			abort.abort()
			await expect(second).rejects.toMatchObject({ name: 'AbortError' })
		})
	})

	it('is refused with a reason where nothing may be written', async () => {
		writeFileSync(join(root, '.lading'), 'a file')
		await expect(openWorkspace(root).exclusive(async () => await Promise.resolve())).rejects.toMatchObject({
			code: 'FILE_UNWRITABLE',
		})
	})
})
