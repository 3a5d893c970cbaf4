import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { type OwnedSupervisor, startSupervisor, Supervisor } from '../real/stack/supervisor.ts'

const SUPERVISOR = resolve(import.meta.dirname, '../real/stack/supervisor.mjs')
/** Ignores what it can, starts another that does so too, and says when both are there. */
const STUBBORN = `
process.on('SIGTERM', () => {})
if (process.argv[1] !== 'second') {
	const { spawn } = require('node:child_process')
	spawn(process.execPath, ['-e', process.env.CODE, 'second'], { stdio: 'inherit' })
} else console.log(process.pid, process.ppid)
setInterval(() => {}, 1000)`
const stubborn = {
	name: 'stubborn',
	command: process.execPath,
	args: ['-e', STUBBORN],
	env: { CODE: STUBBORN },
}

async function pidsOf(supervisor: Supervisor): Promise<readonly number[]> {
	for (;;) {
		const pids = /^(\d+) (\d+)$/m.exec(supervisor.log('stubborn'))
		if (pids) return pids.slice(1).map(Number)
		await new Promise((done) => setTimeout(done, 20))
	}
}

function isAlive(pid: number): boolean {
	try {
		process.kill(pid, 0)
		return true
	} catch {
		return false
	}
}

async function untilGone(pids: readonly number[], directory: string): Promise<void> {
	while (pids.some(isAlive) || existsSync(directory)) await new Promise((done) => setTimeout(done, 20))
}

describe('the supervisor of the real stack', () => {
	let supervisor: OwnedSupervisor | undefined
	afterEach(async () => {
		await supervisor?.end()
		supervisor = undefined
	})

	it('takes everything with it when whoever started it is killed', async () => {
		const directory = mkdtempSync(join(tmpdir(), 'lading-real-'))
		const holder = spawn(
			process.execPath,
			[
				'-e',
				`const child = require('node:child_process').spawn(process.execPath, ${JSON.stringify([SUPERVISOR, directory])}, { stdio: ['pipe', 'inherit', 'inherit'], detached: true })
				setInterval(() => {}, 1000)`,
			],
			{ stdio: ['ignore', 'pipe', 'inherit'] },
		)
		await once(holder.stdout, 'data')
		const client = new Supervisor(directory)
		await client.start(stubborn)
		const pids = await pidsOf(client)
		expect(pids.every(isAlive)).toBe(true)
		holder.kill('SIGKILL')
		await untilGone(pids, directory)
	})

	it('stops, starts again with another environment, and tells what became of a process', async () => {
		supervisor = await startSupervisor()
		await supervisor.start({
			name: 'one',
			command: process.execPath,
			args: [
				'-e',
				'console.log(process.env.WORD); if (process.env.WORD === "first") setInterval(() => {}, 1000)',
			],
			env: { WORD: 'first' },
		})
		expect(await supervisor.state('one')).toMatchObject({ running: true })
		await expect(supervisor.start({ name: 'one', command: 'true', args: [] })).rejects.toThrow('runs already')
		await supervisor.stop('one', 'SIGINT')
		expect(await supervisor.state('one')).toMatchObject({ running: false, signal: 'SIGINT' })
		await supervisor.restart('one', { WORD: 'second' })
		expect(await supervisor.wait('one')).toEqual({ code: 0, signal: null })
		expect(supervisor.log('one').trimEnd().split('\n').at(-1)).toBe('second')
	})

	it('says what cannot be started, and ends what was', async () => {
		supervisor = await startSupervisor()
		const nothing = supervisor.start({ name: 'nothing', command: '/no/such/program', args: [] })
		await expect(nothing).rejects.toThrow('ENOENT')
		await supervisor.start(stubborn)
		const pids = await pidsOf(supervisor)
		await supervisor.end()
		await untilGone(pids, supervisor.directory)
	})

	it('keeps two sets of the same names apart, and ends both with the run', async () => {
		supervisor = await startSupervisor()
		const { directory } = supervisor
		const own = new Supervisor(directory, 'own')
		const where = 'console.log(process.cwd(), process.env.HOME); setInterval(() => {}, 1000)'
		const spec = { name: 'one', command: process.execPath, args: ['-e', where] }
		for (const each of [supervisor, own]) await each.start(spec)
		await expect.poll(() => own.log('one')).toBe(`${join(directory, 'own')} ${join(directory, 'own/home')}\n`)
		await expect.poll(() => supervisor?.log('one')).toBe(`${directory} ${join(directory, 'home')}\n`)
		expect(await own.names()).toEqual(['one'])
		await own.stopAll()
		expect(await own.state('one')).toMatchObject({ running: false, signal: 'SIGKILL' })
		expect(await supervisor.state('one')).toMatchObject({ running: true })
		await own.restart('one')
		const pids = [(await own.state('one')).pid ?? 0, (await supervisor.state('one')).pid ?? 0]
		await supervisor.end()
		await untilGone(pids, directory)
	})

	it('gives every run ports of its own', async () => {
		supervisor = await startSupervisor()
		const other = await startSupervisor()
		try {
			const ports = await Promise.all([supervisor, other, supervisor, other].map((each) => each.port()))
			expect(new Set(ports).size).toBe(4)
			expect(Math.floor((ports[0] ?? 0) / 100)).not.toBe(Math.floor((ports[1] ?? 0) / 100))
		} finally {
			await other.end()
		}
	})
})
