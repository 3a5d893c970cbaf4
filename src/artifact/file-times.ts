import { createHash } from 'node:crypto'
import type { FileState } from './write-tar.ts'

/** Of the clock that a file system takes its times from: FAT's steps are two seconds. */
const STEP_MS = 3000

/** What many files were at one time: whether another time is the same, in 32 bytes for all of them. */
export class FileTimes {
	readonly #startedMs: number
	readonly #hash = createHash('sha256')
	#newestNs = 0n
	#digest: string | undefined

	/** @param startedMs before any of the files is read, in milliseconds since 1970 */
	constructor(startedMs: number = Date.now()) {
		this.#startedMs = startedMs
	}

	/** Not its inode: file systems over a network make up another one each time. */
	add({ size, mtimeNs, ctimeNs }: FileState): void {
		this.#hash.update(`${size} ${mtimeNs} ${ctimeNs}\n`)
		for (const time of [mtimeNs, ctimeNs]) if (time > this.#newestNs) this.#newestNs = time
	}

	/** Whether a change after the start must have left another time: none is of the same step of the clock, or of its future. */
	areOld(): boolean {
		return this.isOld(Number(this.#newestNs / 1_000_000n))
	}

	/** The same of a file that has changed then, in milliseconds since 1970. */
	isOld(changedMs: number): boolean {
		return changedMs < this.#startedMs - STEP_MS
	}

	digest(): string {
		this.#digest ??= this.#hash.digest('hex')
		return this.#digest
	}
}
