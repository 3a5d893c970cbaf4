import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { constants } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createProject, MAIN, program, type Project } from './program.ts'

let project: Project

beforeAll(() => {
	project = createProject()
})
afterAll(async () => await project.remove())

/** Runs a command in a terminal, which it closes once that shows a text, and writes how the command ended. */
const CLOSING = `
import os, pty, sys
pid, fd = pty.fork()
if pid == 0: os.execv(sys.argv[2], sys.argv[2:])
shown = b''
while sys.argv[1].encode() not in shown: shown += os.read(fd, 4096)
os.close(fd)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
`

/** @returns the exit code, or the number of the signal below 0 */
async function closeAt(text: string, ...args: readonly string[]): Promise<number> {
	const command = ['-c', CLOSING, text, process.execPath, MAIN, ...args]
	const { stdout, stderr } = await program('python3', command, { cwd: project.directory })
	expect(stderr).toBe('')
	return Number(stdout)
}

const BY_SIGHUP = -constants.signals.SIGHUP

/** Node opens no terminal; 3.9 says how a process ended. `.ci/run` installs it where it is missing. */
const hasPython = spawnSync('python3', ['-c', 'import pty, os; os.waitstatus_to_exitcode']).status === 0

describe.skipIf(!hasPython)('a terminal that is closed', () => {
	it('ends a registry by SIGHUP, which leaves neither lock nor control file', async () => {
		expect(await closeAt('Registry at', 'registry', 'serve', '--data', 'data', '--port', '0')).toBe(BY_SIGHUP)
		const left = readdirSync(join(project.directory, 'data'))
		expect(left.filter((name) => /^(?:lock|control)/.test(name))).toEqual([])
	}, 60_000)

	it('ends a hidden question by SIGHUP', async () => {
		expect(await closeAt('Password', 'login', 'localhost:1', '-u', 'ann')).toBe(BY_SIGHUP)
	}, 60_000)

	it('ends dev by SIGHUP', async () => {
		await project.ok('up', '--cluster', 'sandbox')
		expect(await closeAt('"healthy"', 'dev', 'sample-manifests', '--json')).toBe(BY_SIGHUP)
	}, 60_000)
})
