import {
	closeSync,
	constants,
	lstatSync,
	mkdirSync,
	openSync,
	readdirSync,
	renameSync,
	rmSync,
	rmdirSync,
	symlinkSync,
	writeSync,
} from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import type { ByteStream } from '../content/index.ts'
import { isSystemError, UserError } from '../errors/index.ts'
import { judgeLink } from '../manifests/index.ts'
import { besideOf } from './beside.ts'
import { Drainable, gunzip, isGzipType } from './layer-bytes.ts'
import { TarFault } from './tar-fault.ts'
import {
	countOthers,
	moveInto,
	refuseConflicts,
	type WrittenEntries,
	type WrittenType,
} from './replace-files.ts'
import { readTar, type TarItem } from './tar-reader.ts'
import type { TreeEntry, TreeProblem } from './tree.ts'

export interface UnpackOptions {
	readonly mediaType: string
	/** Writes into a directory that is not empty: files of the same name are replaced, other files stay. */
	readonly force?: boolean | undefined
	readonly signal?: AbortSignal | undefined
	/** Most bytes of the unpacked tar (default 1 GB). */
	readonly maxBytes?: number | undefined
	/** Most entries (default 200 000). */
	readonly maxEntries?: number | undefined
	/** Takes `.git`, too: for a directory in which nobody works. */
	readonly allowGit?: boolean | undefined
	/** Hears of each piece of the stream that is written, if it is heard of at all: whose memory is free. */
	readonly written?: ((piece: Uint8Array) => void) | undefined
}

export interface Unpacked {
	readonly files: number
	/** Of the files' contents. */
	readonly bytes: number
	/** Files that were in the directory, are not of the layer, and stay. Without what `push` leaves out by name. */
	readonly otherFiles: number
}

const MAX_BYTES = 1_000_000_000
const MAX_ENTRIES = 200_000

/**
 * A step that is `.git` on some file system, as git refuses it in a tree: its configuration names programs, which run as soon as
 * somebody, or his prompt, asks git for anything in that directory. HFS+ leaves out some characters, NTFS those at the end, and has a
 * short name for it.
 * @see https://github.com/git/git/blob/v2.51.0/path.c is_ntfs_dotgit, utf8.c is_hfs_dotgit
 */
const HFS_IGNORED = '[\\u200c-\\u200f\\u202a-\\u202e\\u206a-\\u206f\\ufeff]*'
const GIT = new RegExp(
	`(?:^|/)(?:${HFS_IGNORED}${['.', 'g', 'i', 't'].map((each) => `[${each}]${HFS_IGNORED}`).join('')}|git~1)(?:[. ]*|:[^/]*)(?:/|$)`,
	'iu',
)

/** Of two entries with one name, the last counts. */
const OPEN_FLAGS = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC

/**
 * Unpacks a layer into a directory, which may exist when it is empty. Everything is
 * written beside it first and then renamed: a directory that was absent or empty is whole, or as
 * it was. With `force`, files are replaced one by one, when all of the layer has been read and nothing
 * in the directory stands in their way: a disk that fails or a right that lacks can leave some replaced.
 * Modes and times are not taken over. Refuses, instead of skipping: absolute names, `..`,
 * links that lead out, hard links, devices, and names below a link or a file.
 * @throws UserError `NAME_TAKEN`, `DIRECTORY_INVALID`, `ARTIFACT_INVALID`, `FILE_UNWRITABLE`,
 * `DISK_FULL`; whatever the stream throws
 */
