import { randomBytes } from 'node:crypto'
import { closeSync, openSync, rmSync, statfsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { isSystemError } from '../../errors/index.ts'
import { writeFully } from './write-fully.ts'

const RESERVE_BYTES = 1024 * 1024

/** A file that a full disk gives up for the lines that free space: without it nothing could be removed any more. */
export class Reserve {
	readonly #path: string
	#isThere: boolean

	constructor(path: string) {
		this.#path = path
		this.#isThere = statSync(path, { throwIfNoEntry: false })?.size === RESERVE_BYTES
		this.restore()
	}

	/** @returns whether there was any */
	release(): boolean {
		const wasThere = this.#isThere
		this.#isThere = false
		try {
			rmSync(this.#path, { force: true })
			return wasThere
		} catch {
			// It is no use to whoever asks then.
			return false
		}
	}

	/** Makes it, where it is missing and as much is free besides. */
	restore(): void {
		if (this.#isThere) return
		try {
			const { bavail, bsize } = statfsSync(dirname(this.#path))
			if (bavail * bsize < 2 * RESERVE_BYTES) return
			const descriptor = openSync(this.#path, 'w', 0o600)
			try {
				// What no file system compresses, or keeps as a hole.
				const bytes = randomBytes(RESERVE_BYTES)
				writeFully(descriptor, bytes)
				this.#isThere = true
			} finally {
				closeSync(descriptor)
				if (!this.#isThere) rmSync(this.#path, { force: true })
			}
		} catch (error) {
			// Next time.
			if (!isSystemError(error)) throw error
		}
	}
}
