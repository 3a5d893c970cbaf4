import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, statfsSync } from 'node:fs'
import { createConnection } from 'node:net'
import { freemem, tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'

export interface ProcessSpec {
	/** Names it in every other request; its log is `logs/NAME.log`. */
	readonly name: string
	readonly command: string
	readonly args: readonly string[]
	/** Beside PATH, a HOME and a TMPDIR of the run: nothing else is inherited. */
	readonly env?: Readonly<Record<string, string>>
	/** Default: the directory of the stack. */
	readonly cwd?: string
}

export interface ProcessState {
	readonly running: boolean
	readonly pid?: number
	readonly code?: number | null
	readonly signal?: NodeJS.Signals | null
	/** Why it could not be started. */
	readonly error?: string
}

export type Ended = Omit<ProcessState, 'running' | 'pid'>

/** Speaks with the parent of all processes of a run, from any process of it. */
export class Supervisor {
	/** Removed when the run ends, with all that is in it. */
	readonly directory: string
	readonly #run: string
	readonly #scope: string | undefined

	/**
	 * @param run - its directory
	 * @param scope - for processes that have names and a directory of their own beside those of the run
	 */
	constructor(run: string, scope?: string) {
		this.#run = run
		this.#scope = scope
		this.directory = scope === undefined ? run : join(run, scope)
		if (scope !== undefined)
			for (const each of ['home', 'tmp']) mkdirSync(join(this.directory, each), { recursive: true })
	}

	/** @throws Error where there is no such command or a process of this name runs */
	async start(spec: ProcessSpec): Promise<void> {
		const own = { HOME: join(this.directory, 'home'), TMPDIR: join(this.directory, 'tmp') }
		const name = this.#nameOf(spec.name)
		await this.#ask('start', { cwd: this.directory, ...spec, name, env: { ...own, ...spec.env } })
	}

	/** SIGTERM and, after five seconds, SIGKILL, to it and what it started; resolves when it has ended. */
	async stop(name: string, signal?: NodeJS.Signals): Promise<void> {
		await this.#ask('stop', { name: this.#nameOf(name), signal })
	}

	/** Of the scope, in the order in which they were started first. */
	async names(): Promise<readonly string[]> {
		const prefix = this.#nameOf('')
		const names = (await this.#ask('names', { prefix })) as readonly string[]
		return names.map((name) => name.slice(prefix.length))
	}

	/** SIGKILL to all of the scope. */
	async stopAll(): Promise<void> {
		await this.#ask('stopAll', { prefix: this.#nameOf('') })
	}

	/** The same command and ports again, with changes to its environment. */
	async restart(name: string, env?: Readonly<Record<string, string>>): Promise<void> {
		await this.#ask('restart', { name: this.#nameOf(name), env })
	}

	async signal(name: string, signal: NodeJS.Signals): Promise<void> {
		await this.#ask('signal', { name: this.#nameOf(name), signal })
	}

	/** Until it ends. */
	async wait(name: string): Promise<Ended> {
		return (await this.#ask('wait', { name: this.#nameOf(name) })) as Ended
	}

	async state(name: string): Promise<ProcessState> {
		return (await this.#ask('state', { name: this.#nameOf(name) })) as ProcessState
	}

	/** A free port that nobody else of this run, nor of another one, is given. */
	async port(): Promise<number> {
		return ((await this.#ask('port', {})) as { readonly port: number }).port
	}

	/** What the process has written so far, both streams in one. */
	log(name: string): string {
		return readFileSync(join(this.#run, 'logs', `${this.#nameOf(name)}.log`), 'utf8')
	}

	#nameOf(name: string): string {
		return this.#scope === undefined ? name : `${this.#scope}-${name}`
	}

	async #ask(operation: string, options: object): Promise<unknown> {
		const socket = createConnection(join(this.#run, 'control'))
		socket.end(JSON.stringify({ operation, ...options }))
		const answer = JSON.parse(await text(socket)) as
			| { readonly ok: true; readonly value: unknown }
			| { readonly ok: false; readonly error: string }
		if (!answer.ok) throw new Error(answer.error)
		return answer.value
	}
}

export interface OwnedSupervisor extends Supervisor {
	/** Stops every process and removes the directory. Happens by itself when this process ends. */
	end(): Promise<void>
}

/** Starts the parent of all processes, tied to the life of the calling process. */
export async function startSupervisor(): Promise<OwnedSupervisor> {
	const directory = mkdtempSync(join(fastDirectory(), 'lading-real-'))
	const child = spawn(process.execPath, [join(import.meta.dirname, 'supervisor.mjs'), directory], {
		// Only this process holds the other end of its stdin.
		stdio: ['pipe', 'pipe', 'inherit'],
		detached: true,
	})
	const exited = once(child, 'exit')
	const ready = once(child.stdout, 'data').then(() => true)
	if (!(await Promise.race([ready, exited.then(() => false)])))
		throw new Error('the supervisor did not start')
	return Object.assign(new Supervisor(directory), {
		async end(): Promise<void> {
			child.stdin.end()
			await exited
		},
	})
}

const MEMORY_DISK = '/dev/shm'
/** A run writes about 1 GB, a build more. */
const ROOM = 8 * 1024 ** 3

/** A disk would take a third of all processor time: thousands of small files are written and deleted. */
function fastDirectory(): string {
	const isFast = process.env.TMPDIR === undefined && freemem() > ROOM && isRoomy(MEMORY_DISK)
	return isFast ? MEMORY_DISK : tmpdir()
}

/** In a container it is small, and no program in it may be run. */
function isRoomy(directory: string): boolean {
	try {
		const mounts = readFileSync('/proc/mounts', 'utf8').split('\n')
		const options = mounts.map((line) => line.split(' ')).find(([, at]) => at === directory)?.[3]
		const { bavail, bsize } = statfsSync(directory)
		return bavail * bsize > ROOM && options?.split(',').includes('noexec') === false
	} catch {
		return false
	}
}
