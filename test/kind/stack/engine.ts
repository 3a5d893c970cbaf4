import { spawn } from 'node:child_process'
import { existsSync, openSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { program } from '../../e2e/program.ts'
import { machine } from './machine.ts'

/** See inside.sh. */
const PID_FILE = '/run/docker.pid'
const TIMEOUT_MS = 60_000
const POLL_MS = 100

/**
 * Stops the engine of the tests as a machine does that is shut down, and starts it again with the arguments it had.
 * What is in its containers ends with it.
 */
export async function restartEngine(): Promise<void> {
	// Elsewhere it would be somebody's own.
	machine()
	const pid = Number(readFileSync(PID_FILE, 'utf8'))
	const [command = '', ...args] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1)
	process.kill(pid, 'SIGTERM')
	await until('stop', () => Promise.resolve(!existsSync(PID_FILE)))
	const configFile = args[args.indexOf('--config-file') + 1] ?? ''
	const log = openSync(join(dirname(configFile), 'dockerd.log'), 'a')
	// Of the namespaces, not of the process of this test, which ends before the other files run.
	spawn(command, args, { detached: true, stdio: ['ignore', log, log] }).unref()
	await until('start', async () => (await program('docker', ['version'], { cwd: '/' })).code === 0)
}

async function until(what: string, isDone: () => Promise<boolean>): Promise<void> {
	for (let waited = 0; waited < TIMEOUT_MS; waited += POLL_MS) {
		if (await isDone()) return
		await delay(POLL_MS)
	}
	throw new Error(`the engine does not ${what}`)
}
