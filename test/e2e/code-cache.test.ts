import { isAscii } from 'node:buffer'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
	chmodSync,
	copyFileSync,
	cpSync,
	existsSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	rmSync,
	statSync,
	symlinkSync,
	utimesSync,
	writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Ended, MAIN, program } from './program.ts'

// V8 runs whatever it is given as the code of a chunk: a flipped bit is not noticed, and neither is code of another text.

let home: string
let codes: string
let key: string
beforeEach(() => {
	home = mkdtempSync(join(tmpdir(), 'lading-e2e-'))
	codes = join(home, '.cache/lading/code')
	key = join(home, '.local/state/lading/cache-key')
})
afterEach(() => rmSync(home, { recursive: true, force: true }))

function run(args: readonly string[], { env = {}, main = MAIN } = {}): Promise<Ended> {
	const all = { NODE_DISABLE_COMPILE_CACHE: '', ...env }
	return program(process.execPath, [main, ...args], { cwd: home, env: all })
}

const help = (options = {}): Promise<Ended> => run(['help', 'push'], options)
const helpCode = (): string => join(codes, 'help')
/** Written anew, a file has another. */
const identity = (path: string): number => statSync(path).ino

describe('the code of the last run', () => {
	it('is kept where only this user may write, and taken as long as it holds', async () => {
		const cold = await help()
		expect(cold.code).toBe(0)
		expect(statSync(helpCode()).mode & 0o777).toBe(0o600)
		expect(statSync(codes).mode & 0o777).toBe(0o700)
		expect(statSync(key).mode & 0o777).toBe(0o600)
		const first = identity(helpCode())
		expect(await help()).toEqual(cold)
		expect(identity(helpCode())).toBe(first)
	})

	it('is kept of a registry, which runs with flags of its own, and taken', async () => {
		const code = join(codes, 'registry')
		const serveOnce = async (): Promise<number> => {
			const args = [MAIN, 'registry', 'serve', '--data', 'data', '--port', '0', '--plain-http']
			const env = {
				...process.env,
				HOME: home,
				XDG_CACHE_HOME: '',
				XDG_STATE_HOME: '',
				NODE_DISABLE_COMPILE_CACHE: '',
			}
			const server = spawn(process.execPath, args, { cwd: home, env, stdio: ['ignore', 'pipe', 'inherit'] })
			await once(server.stdout, 'data')
			server.kill('SIGTERM')
			await once(server, 'exit')
			return identity(code)
		}
		const first = await serveOnce()
		expect(await serveOnce()).toBe(first)
	})

	it.each<readonly [string, () => void]>([
		['a flipped bit', () => flipBit(-5000)],
		['a flipped bit of the seal', () => flipBit(3)],
		['half a file', () => writeFileSync(helpCode(), readFileSync(helpCode()).subarray(0, 50_000))],
		['an empty file', () => writeFileSync(helpCode(), '')],
		['another key', () => writeFileSync(key, Buffer.alloc(32, 1))],
		['a file that all may write', () => chmodSync(helpCode(), 0o666)],
		['a file that a link leads to', behindLink],
		['that of another command', () => copyFileSync(join(codes, 'completion'), helpCode())],
	])('is not taken, and made anew: %s', async (_, tamper) => {
		const cold = await help()
		await run(['completion', 'bash'])
		tamper()
		const wrong = identity(helpCode())
		expect(await help()).toEqual(cold)
		expect(identity(helpCode())).not.toBe(wrong)
		expect(statSync(helpCode()).mode & 0o777).toBe(0o600)
		const right = identity(helpCode())
		expect(await help()).toEqual(cold)
		expect(identity(helpCode())).toBe(right)
	})

	it('is not taken for another build, whose text is as long', async () => {
		const main = copyOfProgram()
		const chunk = join(dirname(main), 'command-line.cjs')
		const text = readFileSync(chunk, 'utf8')
		// As in packages, whose files are all of one time.
		utimesSync(chunk, 1000, 1000)
		const before = await run(['help'], { main })
		writeFileSync(chunk, text.replaceAll('running application', 'RUNNING APPLICATION'))
		utimesSync(chunk, 1000, 1000)
		const after = await run(['help'], { main })
		expect(before.stdout).toContain('running application')
		expect(after.stdout).toContain('RUNNING APPLICATION')
	})

	it('is not kept of a command that is none, nor where it is not wanted', async () => {
		expect((await run(['psuh'])).code).toBe(2)
		expect((await help({ env: { NODE_DISABLE_COMPILE_CACHE: '1' } })).code).toBe(0)
		expect(existsSync(codes)).toBe(false)
	})

	it('is missed by nobody where it cannot be kept', async () => {
		const cold = await help()
		writeFileSync(join(home, 'file'), '')
		expect(await help({ env: { XDG_CACHE_HOME: join(home, 'file') } })).toEqual(cold)
		expect(await help({ env: { XDG_STATE_HOME: join(home, 'file') } })).toEqual(cold)
	})

	it('is missed by nobody whose home is a relative path', async () => {
		expect(await help({ env: { HOME: '.' } })).toMatchObject({ code: 0, stderr: '' })
		expect(existsSync(codes)).toBe(false)
	})

	it('is whole when many write it at once', async () => {
		const all = await Promise.all(Array.from({ length: 6 }, () => help()))
		expect(new Set(all.map(({ stdout }) => stdout)).size).toBe(1)
		expect(readdirSync(codes)).toEqual(['help'])
		const left = identity(helpCode())
		await help()
		expect(identity(helpCode())).toBe(left)
	})
})

/** Of the byte at this place, or so many from the end. */
function flipBit(at: number): void {
	const bytes = readFileSync(helpCode())
	bytes.set([(bytes.at(at) ?? 0) ^ 1], at < 0 ? bytes.byteLength + at : at)
	writeFileSync(helpCode(), bytes)
}

function behindLink(): void {
	const elsewhere = join(home, 'elsewhere')
	cpSync(helpCode(), elsewhere)
	rmSync(helpCode())
	symlinkSync(elsewhere, helpCode())
}

/** @returns its main file */
function copyOfProgram(): string {
	const from = resolve(dirname(MAIN), '../..')
	for (const part of ['package.json', 'dist/cli']) {
		cpSync(join(from, part), join(home, 'copy', part), { recursive: true })
	}
	return join(home, 'copy/dist/cli/main.cjs')
}

it('the program is ASCII text, which V8 keeps in half of the memory', () => {
	const chunks = readdirSync(dirname(MAIN)).filter((name) => name.endsWith('.cjs'))
	expect(chunks.length).toBeGreaterThan(10)
	expect(chunks.filter((name) => !isAscii(readFileSync(join(dirname(MAIN), name))))).toEqual([])
})

it('a command that has nothing left to wait for, and has not ended, is no success', async () => {
	const main = copyOfProgram()
	writeFileSync(join(dirname(main), 'app.cjs'), 'exports.runMain = () => new Promise(() => {})')
	const ended = await run(['help'], { main })
	expect(ended).toMatchObject({ code: 70, stdout: '' })
	expect(ended.stderr).toContain('it ended before it was done')
})
