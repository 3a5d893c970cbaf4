import { spawn } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

const ROOT = resolve(import.meta.dirname, '../..')
/** The built program; LADING_TEST_MAIN names another build of it. */
export const MAIN: string = process.env.LADING_TEST_MAIN ?? join(ROOT, 'dist/cli/main.cjs')

export interface Ended {
	readonly code: number | null
	readonly signal: NodeJS.Signals | null
	readonly stdout: string
	readonly stderr: string
}

export interface RunOptions {
	readonly cwd: string
	readonly env?: Readonly<Record<string, string>>
	readonly input?: string
	/** Sends a signal, once, when the output matches. */
	readonly kill?: { readonly when: RegExp; readonly signal: NodeJS.Signals }
}

/** Runs the built program as a user does. */
export function lading(args: readonly string[], options: RunOptions): Promise<Ended> {
	return program(process.execPath, [MAIN, ...args], options)
}

export function program(command: string, args: readonly string[], options: RunOptions): Promise<Ended> {
	return new Promise((done, reject) => {
		const child = spawn(command, args, { cwd: options.cwd, env: environmentOf(options) })
		let stdout = ''
		let stderr = ''
		let isKilled = false
		const look = (): void => {
			if (isKilled || options.kill?.when.test(stdout + stderr) !== true) return
			isKilled = true
			child.kill(options.kill.signal)
		}
		child.stdout.setEncoding('utf8').on('data', (text: string) => {
			stdout += text
			look()
		})
		child.stderr.setEncoding('utf8').on('data', (text: string) => {
			stderr += text
			look()
		})
		child.on('error', reject)
		child.on('close', (code, signal) => done({ code, signal, stdout, stderr }))
		child.stdin.on('error', () => {})
		child.stdin.end(options.input ?? '')
	})
}

/** No colours, and no code kept in a home that is new in each test. */
const TEST_ENV: Readonly<Record<string, string>> = { NO_COLOR: '1', NODE_DISABLE_COMPILE_CACHE: '1' }

const LEFT_OUT: readonly string[] = [
	'KUBECONFIG',
	'DOCKER_CONFIG',
	'LADING_USERNAME',
	'LADING_PASSWORD',
	'XDG_CACHE_HOME',
	'XDG_STATE_HOME',
	'npm_command',
	'npm_lifecycle_event',
]

/** Neither the user's registries, clusters and caches take part in a test, nor how npm has started it. */
export function environmentOf({ cwd, env }: RunOptions): NodeJS.ProcessEnv {
	const all: NodeJS.ProcessEnv = { ...process.env, ...TEST_ENV, HOME: cwd, ...env }
	for (const name of LEFT_OUT) if (env?.[name] === undefined) delete all[name]
	return all
}

export interface Project {
	readonly directory: string
	run(...args: string[]): Promise<Ended>
	/** `run` that fails the test unless the exit code is 0. @returns stdout, trimmed */
	ok(...args: string[]): Promise<string>
	/** `ok` with `--json`, parsed. */
	json(...args: string[]): Promise<Record<string, unknown>>
	/** Stops what runs in it and removes it. */
	remove(): Promise<void>
}

export interface ProjectOptions {
	/** Without the sample manifests and their lading.yaml. */
	readonly empty?: boolean
	/** Default: the system's directory for temporary files. */
	readonly parent?: string
	/** Variables of every command that runs in it. */
	readonly env?: Readonly<Record<string, string>>
	/** Default: {@link lading}, a process for each command. */
	readonly start?: typeof lading
}

/** A new directory with the sample manifests and their lading.yaml, or empty. */
export function createProject(options: ProjectOptions = {}): Project {
	const directory = mkdtempSync(join(options.parent ?? tmpdir(), 'lading-e2e-'))
	if (options.empty !== true) {
		cpSync(join(ROOT, 'sample-manifests'), join(directory, 'sample-manifests'), { recursive: true })
		cpSync(join(ROOT, 'lading.yaml'), join(directory, 'lading.yaml'))
	}
	const { start = lading, env = {} } = options
	const run = (...args: string[]): Promise<Ended> => start(args, { cwd: directory, env })
	const ok = async (...args: string[]): Promise<string> => {
		const ended = await run(...args)
		if (ended.code !== 0)
			throw new Error(`lading ${args.join(' ')} ended with ${ended.code}:\n${ended.stdout}${ended.stderr}`)
		return ended.stdout.trim()
	}
	return {
		directory,
		run,
		ok,
		async json(...args) {
			const parsed: unknown = JSON.parse(await ok(...args, '--json'))
			if (typeof parsed !== 'object' || parsed === null) throw new Error('not a document')
			return parsed as Record<string, unknown>
		},
		async remove() {
			await run('down', '--force')
			rmSync(directory, { recursive: true, force: true })
		},
	}
}

/** Processes that have `text` in their arguments, this one left out. */
export function processesWith(text: string): readonly string[] {
	const found: string[] = []
	for (const pid of readdirSync('/proc')) {
		if (!/^\d+$/.test(pid) || Number(pid) === process.pid) continue
		try {
			const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
			if (line.includes(text)) found.push(`${pid} ${line}`)
		} catch {
			// it has ended in between
		}
	}
	return found
}
