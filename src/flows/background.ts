import { randomBytes } from 'node:crypto'
import {
	closeSync,
	existsSync,
	mkdirSync,
	openSync,
	readFileSync,
	renameSync,
	rmSync,
	writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import * as v from 'valibot'
import { readTextFile } from '../content/index.ts'
import { errorCodes, type ErrorCode, isSystemError, UserError } from '../errors/index.ts'

/**
 * How to run this very program again as a server: `node main.cjs`. Given by the
 * command line; a library caller that wants background servers gives its own.
 */
export interface Launcher {
	readonly command: string
	readonly args: readonly string[]
}

/** A server of ours that runs in the background. It writes this itself, into its data directory. */
export interface ServerState {
	readonly pid: number
	/** Random name of this run; it stands in the process's arguments too. */
	readonly instance: string
	readonly port: number
	readonly startedAt: string
}

const serverSchema: v.GenericSchema<unknown, ServerState> = v.object({
	pid: v.pipe(v.number(), v.integer(), v.minValue(2)),
	instance: v.pipe(v.string(), v.regex(/^[0-9a-f]{16}$/)),
	port: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_535)),
	startedAt: v.string(),
})

const SERVER_FILE = 'server.json'

/**
 * The server that runs on this data directory. A process id alone proves nothing
 * after a restart of the machine: the instance must stand in the arguments of the process.
 */
export function runningServer(dataDirectory: string): ServerState | undefined {
	let text: string
	try {
		text = readFileSync(join(dataDirectory, SERVER_FILE), 'utf8')
	} catch {
		return undefined
	}
	const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), serverSchema), text)
	return parsed.success && isSame(parsed.output) ? parsed.output : undefined
}

/** Called by the server itself once it listens; the result removes the record. */
export function recordServer(dataDirectory: string, server: ServerState): () => void {
	const path = join(dataDirectory, SERVER_FILE)
	const temporary = `${path}.tmp`
	const text = `${JSON.stringify(server)}\n`
	writeFileSync(temporary, text, { mode: 0o600 })
	renameSync(temporary, path)
	return () => {
		// Whoever has taken the directory over has a record of its own.
		if (readTextFile(path) === text) rmSync(path, { force: true })
	}
}

/** What a server tells its starter over the IPC channel, once. */
export type StartupMessage =
	| { readonly type: 'ready'; readonly port: number }
	| {
			readonly type: 'failed'
			readonly code: ErrorCode
			readonly message: string
			readonly hint?: string | undefined
	  }

const startupSchema: v.GenericSchema<unknown, StartupMessage> = v.variant('type', [
	v.object({ type: v.literal('ready'), port: v.number() }),
	v.object({
		type: v.literal('failed'),
		code: v.custom<ErrorCode>((code) => typeof code === 'string' && code in errorCodes),
		message: v.string(),
		hint: v.optional(v.string()),
	}),
])

export interface StartOptions {
	readonly launcher: Launcher
	/** Arguments of the server; `--instance NAME` is added. */
	readonly args: readonly string[]
	/** Its log goes to `server.log` in here. */
	readonly dataDirectory: string
	readonly timeoutMs?: number | undefined
	readonly signal?: AbortSignal | undefined
}

const START_TIMEOUT_MS = 20_000
const LOG_TAIL_BYTES = 2000

/**
 * Starts a server that outlives this process and resolves when it says that it listens.
 * @throws UserError with the server's own code, or `SERVER_NOT_STARTED` with the end of its log
 */
export async function startInBackground(options: StartOptions): Promise<ServerState> {
	const { spawn } = await import('node:child_process')
	options.signal?.throwIfAborted()
	const instance = randomBytes(8).toString('hex')
	mkdirSync(options.dataDirectory, { recursive: true, mode: 0o700 })
	const logPath = join(options.dataDirectory, 'server.log')
	const log = openSync(logPath, 'a', 0o600)
	const child = spawn(
		options.launcher.command,
		[...options.launcher.args, ...options.args, '--instance', instance],
		{
			detached: true,
			stdio: ['ignore', log, log, 'ipc'],
		},
	)
	closeSync(log)
	const startup = await new Promise<StartupMessage | string>((resolve) => {
		const timer = setTimeout(
			() => resolve('it did not answer in time'),
			options.timeoutMs ?? START_TIMEOUT_MS,
		)
		const onAbort = (): void => resolve('interrupted')
		options.signal?.addEventListener('abort', onAbort, { once: true })
		const settle = (result: StartupMessage | string): void => {
			clearTimeout(timer)
			options.signal?.removeEventListener('abort', onAbort)
			resolve(result)
		}
		child.once('message', (message) => {
			const parsed = v.safeParse(startupSchema, message)
			settle(parsed.success ? parsed.output : 'it sent a message that is none of ours')
		})
		child.once('error', (error) => settle(error.message))
		child.once('exit', (code, signal) => settle(`it ended with ${signal ?? `code ${code}`}`))
	})
	if (child.connected) child.disconnect()
	child.unref()
	if (typeof startup !== 'string' && startup.type === 'ready' && child.pid !== undefined) {
		return { pid: child.pid, instance, port: startup.port, startedAt: new Date().toISOString() }
	}
	child.kill('SIGKILL')
	options.signal?.throwIfAborted()
	if (typeof startup !== 'string' && startup.type === 'failed') {
		throw new UserError(startup.code, startup.message, { hint: startup.hint })
	}
	throw new UserError(
		'SERVER_NOT_STARTED',
		`the server could not be started: ${typeof startup === 'string' ? startup : startup.type}`,
		{
			hint: `Its log is ${logPath}`,
			details: tail(logPath),
		},
	)
}

