import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const CGROUPS = '/sys/fs/cgroup'
const PREFIX = 'run-'

export interface Command {
	readonly command: readonly string[]
	readonly cwd: string
	readonly env: Readonly<Record<string, string | undefined>>
	/** Archives that the engine loads first. */
	readonly images: readonly string[]
	/** What stands before runc, or `runc`. */
	readonly runtime: string
	readonly signal: AbortSignal
}

/** All that a run makes outside its namespaces: one directory in the cache and one control group. */
export class Namespace {
	readonly directory: string
	readonly #cgroup: string

	constructor(cache: string) {
		mkdirSync(cache, { recursive: true })
		this.directory = mkdtempSync(join(cache, `${PREFIX}${process.pid}-`))
		this.#cgroup = `lading-test-${process.pid}`
	}

	/** Runs a command as the only user of an engine of its own; ends with its exit code, or null when aborted. */
	async run({ command, cwd, env, images, runtime, signal }: Command): Promise<number | null> {
		const tmp = join(this.directory, 'tmp')
		mkdirSync(tmp)
		const inside = [join(import.meta.dirname, 'inside.sh'), this.directory, `/${this.#cgroup}`, runtime]
		// Both ends are tied: this process gone, unshare is killed; unshare gone, all that is inside.
		const bound = ['--pdeathsig', 'KILL', 'unshare', '--kill-child=SIGKILL', '--fork', '--mount-proc']
		const spaces = ['--net', '--mount', '--pid', '--ipc']
		const child = spawn('setpriv', [...bound, ...spaces, 'bash', ...inside, ...images, '--', ...command], {
			cwd,
			env: { ...env, TMPDIR: tmp },
			stdio: 'inherit',
			// Ctrl-C is for this process, which then ends that one.
			detached: true,
		})
		const kill = (): void => void child.kill('SIGKILL')
		signal.addEventListener('abort', kill)
		try {
			return await new Promise((resolve, reject) => {
				child.once('error', reject).once('exit', (code) => resolve(code))
			})
		} finally {
			signal.removeEventListener('abort', kill)
		}
	}

	/** Why the engine did not start. */
	lastWords(): string {
		const path = join(this.directory, 'dockerd.log')
		return existsSync(path) ? (readFileSync(path, 'utf8').trim().split('\n').at(-1) ?? '') : 'it said nothing'
	}

	async remove(): Promise<void> {
		await removeCgroup(this.#cgroup)
		rmSync(this.directory, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 })
	}
}

/** What runs left whose process was killed before it could remove it. */
export async function removeLeftovers(cache: string): Promise<void> {
	for (const name of existsSync(cache) ? readdirSync(cache) : []) {
		const pid = /^run-(\d+)-/.exec(name)?.[1]
		if (pid === undefined || existsSync(`/proc/${pid}`)) continue
		await removeCgroup(`lading-test-${pid}`)
		rmSync(join(cache, name), { recursive: true, force: true })
	}
}

/** In each hierarchy of version 1, or in the one of version 2. The kernel needs a moment to see that it is empty. */
async function removeCgroup(name: string): Promise<void> {
	const roots = [CGROUPS, ...readdirSync(CGROUPS).map((each) => join(CGROUPS, each))]
	const groups = roots.map((root) => join(root, name)).filter((path) => existsSync(path))
	for (let tries = 0; tries < 50; tries++) {
		const left = groups.filter((path) => !removeTree(path))
		if (left.length === 0) return
		await sleep(100)
	}
}

/** Control groups are directories whose files cannot be removed, and need not be. */
function removeTree(path: string): boolean {
	if (!existsSync(path)) return true
	for (const entry of readdirSync(path, { withFileTypes: true }))
		if (entry.isDirectory()) removeTree(join(path, entry.name))
	try {
		rmdirSync(path)
		return true
	} catch {
		return false
	}
}
