import { fsync } from 'node:fs'
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
		const running = this.#flush().finally(() => {
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