function tail(path: string): readonly string[] {
	try {
		return readFileSync(path, 'utf8').slice(-LOG_TAIL_BYTES).trimEnd().split('\n').slice(-5)
	} catch {
		return []
	}
}

export interface EnsuredServer {
	readonly server: ServerState
	/** Whether this call started it. */
	readonly started: boolean
}

const ADOPT_POLL_MS = 100
const ADOPT_ATTEMPTS = 100

/**
 * The server that runs on the data directory, or a new one. One that holds the directory
 * and does not listen yet was started by a command that was killed: it is waited for.
 * @throws UserError as `start` does
 */
export async function ensureServer(
	dataDirectory: string,
	start: () => Promise<ServerState>,
	{ signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<EnsuredServer> {
	for (let attempt = 1; ; attempt++) {
		const running = runningServer(dataDirectory)
		if (running) return { server: running, started: false }
		try {
			return { server: await start(), started: true }
		} catch (error) {
			const isHeld = error instanceof UserError && error.code === 'ALREADY_RUNNING'
			if (!isHeld || attempt === ADOPT_ATTEMPTS) throw error
			await delay(ADOPT_POLL_MS, undefined, { signal })
		}
	}
}

/**
 * Calls back when the process that starts this one goes away before it was told anything:
 * it was killed, and nobody would know of this server. Does nothing in a foreground run.
 */
export function onStarterLost(lost: () => void): () => void {
	if (!process.send) return () => {}
	process.once('disconnect', lost)
	if (!process.connected) lost()
	return () => void process.off('disconnect', lost)
}

/** Sends the starter of this process its one message; does nothing in a foreground run. */
export function reportStartup(message: StartupMessage): void {
	if (!process.send) return
	if (!process.connected) return
	process.send(message, undefined, undefined, () => {
		if (process.connected) process.disconnect()
	})
}

/** Whether a process with this id runs. A zombie does not: only its parent has not looked yet. */
export function isRunning(pid: number): boolean {
	try {
		process.kill(pid, 0)
	} catch (error) {
		if (!isSystemError(error, 'EPERM')) return false
	}
	try {
		const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
		return stat.slice(stat.lastIndexOf(')') + 2)[0] !== 'Z'
	} catch {
		// Where there is /proc, it has gone in between.
		return !existsSync('/proc/self/stat')
	}
}

function isSame(server: ServerState): boolean {
	return isRunning(server.pid) && argumentsOf(server.pid).includes(server.instance)
}

/** Of one that was the same before: a process that ends loses its arguments first, and its port after them. */
function isThereYet({ pid, instance }: ServerState): boolean {
	if (!isRunning(pid)) return false
	const all = argumentsOf(pid)
	return all === '' || all.includes(instance)
}

function argumentsOf(pid: number): string {
	try {
		return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
	} catch {
		try {
			return process
				.getBuiltinModule('node:child_process')
				.execFileSync('ps', ['-o', 'args=', '-p', String(pid)], {
					encoding: 'utf8',
					stdio: ['ignore', 'pipe', 'ignore'],
				})
		} catch {
			return ''
		}
	}
}

/** Waits for so many milliseconds. */
export type Pause = (milliseconds: number) => Promise<unknown>

const STOP_GRACE_MS = 8000
const STOP_POLL_MS = 20

/**
 * Ends a server of ours: politely, then, where it is still there after `graceMs` (default 8 s), for good.
 * Resolves when it is gone; `false` when it was not running.
 */
export async function stopServer(
	server: ServerState,
	{ graceMs = STOP_GRACE_MS, pause = delay }: { readonly graceMs?: number; readonly pause?: Pause } = {},
): Promise<boolean> {
	if (!isSame(server)) return false
	process.kill(server.pid, 'SIGTERM')
	for (let waited = 0; isThereYet(server); waited += STOP_POLL_MS) {
		if (waited >= graceMs) process.kill(server.pid, 'SIGKILL')
		await pause(STOP_POLL_MS)
	}
	return true
}
