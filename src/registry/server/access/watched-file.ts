import { readTextFile } from '../../../content/index.ts'
import { stampOfFile } from '../../../http/server/index.ts'

/** How often a file is looked at, in milliseconds. */
const LOOK_MS = 1000

export interface WatchedFileOptions<T> {
	/** `undefined`: there is no such file. May throw for what is no file of its kind. */
	readonly parse: (text: string | undefined) => T
	/** What counts while the file cannot be read or parsed. */
	readonly fallback: T
	/** Told why that is so, once for each state of the file. */
	readonly onError: (error: unknown) => void
	/** Milliseconds since 1970. */
	readonly now: () => number
}

/** The parsed content of a file, read again when it has changed: without a timer, by who asks. */
export class WatchedFile<T> {
	readonly #path: string
	readonly #options: WatchedFileOptions<T>
	#value: T
	#stamp: string
	#looked: number

	/** @throws what `parse` throws, and what the system says of a file that cannot be read */
	constructor(path: string, options: WatchedFileOptions<T>) {
		this.#path = path
		this.#options = options
		this.#looked = options.now()
		this.#stamp = stampOfFile(path)
		this.#value = options.parse(readTextFile(path))
	}

	/** The same object for as long as the file is the same. */
	get value(): T {
		const now = this.#options.now()
		if (now - this.#looked < LOOK_MS && now >= this.#looked) return this.#value
		this.#looked = now
		const stamp = stampOfFile(this.#path)
		if (stamp === this.#stamp) return this.#value
		this.#stamp = stamp
		try {
			this.#value = this.#options.parse(readTextFile(this.#path))
		} catch (error) {
			this.#value = this.#options.fallback
			this.#options.onError(error)
		}
		return this.#value
	}
}
