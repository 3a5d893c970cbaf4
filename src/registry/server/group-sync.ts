import { closeSync, fsync, fsyncSync, openSync } from 'node:fs'
import { promisify } from 'node:util'

const fsyncAsync = promisify(fsync)

/**
 * Flushes one file or directory for many at once: who asks while a flush is running
 * waits for the next one, which then covers everybody who waits.
 */
export class GroupSync {
	readonly #flush: () => Promise<void>
	#running: Promise<void> | undefined
	#next: Promise<void> | undefined

	constructor(flush: () => Promise<void>) {
		this.#flush = flush
	}

	/** Resolves when all that was written before the call is on disk. Flushes never overlap. */
	sync(): Promise<void> {
		if (!this.#running) return this.#start()
		this.#next ??= this.#running
			.catch(() => undefined)
			.then(() => {
				this.#next = undefined
				return this.sync()
			})
		return this.#next
	}

	#start(): Promise<void> {
		// Not at once: who asks in the same turn, or because of the flush itself, is not to start another.
		const running = Promise.resolve()
			.then(() => this.#flush())
			.finally(() => {
				this.#running = undefined
			})
		this.#running = running
		return running
	}
}

/** Flushes an open file or directory. Windows has no flush for directories, and needs none. */
export async function flushDescriptor(descriptor: number, kind: 'file' | 'directory'): Promise<void> {
	if (kind === 'directory' && process.platform === 'win32') return
	await fsyncAsync(descriptor)
}

/** Flushes the names in a directory, and waits. */
export function syncDirectory(path: string): void {
	if (process.platform !== 'win32') syncPath(path, 'r')
}

/** Flushes a file, and waits. */
export function syncFile(path: string): void {
	syncPath(path, 'r+')
}

function syncPath(path: string, flags: 'r' | 'r+'): void {
	const descriptor = openSync(path, flags)
	try {
		fsyncSync(descriptor)
	} finally {
		closeSync(descriptor)
	}
}
