import type * as NodeFs from 'node:fs'
import { createRequire } from 'node:module'
import { join, sep } from 'node:path'
import type { Random } from './random.ts'

/** The true one, also where {@link volatileFs} stands for it. */
const fs = createRequire(import.meta.url)('node:fs') as typeof NodeFs

/** Of a registry, where a loss of power may take files; directories themselves stay, as with any journalling file system. */
const FOLDERS = ['', 'packs', 'blobs/sha256', 'uploads'] as const
const PAGE_BYTES = 4096

/** File by name. A file is a number, as inodes are used again. */
type Names = ReadonlyMap<string, number>

/** Flushes that do nothing, as if nobody had asked for them: by the path within the directory, and whether the process waits. */
export type Ignores = (path: string, isSync: boolean) => boolean

/**
 * What of a registry's directory is on the disk, and what only in the page cache. Names are on the disk after a flush
 * of their directory, and until then as they were after any of the changes since the last; bytes after one of their file.
 */
export class VolatileDisk {
	readonly directory: string
	/** Called after each change. */
	onMoment: ((what: string) => void) | undefined
	readonly #ignores: Ignores | undefined
	/** Second names of all files, by number: what is unlinked can be on the disk still, and keeps its inode. */
	readonly #files: string
	readonly #numbers = new Map<number, number>()
	#last = 0
	readonly #flushed = new Map<number, Buffer>()
	/** By folder: as last flushed, and after each change since. */
	readonly #names = new Map<string, Names[]>(FOLDERS.map((folder) => [folder, [new Map()]]))

