import { closeSync, constants, openSync, readSync } from 'node:fs'

/** A file that two threads share. */
export interface SharedFile {
	/** Path in the artifact. */
	readonly path: string
	/** Number of bytes. */
	readonly size: number
	/** Where it lies on this machine; absent where its bytes are there from the start. */
	readonly absolute?: string | undefined
}

/** Files that two threads work off together: each takes the next one that nobody has, and reads it. */
export interface SharedFiles {
	readonly files: readonly SharedFile[]
	/** All contents, one behind the other. */
	readonly bytes: SharedArrayBuffer
	/** The number of the next file, then for each how far it is. */
	readonly marks: SharedArrayBuffer
}

/** A link put in a file's place after the walk must not be followed. */
const OPEN_FLAGS = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0)

export function shareFiles(files: readonly SharedFile[]): SharedFiles {
	const size = files.reduce((sum, file) => sum + file.size, 0)
	return {
		files,
		bytes: new SharedArrayBuffer(size),
		marks: new SharedArrayBuffer((1 + files.length) * Int32Array.BYTES_PER_ELEMENT),
	}
}

const [READ, DECIDED] = [1, 2]

/** One thread's view of the files. */
export class SharedFileReader {
	readonly #files: readonly SharedFile[]
	readonly #marks: Int32Array
	readonly #contents: readonly Buffer[]

	constructor({ files, bytes, marks }: SharedFiles) {
		this.#files = files
		this.#marks = new Int32Array(marks)
		let offset = 0
		this.#contents = files.map(({ size }) => Buffer.from(bytes, (offset += size) - size, size))
	}

	/** The number of a file that no thread has taken yet. */
	next(): number | undefined {
		for (;;) {
			const number = Atomics.add(this.#marks, 0, 1)
			if (number >= this.#files.length) return undefined
			if (Atomics.load(this.#marks, number + 1) !== DECIDED) return number
		}
	}

	/** Takes a file out of the work; its bytes stay. */
	decide(number: number): void {
		Atomics.store(this.#marks, number + 1, DECIDED)
	}

	/** Puts bytes in that need not be read. */
	fill(number: number, bytes: Uint8Array): void {
		this.#contents[number]?.set(bytes)
		this.#mark(number)
	}

	/** Reads a file unless it was; `undefined` where it cannot be read, or is not as long as it was. */
	read(number: number): Buffer | undefined {
		const [file, content] = [this.#files[number], this.#contents[number]]
		if (this.isRead(number) || file?.absolute === undefined || content === undefined)
			return this.content(number)
		if (!readExactly(file.absolute, content)) return undefined
		this.#mark(number)
		return content
	}

	/** What was read, by either thread. */
	content(number: number): Buffer | undefined {
		return this.isRead(number) ? this.#contents[number] : undefined
	}

	isRead(number: number): boolean {
		return Atomics.load(this.#marks, number + 1) >= READ
	}

	#mark(number: number): void {
		Atomics.store(this.#marks, number + 1, READ)
	}
}

function readExactly(path: string, into: Buffer): boolean {
	let file: number
	try {
		file = openSync(path, OPEN_FLAGS)
	} catch {
		return false
	}
	try {
		let read = 0
		while (read < into.byteLength) {
			const count = readSync(file, into, read, into.byteLength - read, null)
			if (count === 0) return false
			read += count
		}
		return readSync(file, Buffer.allocUnsafe(1), 0, 1, null) === 0
	} catch {
		return false
	} finally {
		closeSync(file)
	}
}
