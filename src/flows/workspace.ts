import { join } from 'node:path'
import { lockInTurn } from '../registry/server/index.ts'
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

const LOCK_WAIT_MS = 60_000

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
			const { release } = await lockInTurn(directory, {
				hint: 'Wait until it has ended, and try again.',
				waitMs: options?.waitMs ?? LOCK_WAIT_MS,
				signal: options?.signal,
			})
			try {
				return await task()
			} finally {
				release()
			}
		},
	}
}
