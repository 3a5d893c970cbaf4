import { createHash } from 'node:crypto'
import { type FSWatcher, lstatSync, statSync, watch as watchPath, type WatchOptions } from 'node:fs'
import { resolve } from 'node:path'
import { isSystemError } from '../errors/index.ts'
import type { ManifestEntry } from './manifest-set.ts'
import { listEntries } from './read-manifest-set.ts'

export interface WatchDirectoryOptions {
	/** Something may have changed: `look` says whether. It may come often, and for nothing. */
	readonly onHint: () => void
	/** `process.platform`. */
	readonly platform?: string | undefined
	/** Default `watch` of `node:fs`. */
	readonly watch?: ((path: string, options: WatchOptions, onEvent: () => void) => FSWatcher) | undefined
	/** Milliseconds since 1970. */
	readonly now?: (() => number) | undefined
}

/** A directory that is watched. Only `look` is the truth: events of a file system get lost, and come for nothing. */
export interface DirectoryWatch {
	/** Whether every directory is watched; where not, only looking often helps. */
	readonly isComplete: boolean
	/**
	 * Walks the directory. One that cannot be read is a state like any other.
	 * @returns whether it may be another than at the look before; the first one says yes
	 */
	look(): Promise<boolean>
	close(): void
}

/**
 * A file that was written so shortly before it was looked at may be written again within the same tick of the file
 * system's clock, which then shows no difference; in milliseconds.
 */
const TICK_MS = 10

/**
 * Watches the files that a directory packs: what the ignore rules leave out is no change. On Linux each directory is
 * watched by itself, since Node.js does so there too, and misses what is made and removed quickly.
 */
export function watchDirectory(directory: string, options: WatchDirectoryOptions): DirectoryWatch {
	const { platform = process.platform, now = () => Date.now() } = options
	const root = resolve(directory)
	const watchers = new Watchers(platform === 'darwin' || platform === 'win32', options)
	let before: string | undefined
	let isRacy = false
	return {
		get isComplete() {
			return watchers.isComplete
		},
		async look() {
			// The directories first: what is made in one while it is walked is a hint then.
			watchers.open(root)
			const time = now()
			const { print, directories, newest } = await printOf(root)
			const isMissed = directories !== undefined && watchers.watch(root, directories)
			const isChanged = print !== before || isRacy
			before = print
			isRacy = Math.abs(time - newest) < TICK_MS
			// What happened in a new directory before it was watched gave no hint.
			if (isMissed) options.onHint()
			return isChanged
		},
		close: () => watchers.close(),
	}
}

interface Print {
	/** Equal for equal states. */
	readonly print: string
	/** Absent where they cannot be told. */
	readonly directories: readonly string[] | undefined
	/** When the last file was written, in milliseconds since 1970. */
	readonly newest: number
}

async function printOf(root: string): Promise<Print> {
	const hash = createHash('sha256')
	try {
		const entries = await listEntries(root)
		let newest = 0
		const lines = entries.map((entry) => {
			const { text, written } = lineOf(entry)
			newest = Math.max(newest, written)
			return text
		})
		for (const line of lines.toSorted()) hash.update(line)
		const directories = entries.flatMap(({ type, absolute }) => (type === 'directory' ? [absolute] : []))
		return { print: hash.digest('hex'), directories, newest }
	} catch (error) {
		return { print: String(error), directories: undefined, newest: 0 }
	}
}

function lineOf({ path, type, absolute, linkTarget }: ManifestEntry): {
	readonly text: string
	readonly written: number
} {
	// A directory's own times change with every file that is left out.
	if (type === 'directory') return { text: `${path}\0directory\n`, written: 0 }
	const { size, mtimeNs, ctimeNs, ino } = lstatSync(absolute, { bigint: true })
	const text = [path, type, size, mtimeNs, ctimeNs, ino, linkTarget ?? ''].join('\0')
	return { text: `${text}\n`, written: Number(mtimeNs / 1_000_000n) }
}

interface Watched {
	/** A directory that was removed and made again has another one. */
	readonly identity: string
	readonly watcher: FSWatcher
}

/** The watchers of the directories that are there. */
class Watchers {
	readonly #recursive: boolean
	readonly #options: WatchDirectoryOptions
	readonly #watched = new Map<string, Watched>()
	isComplete = true

	constructor(recursive: boolean, options: WatchDirectoryOptions) {
		this.#recursive = recursive
		this.#options = options
	}

	/** Watches a directory, those below it and no others. @returns whether one below is watched only now */
	watch(root: string, below: readonly string[]): boolean {
		this.isComplete = true
		this.open(root)
		if (this.#recursive) return false
		const wanted = new Set([root, ...below])
		for (const path of this.#watched.keys()) if (!wanted.has(path)) this.#drop(path)
		return below.filter((path) => this.open(path)).length > 0
	}

	/** @returns whether it is watched only now */
	open(path: string): boolean {
		const identity = identityOf(path)
		if (identity !== undefined && this.#watched.get(path)?.identity === identity) return false
		this.#drop(path)
		if (identity === undefined) return false
		const { onHint, watch = watchPath } = this.#options
		try {
			const watcher = watch(path, { recursive: this.#recursive }, onHint)
			watcher.on('error', () => {
				if (this.#watched.get(path)?.watcher === watcher) this.#drop(path)
				onHint()
			})
			this.#watched.set(path, { identity, watcher })
			return true
		} catch (error) {
			if (!isSystemError(error)) throw error
			// No more watches are to be had, or the file system has none.
			if (!isSystemError(error, 'ENOENT', 'ENOTDIR')) this.isComplete = false
			return false
		}
	}

	#drop(path: string): void {
		this.#watched.get(path)?.watcher.close()
		this.#watched.delete(path)
	}

	close(): void {
		for (const path of this.#watched.keys()) this.#drop(path)
	}
}

function identityOf(path: string): string | undefined {
	try {
		// The number of an inode is soon taken again.
		const { ino, birthtimeNs } = statSync(path, { bigint: true })
		return `${ino} ${birthtimeNs}`
	} catch (error) {
		if (isSystemError(error)) return undefined
		throw error
	}
}
