import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, renameSync, rmSync, statSync, utimesSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { lockDirectory, STALE_MS } from './directory-lock.ts'

let directory: string
beforeEach(() => {
	directory = mkdtempSync(join(tmpdir(), 'lading-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const locks = (): readonly string[] => readdirSync(directory).filter((name) => name.startsWith('lock.'))

describe('the lock of a process in another namespace', () => {
	const here = '0123456789abcdef'
	const there = 'fedcba9876543210'
	const held = { code: 'ALREADY_RUNNING', hint: expect.stringContaining('seconds') }

	it('holds while it is touched, whoever has its number here, and no longer than it says', () => {
		lockDirectory(directory, { namespace: there })
		const [name = ''] = locks()
		const path = join(directory, name)
		let now = Date.now()
		const take = (): unknown => lockDirectory(directory, { namespace: here, now: () => now })
		expect(take).toThrow(expect.objectContaining(held))
		expect(locks()).toEqual([name])
		utimesSync(path, now / 1000, now / 1000)
		now += STALE_MS - 1
		expect(take).toThrow(expect.objectContaining(held))
		// A clock that is behind.
		now -= 10 * STALE_MS
		expect(take).toThrow(expect.objectContaining(held))
		now += 10 * STALE_MS + 2
		expect(take).not.toThrow()
		expect(locks()).not.toContain(name)
		expect(locks()).toHaveLength(1)
	})

	it('is touched as long as it is held, and its owner is told when it is gone', () => {
		vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
		try {
			const onLost = vi.fn<() => void>()
			lockDirectory(directory, { namespace: there, onLost })
			const path = join(directory, locks()[0] ?? '')
			utimesSync(path, 0, 0)
			vi.advanceTimersByTime(STALE_MS / 3)
			expect(statSync(path).mtimeMs).toBeGreaterThan(0)
			expect(onLost).not.toHaveBeenCalled()
			rmSync(path)
			vi.advanceTimersByTime(STALE_MS)
			expect(onLost).toHaveBeenCalledTimes(1)
			const { release } = lockDirectory(directory, { namespace: there, onLost })
			release()
			vi.advanceTimersByTime(STALE_MS)
			expect(onLost).toHaveBeenCalledTimes(1)
		} finally {
			vi.useRealTimers()
		}
	})

	it('is no reason to wait where it is of the same namespace and its process is gone', async () => {
		const child = spawn(process.execPath, ['-e', ''])
		await once(child, 'exit')
		lockDirectory(directory, { namespace: here })
		const [own = ''] = locks()
		const left = own.replace(/^lock\.\d+/, `lock.${child.pid}`)
		renameSync(join(directory, own), join(directory, left))
		expect(() => lockDirectory(directory, { namespace: here })).not.toThrow()
		expect(locks()).not.toContain(left)
		expect(() => lockDirectory(directory, { namespace: here })).toThrow(
			expect.objectContaining({
				code: 'ALREADY_RUNNING',
				message: expect.stringContaining(String(process.pid)),
			}),
		)
	})
})
