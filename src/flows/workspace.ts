import { rmdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { isSystemError, UserError } from '../errors/index.ts'
import { lockDirectory } from '../registry/server/index.ts'
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
	/**
	 * Runs `task` while no other lading changes this workspace.
	 * @throws UserError `ALREADY_RUNNING` when another one does not end
	 */
	exclusive<T>(task: () => Promise<T>, options?: ExclusiveOptions): Promise<T>
}

export interface ExclusiveOptions {
	readonly signal?: AbortSignal | undefined
	/** Milliseconds to wait for another lading; one minute. */
	readonly waitMs?: number | undefined
}

export interface WorkspacePaths {
	readonly kubeconfig: string
	/** The local registry's CA. */
	readonly ca: string
	readonly registry: string
	/** CA and certificate of the registry in a container. */
	readonly containerPki: string
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
			containerPki: join(directory, 'registry-container'),
			sandbox: join(directory, 'sandbox'),
		},
		state: () => readState(directory),
		update(change) {
			const next = change(readState(directory))
			writeState(directory, next)
			return next
		},
		async exclusive(task, options) {
			const release = await lock(directory, options ?? {})
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

/** Waits its turn. What a dead lading has left does not count; see {@link lockDirectory}. */
async function lock(directory: string, options: ExclusiveOptions): Promise<() => void> {
	const wait = options.waitMs ?? LOCK_WAIT_MS
	for (let waited = 0; ;) {
		options.signal?.throwIfAborted()
		try {
			const { release } = lockDirectory(directory, { hint: 'Wait until it has ended, and try again.' })
			return () => {
				release()
				removeIfEmpty(directory)
			}
		} catch (error) {
			// The owner has just removed the directory.
			const isGone = error instanceof UserError && isSystemError(error.cause, 'ENOENT')
			const isTaken = error instanceof UserError && error.code === 'ALREADY_RUNNING'
			if (!isTaken && !isGone) throw error
			if (waited >= wait) throw error
		}
		// Two that meet give way to each other: not at the same pace.
		const pause = LOCK_POLL_MS * (0.5 + Math.random())
		await delay(pause, undefined, { signal: options.signal })
		waited += pause
	}
}

/** A command that found nothing to do leaves no directory behind. */
function removeIfEmpty(directory: string): void {
	try {
		rmdirSync(directory)
	} catch (error) {
		if (!isSystemError(error)) throw error
	}
}