	constructor(directory: string, ignores?: Ignores) {
		this.directory = directory
		this.#ignores = ignores
		this.#files = `${directory}.files`
		for (const each of [directory, this.#files]) fs.mkdirSync(each)
		disks.add(this)
	}

	/** What is still open in the directory can be closed. */
	remove(): void {
		disks.delete(this)
		for (const each of [this.directory, this.#files]) fs.rmSync(each, { recursive: true, force: true })
	}

	/** After a change. */
	changed(call: string, path: string): void {
		for (const [folder, states] of this.#names) {
			const names = this.#list(folder)
			const before = states.at(-1)
			const isSame =
				before?.size === names.size && [...names].every(([name, file]) => before.get(name) === file)
			if (!isSame) states.push(names)
		}
		this.onMoment?.(`${call} ${this.#within(path)}`)
	}

	/** A flush begins, of what is there now. Returns what makes it so on the disk. */
	flush(
		path: string,
		{ descriptor, isSync }: { readonly descriptor: number; readonly isSync: boolean },
	): () => void {
		if (this.#ignores?.(this.#within(path), isSync) === true) return () => undefined
		const folder = FOLDERS.find((each) => join(this.directory, each) === path)
		const states = folder === undefined ? undefined : this.#names.get(folder)
		const names = states?.at(-1)
		if (states && names) return () => void states.splice(0, states.indexOf(names))
		const file = this.#numbers.get(fs.fstatSync(descriptor).ino)
		if (file === undefined) return () => undefined
		// Now, not when it ends: what is written meanwhile is not of it.
		const bytes = this.#read(file)
		return () => void this.#flushed.set(file, bytes)
	}

	/** Leaves in a new directory what may be there when the power goes now. */
	losePower(to: string, random: Random): void {
		const written = new Map<number, string>()
		for (const [folder, [flushed = new Map(), ...since]] of this.#names) {
			fs.mkdirSync(join(to, folder), { recursive: true })
			const latest = since.at(-1) ?? flushed
			for (const [name, file] of random.of([flushed, latest, random.of([flushed, ...since])])) {
				const path = join(to, folder, name)
				const first = written.get(file)
				if (first === undefined) fs.writeFileSync(path, this.#remains(file, random))
				else fs.linkSync(first, path)
				written.set(file, first ?? path)
			}
		}
	}

	/** A disk in a new directory, with all that this one has in the page cache: the process is killed, and the machine goes on. */
	kill(directory: string): VolatileDisk {
		const copy = new VolatileDisk(directory, this.#ignores)
		copy.#last = this.#last
		for (const states of this.#names.values()) {
			for (const file of states.flatMap((names) => [...names.values()])) {
				const path = join(copy.#files, String(file))
				if (fs.existsSync(path)) continue
				fs.copyFileSync(join(this.#files, String(file)), path)
				copy.#numbers.set(fs.statSync(path).ino, file)
				const flushed = this.#flushed.get(file)
				if (flushed) copy.#flushed.set(file, flushed)
			}
		}
		for (const [folder, states] of this.#names) {
			fs.mkdirSync(join(directory, folder), { recursive: true })
			for (const [name, file] of states.at(-1) ?? [])
				fs.linkSync(join(copy.#files, String(file)), join(directory, folder, name))
			copy.#names.set(folder, [...states])
		}
		return copy
	}

	#within(path: string): string {
		return path.slice(this.directory.length + 1)
	}

	/** In the order in which they were made, which is the same for the same seed; some names are not. */
	#list(folder: string): Names {
		const path = join(this.directory, folder)
		const entries = fs.existsSync(path) ? fs.readdirSync(path, { withFileTypes: true }) : []
		const files = entries.filter((each) => each.isFile())
		const names = files.map(({ name }) => [name, this.#numberOf(join(path, name))] as const)
		return new Map(names.toSorted(([, one], [, other]) => one - other))
	}

	#numberOf(path: string): number {
		const { ino } = fs.statSync(path)
		let file = this.#numbers.get(ino)
		if (file === undefined) {
			file = ++this.#last
			fs.linkSync(path, join(this.#files, String(file)))
			this.#numbers.set(ino, file)
		}
		return file
	}

	#read(file: number): Buffer {
		return fs.readFileSync(join(this.#files, String(file)))
	}

	/** As flushed, or with more: all, or cut, or with holes where pages never got there. */
	#remains(file: number, random: Random): Buffer {
		const flushed = this.#flushed.get(file) ?? Buffer.alloc(0)
		if (random() < 0.25) return flushed
		const now = this.#read(file)
		let kept = 0
		while (kept < now.byteLength && now[kept] === flushed[kept]) kept++
		const isCut = random() < 0.33
		const length = isCut ? kept + random.below(now.byteLength - kept + 1) : now.byteLength
		const bytes = now.subarray(0, length)
		if (random() < 0.5) return bytes
		for (let page = kept - (kept % PAGE_BYTES); page < length; page += PAGE_BYTES)
			if (random() < 0.4) bytes.fill(0, Math.max(page, kept), Math.min(page + PAGE_BYTES, length))
		return bytes
	}
}

const disks = new Set<VolatileDisk>()
const paths = new Map<number, string>()

function pathOf(target: unknown): string {
	return typeof target === 'number' ? (paths.get(target) ?? '') : String(target)
}

function diskOf(path: string): VolatileDisk | undefined {
	return [...disks].find(({ directory }) => path === directory || path.startsWith(`${directory}${sep}`))
}

function watched<Call extends (...args: never[]) => unknown>(name: string, call: Call): Call {
	return ((...args: Parameters<Call>) => {
		const path = pathOf(args[0])
		const result = call(...args)
		if (name === 'openSync') paths.set(result as number, path)
		diskOf(path)?.changed(name, path)
		return result
	}) as Call
}

const CHANGES = [
	'openSync',
	'writeSync',
	'writeFileSync',
	'renameSync',
	'linkSync',
	'rmSync',
	'ftruncateSync',
	'copyFileSync',
	'mkdirSync',
] as const

/** Stands for `node:fs`. Its flushes reach the {@link VolatileDisk} alone, and so end in the same order for the same seed. */
export const volatileFs: object = {
	...fs,
	...Object.fromEntries(CHANGES.map((name) => [name, watched(name, fs[name])])),
	// No room, and so no reserve: a mebibyte to write at each start, which nothing here depends on.
	statfsSync: () => ({ bavail: 0, bsize: PAGE_BYTES }),
	fsyncSync(descriptor: number): void {
		const path = pathOf(descriptor)
		const disk = diskOf(path)
		disk?.flush(path, { descriptor, isSync: true })()
		disk?.changed('fsyncSync', path)
	},
	fsync(descriptor: number, done: NodeFs.NoParamCallback): void {
		const path = pathOf(descriptor)
		const disk = diskOf(path)
		const flushed = disk?.flush(path, { descriptor, isSync: false })
		setImmediate(() => {
			flushed?.()
			disk?.changed('fsync', path)
			done(null)
		})
	},
}
