import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { UserError } from '../errors/index.ts'
import { serveUntilStopped } from './serve.ts'

const send: unknown = Reflect.get(process, 'send')
let dataDirectory: string
beforeEach(() => {
	// The runner of the tests is no starter that waits for word.
	Reflect.set(process, 'send', undefined)
	dataDirectory = mkdtempSync(join(tmpdir(), 'lading-'))
})
afterEach(() => {
	Reflect.set(process, 'send', send)
	rmSync(dataDirectory, { recursive: true, force: true })
})

describe('serveUntilStopped', () => {
	it('ends with the reason when the server is lost, after it has closed', async () => {
		const lost = new AbortController()
		const why = new UserError('ALREADY_RUNNING', 'another one has it')
		const close = vi.fn<() => Promise<void>>(() => Promise.resolve())
		const served = serveUntilStopped({
			now: () => new Date(0),
			dataDirectory,
			signal: new AbortController().signal,
			open: () => Promise.resolve({ port: 1, lost: lost.signal, close }),
			onReady: () => setImmediate(() => lost.abort(why)),
		})
		await expect(served).rejects.toBe(why)
		expect(close).toHaveBeenCalledTimes(1)
	})

	it('ends without a word when it is stopped, and forgets only a record of its own', async () => {
		const stop = new AbortController()
		const instance = '0123456789abcdef'
		const others = join(dataDirectory, 'server.json')
		await serveUntilStopped({
			now: () => new Date(0),
			dataDirectory,
			instance,
			signal: stop.signal,
			open: () =>
				Promise.resolve({ port: 1, lost: new AbortController().signal, close: () => Promise.resolve() }),
			onReady: () => {
				writeFileSync(others, 'of another one')
				stop.abort()
			},
		})
		expect(readFileSync(others, 'utf8')).toBe('of another one')
	})
})
