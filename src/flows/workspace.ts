import { mkdirSync, openSync, closeSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { isSystemError, UserError } from '../errors/index.ts'
import { isRunning } from './background.ts'
import { readState, type State, writeState } from './state.ts'

/** The directory `.lading/` of a project: everything lading writes on this machine. */
export interface Workspace {
	/** The project's directory. */
	readonly root: string
	/** `.lading/`, absolute. */
	readonly directory: string
	readonly paths: WorkspacePaths
	state(): State
	/** Changes the state file; `change` gets what is in it now. */
	update(change: (state: State) => State): State
	/** Runs `task` while no other lading changes this workspace. */
	exclusive<T>(task: () => Promise<T>, options?: { readonly signal?: AbortSignal | undefined }): Promise<T>
}

export interface WorkspacePaths {
	readonly kubeconfig: string
	/** The embedded registry's CA. */
	readonly ca: string
	readonly registry: string
	readonly sandbox: string
}

export function openWorkspace(root: string): Workspace {
	const directory = join(root, '.lading')
	return {
		root,
		directory,
		paths: {
			kubeconfig: join(directory, 'kubeconfig'),
			ca: join(directory, 'ca.crt'),
			registry: join(directory, 'registry'),
			sandbox: join(directory, 'sandbox'),
		},
		state: () => readState(directory),
		update(change) {
			const next = change(readState(directory))
			writeState(directory, next)
			return next
		},
		async exclusive(task, options) {
			const release = await lock(directory, options?.signal)
			try {
				return await task()
			} finally {
				release()
			}
		},
	}
}

const LOCK_WAIT_MS = 60_000
const LOCK_POLL_MS = 50

/** A lock file that holds the owner's pid; one whose owner is gone is taken over. */
async function lock(directory: string, signal: AbortSignal | undefined): Promise<() => void> {
	try {
		mkdirSync(directory, { recursive: true, mode: 0o700 })
	} catch (error) {
		throw new UserError('FILE_UNWRITABLE', `cannot create ${directory}`, {
			hint: 'Run lading in a directory that you may write to.',
			cause: error,
		})
	}
	const path = join(directory, 'lock')
	for (let waited = 0; ; waited += LOCK_POLL_MS) {
		try {
			const file = openSync(path, 'wx', 0o600)
			writeSync(file, String(process.pid))
			closeSync(file)
			return () => rmSync(path, { force: true })
		} catch (error) {
			if (!isSystemError(error, 'EEXIST')) {
				throw new UserError('FILE_UNWRITABLE', `cannot write ${path}`, { cause: error })
			}
		}
		const owner = lockOwner(path)
		if (owner !== undefined && !isRunning(owner)) {
			removeStale(path, owner)
			continue
		}
		if (waited >= LOCK_WAIT_MS) {
			throw new UserError(
				'ALREADY_RUNNING',
				`another lading (process ${owner ?? 'unknown'}) is changing ${directory}`,
				{
					hint: `Wait for it, or remove ${path} if that process is not lading.`,
				},
			)
		}
		await delay(LOCK_POLL_MS, undefined, { signal })
	}
}

/** Takes the lock of a dead owner away, unless somebody else was faster and holds it by now. */
function removeStale(path: string, owner: number): void {
	const aside = `${path}.${process.pid}`
	try {
		renameSync(path, aside)
		if (lockOwner(aside) === owner) rmSync(aside, { force: true })
		else renameSync(aside, path)
	} catch (error) {
		if (!isSystemError(error, 'ENOENT')) throw error
	}
}

function lockOwner(path: string): number | undefined {
	try {
		const pid = Number.parseInt(readFileSync(path, 'utf8'), 10)
		return Number.isInteger(pid) && pid > 1 ? pid : undefined
	} catch {
		return undefined
	}
}