export async function unpack(
	stream: ByteStream,
	directory: string,
	options: UnpackOptions,
): Promise<Unpacked> {
	const target = resolve(directory)
	const existed = checkTarget(target, directory, options.force ?? false)
	const maxBytes = options.maxBytes ?? MAX_BYTES
	const source = new Drainable(stream, maxBytes)
	const workspace = besideOf(target)
	let isReplacing = false
	try {
		mkdirSync(dirname(target), { recursive: true })
		mkdirSync(workspace)
		const writer = new TreeWriter(workspace, options.allowGit ?? false)
		const tar = isGzipType(options.mediaType) ? gunzip(source) : telling(source, options.written)
		for await (const item of readTar(tar, {
			maxBytes,
			maxEntries: options.maxEntries ?? MAX_ENTRIES,
		})) {
			options.signal?.throwIfAborted()
			const writing = writer.add(item)
			// Thousands of files: to wait for nothing takes time, too.
			if (writing) await writing
		}
		// A verified stream tells at its very end whether it was right.
		await source.drain()
		writer.link()
		if (existed !== 'full') {
			if (existed === 'empty') rmdirSync(target)
			renameSync(workspace, target)
			return { ...writer.result, otherFiles: 0 }
		}
		refuseConflicts(target, { shown: directory, entries: writer.entries })
		isReplacing = true
		moveInto(workspace, target)
		return { ...writer.result, otherFiles: countOthers(target, writer.entries) }
	} catch (error) {
		await source.close()
		throw asUserError(error, {
			directory,
			hint: isReplacing ? 'Some files are replaced already. Remove the cause, and pull again.' : undefined,
		})
	} finally {
		rmSync(workspace, { recursive: true, force: true })
	}
}

/** What is asked for the next piece has written the one before. */
async function* telling(
	stream: ByteStream,
	written: UnpackOptions['written'],
): AsyncGenerator<Uint8Array, void, undefined> {
	for await (const piece of stream) {
		yield piece
		written?.(piece)
	}
}

function checkTarget(target: string, shown: string, force: boolean): 'absent' | 'empty' | 'full' {
	let names: readonly string[]
	try {
		names = readdirSync(target)
	} catch (error) {
		if (isSystemError(error, 'ENOENT')) return 'absent'
		if (isSystemError(error, 'ENOTDIR')) {
			throw new UserError('DIRECTORY_INVALID', `${shown} is not a directory`, { cause: error })
		}
		throw asUserError(error, { directory: shown })
	}
	if (names.length === 0) return lstatSync(target).isSymbolicLink() ? 'full' : 'empty'
	if (force) return 'full'
	throw new UserError('NAME_TAKEN', `${shown} is not empty`, {
		hint: 'Give another directory, or --force to replace files of the same name and leave others.',
	})
}

/** Writes entries below a directory that nobody else writes to. Links are made last, so nothing is written through one. */
class TreeWriter {
	readonly #root: string
	readonly #allowGit: boolean
	readonly #types = new Map<string, WrittenType>()
	readonly #links = new Map<string, string>()
	readonly #sizes = new Map<string, number>()

	constructor(root: string, allowGit: boolean) {
		this.#root = root
		this.#allowGit = allowGit
	}

	/** What there is by path; a directory comes before what is in it. */
	get entries(): WrittenEntries {
		return this.#types
	}

