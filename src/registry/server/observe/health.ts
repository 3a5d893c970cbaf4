import { accessSync, constants, statfsSync } from 'node:fs'
import { isSystemError } from '../../../errors/index.ts'

/** How long a look at the disk counts, in milliseconds. */
const LOOK_MS = 2000
const DEFAULT_FREE_BYTES = 64 * 1024 * 1024

export interface Disk {
	/** For this process, in bytes. */
	readonly free: number
	readonly size: number
}

export interface HealthOptions {
	/** Where the content is. */
	readonly directory: string
	/** With less free space it is not ready, in bytes. Default 64 MiB. */
	readonly freeBytes?: number | undefined
	/** Milliseconds since 1970. */
	readonly now: () => number
}

/** Whether a registry should get requests: it does not stop, and can write. */
export class Health {
	readonly #options: HealthOptions
	#isClosing = false
	#looked = Number.NEGATIVE_INFINITY
	#disk: Disk | undefined
	#troubles: readonly string[] = []

	constructor(options: HealthOptions) {
		this.#options = options
	}

	/** From now on it is not ready. */
	close(): void {
		this.#isClosing = true
	}

	/** Why it is not ready; empty: it is. */
	get troubles(): readonly string[] {
		this.#look()
		return this.#isClosing ? ['it is stopping'] : this.#troubles
	}

	/** `undefined` where the system does not tell. */
	get disk(): Disk | undefined {
		this.#look()
		return this.#disk
	}

	#look(): void {
		const now = this.#options.now()
		if (now - this.#looked < LOOK_MS && now >= this.#looked) return
		this.#looked = now
		const { directory, freeBytes = DEFAULT_FREE_BYTES } = this.#options
		const troubles: string[] = []
		try {
			accessSync(directory, constants.W_OK | constants.R_OK | constants.X_OK)
		} catch (error) {
			if (!isSystemError(error)) throw error
			troubles.push(`its storage cannot be written (${error.code})`)
		}
		this.#disk = diskOf(directory)
		if (this.#disk && this.#disk.free < freeBytes) troubles.push('the disk is nearly full')
		this.#troubles = troubles
	}
}

/** Of the file system that a directory is on. */
export function diskOf(directory: string): Disk | undefined {
	try {
		const { bavail, blocks, bsize } = statfsSync(directory)
		return { free: bavail * bsize, size: blocks * bsize }
	} catch (error) {
		if (isSystemError(error)) return undefined
		throw error
	}
}
