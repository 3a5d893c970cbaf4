import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { UserError } from '../errors/index.ts'
import {
	ensureServer,
	isRunning,
	runningServer,
	type ServerState,
	startInBackground,
	stopServer,
} from './background.ts'

let directory = ''
const started: ServerState[] = []

beforeEach(() => {
	directory = mkdtempSync(join(tmpdir(), 'lading-'))
})
afterEach(async () => {
	for (const server of started.splice(0)) await stopServer(server)
	rmSync(directory, { recursive: true, force: true })
})

/** A server in one line of JavaScript: `say` sends a message to the starter. */
function start(
	script: string,
	options: { signal?: AbortSignal; timeoutMs?: number } = {},
): Promise<ServerState> {
	const file = join(directory, 'server.mjs')
	writeFileSync(
		file,
		`import { renameSync, writeFileSync } from 'node:fs'
const instance = process.argv[process.argv.indexOf('--instance') + 1]
const say = (message) => process.send(message, () => process.disconnect())
const record = (more = {}) =>
	writeFileSync(${JSON.stringify(join(directory, 'server.json'))}, JSON.stringify({ pid: process.pid, instance, port: 4711, startedAt: 'now', ...more }))
${script}`,
	)
	return startInBackground({
		launcher: { command: process.execPath, args: [file] },
		args: [],
		dataDirectory: directory,
		...options,
	})
}

const READY = `record(); say({ type: 'ready', port: 4711 }); setInterval(() => {}, 1000)`

async function startReady(): Promise<ServerState> {
	const server = await start(READY)
	started.push(server)
	return server
}

describe('a server in the background', () => {
	it('is started, found and stopped', async () => {
		const server = await startReady()
		expect(server.port).toBe(4711)
		expect(runningServer(directory)).toMatchObject({ pid: server.pid, instance: server.instance })
		expect(await stopServer(server)).toBe(true)
		expect(isRunning(server.pid)).toBe(false)
		expect(runningServer(directory)).toBeUndefined()
		expect(await stopServer(server)).toBe(false)
	})

	it('that does not end is given its time, and then ended', async () => {
		const server = await start(`process.on('SIGTERM', () => {}); ${READY}`)
		const stopped = stopServer(server, { graceMs: 400 })
		await delay(100)
		expect(isRunning(server.pid)).toBe(true)
		expect(await stopped).toBe(true)
		expect(isRunning(server.pid)).toBe(false)
	})

	it('has a log for its owner only', async () => {
		await startReady()
		expect(statSync(join(directory, 'server.log')).mode & 0o777).toBe(0o600)
	})

	it('is not taken for a stranger that has its number now', async () => {
		const stranger = { pid: process.pid, instance: '0123456789abcdef', port: 4711, startedAt: 'then' }
		writeFileSync(join(directory, 'server.json'), JSON.stringify(stranger))
		expect(runningServer(directory)).toBeUndefined()
		expect(await stopServer(stranger)).toBe(false)
	})

	it.each(['', '{', '{"pid":1,"instance":"0123456789abcdef","port":1,"startedAt":""}', '[]'])(
		'is not found by a record that says %j',
		(text) => {
			writeFileSync(join(directory, 'server.json'), text)
			expect(runningServer(directory)).toBeUndefined()
		},
	)

	it('tells why it cannot start, with its own code', async () => {
		const failed = start(`say({ type: 'failed', code: 'PORT_TAKEN', message: 'taken', hint: 'another' })`)
		await expect(failed).rejects.toMatchObject({ code: 'PORT_TAKEN', message: 'taken', hint: 'another' })
	})

	it('that ends without a word is told with the end of its log', async () => {
		const failed = start(`console.error('out of luck'); process.exitCode = 3; process.disconnect()`)
		await expect(failed).rejects.toMatchObject({
			code: 'SERVER_NOT_STARTED',
			message: expect.stringContaining('code 3'),
			details: ['out of luck'],
		})
	})

	it('that sends nonsense is ended', async () => {
		await expect(
			start(`record(); say({ type: 'hello' }); setInterval(() => {}, 1000)`),
		).rejects.toMatchObject({
			code: 'SERVER_NOT_STARTED',
		})
		const { pid } = JSON.parse(readFileSync(join(directory, 'server.json'), 'utf8')) as { pid: number }
		await expect.poll(() => isRunning(pid)).toBe(false)
	})

	it('that never answers is ended', async () => {
		await expect(start('setInterval(() => {}, 1000)', { timeoutMs: 200 })).rejects.toMatchObject({
			code: 'SERVER_NOT_STARTED',
			message: expect.stringContaining('in time'),
		})
	})

	it('is ended when the user gives up', async () => {
		const abort = new AbortController()
		const starting = start('setInterval(() => {}, 1000)', { signal: abort.signal })
		abort.abort()
		await expect(starting).rejects.toMatchObject({ name: 'AbortError' })
	})
})

describe('ensureServer', () => {
	it('takes the one that runs', async () => {
		const server = await startReady()
		const never = (): Promise<ServerState> => Promise.reject(new Error('a second one was started'))
		expect(await ensureServer(directory, never)).toMatchObject({
			server: { pid: server.pid },
			started: false,
		})
	})

	it('starts one where none runs', async () => {
		expect(await ensureServer(directory, startReady)).toMatchObject({ started: true })
	})

	it('waits for the one that a killed command was starting', async () => {
		const held = async (): Promise<ServerState> => {
			await startReady()
			throw new UserError('ALREADY_RUNNING', 'it holds the directory')
		}
		expect(await ensureServer(directory, held)).toMatchObject({ started: false })
	})

	it('passes on every other failure', async () => {
		const taken = (): Promise<ServerState> => Promise.reject(new UserError('PORT_TAKEN', 'taken'))
		await expect(ensureServer(directory, taken)).rejects.toMatchObject({ code: 'PORT_TAKEN' })
	})
})