	get result(): Omit<Unpacked, 'otherFiles'> {
		const sizes = [...this.#sizes.values()]
		return { files: sizes.length, bytes: sizes.reduce((sum, size) => sum + size, 0) }
	}

	/** @returns what is to be waited for, if anything */
	add(item: TarItem): Promise<void> | undefined {
		const { entry } = item
		const path = safePath(entry)
		if (!this.#allowGit && GIT.test(path)) throw refused(entry, 'git would do what it says')
		if (path === '') {
			if (entry.type !== 'directory') throw refused(entry, 'it names the directory itself')
			return undefined
		}
		const slash = path.lastIndexOf('/')
		if (slash > 0) this.#directory(entry, path.slice(0, slash))
		switch (entry.type) {
			case 'directory':
				this.#directory(entry, path)
				return undefined
			case 'file':
				this.#claim(entry, path, 'file')
				this.#links.delete(path)
				this.#sizes.set(path, entry.size)
				return writeFile(`${this.#root}/${path}`, item)
			case 'symlink': {
				const problem = judgeLink(path, entry.linkTarget ?? '')
				if (problem !== undefined) throw refused(entry, `it links to ${JSON.stringify(entry.linkTarget)}`)
				this.#claim(entry, path, 'symlink')
				if (this.#sizes.delete(path)) rmSync(join(this.#root, path))
				this.#links.set(path, entry.linkTarget ?? '')
				return undefined
			}
			case 'hardlink':
				throw refused(entry, 'it is a hard link')
			case 'other':
				throw refused(entry, 'it is a device, a pipe or something unknown')
		}
	}

	link(): void {
		for (const [path, target] of this.#links) symlinkSync(target, join(this.#root, path))
	}

	#claim(entry: TreeEntry, path: string, type: 'file' | 'symlink'): void {
		if (this.#types.get(path) === 'directory') throw refused(entry, 'there is a directory of that name')
		this.#types.set(path, type)
	}

	#directory(entry: TreeEntry, path: string): void {
		const known = this.#types.get(path)
		if (known === 'directory') return
		if (known !== undefined)
			throw refused(entry, `${JSON.stringify(path)} is a ${known === 'file' ? 'file' : 'link'}`)
		const slash = path.lastIndexOf('/')
		if (slash > 0) this.#directory(entry, path.slice(0, slash))
		mkdirSync(join(this.#root, path))
		this.#types.set(path, 'directory')
	}
}

/** The entry's path without `./` and a trailing slash; refuses what means another place. */
function safePath(entry: TreeEntry): string {
	const { path } = entry
	if (path.startsWith('/')) throw refused(entry, 'its name is absolute')
	// oxlint-disable-next-line no-control-regex -- control characters are what is looked for
	if (/[\u0000-\u001f\u007f\\\uFFFD]/.test(path))
		throw refused(entry, 'its name has characters that not every machine takes')
	// What is plain already, as nearly all are, need not be taken apart. Windows has more to say about each step.
	if (process.platform !== 'win32' && !/(?:^|\/)\.{0,2}(?:\/|$)/.test(path)) return path
	const steps = path.split('/').filter((step) => step !== '' && step !== '.')
	if (steps.includes('..')) throw refused(entry, 'its name leads out of the directory')
	if (process.platform === 'win32' && steps.some((step) => /[<>:"|?*]|[. ]$/.test(step))) {
		throw refused(entry, 'Windows does not take its name')
	}
	return steps.join('/')
}

function refused(entry: TreeEntry, why: string): UserError {
	return new UserError('ARTIFACT_INVALID', `${JSON.stringify(entry.path)} is not unpacked: ${why}`, {
		hint: 'Nothing was written. Look at the artifact with: lading check',
	})
}

function writeFile(path: string, item: TarItem): Promise<void> | undefined {
	// Synchronous calls, three for a small file: several times as fast as the thread pool.
	const whole = item.whole()
	const file = openSync(path, OPEN_FLAGS, 0o644)
	if (!whole) return writeParts(file, item).finally(() => closeSync(file))
	try {
		writeAll(file, whole)
	} finally {
		closeSync(file)
	}
	return undefined
}

async function writeParts(file: number, item: TarItem): Promise<void> {
	for await (const part of item.content()) writeAll(file, part)
}

function writeAll(file: number, bytes: Uint8Array): void {
	for (let written = 0; written < bytes.byteLength;) written += writeSync(file, bytes, written)
}

function describe(problem: TreeProblem): string {
	switch (problem.kind) {
		case 'not-gzip':
			return 'it is not gzip, as its media type says'
		case 'gzip-corrupt':
			return 'its gzip is broken'
		case 'gzip-truncated':
			return 'its gzip ends early'
		case 'not-tar':
			return `it is not a tar${problem.detail === undefined ? '' : ` that can be read: ${problem.detail}`}`
		case 'name-too-long':
			return 'the name of a file is too long or lies too deep'
		case 'tar-truncated':
			return 'its tar ends early'
		case 'too-large':
			return `it unpacks to more than ${problem.limit} bytes`
		case 'too-many-entries':
			return `it has more than ${problem.limit} entries`
	}
}

function asUserError(
	error: unknown,
	{ directory, hint }: { readonly directory: string; readonly hint?: string | undefined },
): unknown {
	if (error instanceof TarFault) {
		return new UserError('ARTIFACT_INVALID', `the layer cannot be unpacked: ${describe(error.problem)}`, {
			hint: 'Push it again from a good source.',
		})
	}
	if (isSystemError(error, 'ENOSPC', 'EDQUOT')) {
		return new UserError('DISK_FULL', `no space left to write ${directory}`, { cause: error, hint })
	}
	if (
		isSystemError(
			error,
			'EACCES',
			'EPERM',
			'EROFS',
			'ENAMETOOLONG',
			'EINVAL',
			'EISDIR',
			'EEXIST',
			'ENOTEMPTY',
			'ENOTDIR',
		)
	) {
		return new UserError('FILE_UNWRITABLE', `cannot write ${directory}: ${error.code ?? ''}`, {
			cause: error,
			hint,
		})
	}
	return error
}
