import { lstatSync, readdirSync, readFileSync, realpathSync, statSync, type Stats } from 'node:fs'
import { join, resolve, sep } from 'node:path'
import { isSystemError, unreachable, UserError } from '../errors/index.ts'
import { checkLinks, readLink } from './check-links.ts'
import { compareBytes, entryName, NameCollisions } from './entry-name.ts'
import { ignoreFileNames, IgnoreRules } from './ignore-rules.ts'
import type { IgnoredPath, IgnoreReason, ManifestEntry, ManifestSet } from './manifest-set.ts'
import { unreadable } from './unreadable.ts'

export interface ReadManifestSetOptions {
	/** Whether the directory's ignore files count (default true). The built-in list always does. */
	readonly ignore?: boolean | undefined
	readonly signal?: AbortSignal | undefined
}

/** Largest ignore file that is read, in bytes. */
const MAX_IGNORE_BYTES = 1024 * 1024

/** Names of the files a reader of manifests looks at. */
const MANIFEST = /\.(?:ya?ml|json|jsonnet)$/i

/** Whether Argo CD takes a file of this name for a manifest. */
export function isManifestName(path: string): boolean {
	return MANIFEST.test(path)
}

/** How many directories are read before other work gets its turn. */
const DIRECTORIES_PER_TURN = 64

/**
 * Lists what a directory packs. File contents are not read. Modes, times and owners do
 * not count; a file with several hard links is a file like any other and is packed under
 * each of its names; a directory without any file in it is left out, as git leaves it out.
 * Links are kept as links: each must be relative and end at something that is packed.
 * @throws UserError `DIRECTORY_INVALID`, `DIRECTORY_EMPTY`, `FILE_UNREADABLE`,
 * `FILE_UNSUPPORTED` (a name or a type that not every machine could take)
 */
export async function readManifestSet(
	directory: string,
	options: ReadManifestSetOptions = {},
): Promise<ManifestSet> {
	return (await walkDirectory(directory, options)).finish()
}

/**
 * All that is in a directory and not left out, unchecked and in no order; also the directories without a file in them.
 * @throws UserError as {@link readManifestSet} where it cannot be read
 */
export async function listEntries(
	directory: string,
	options: ReadManifestSetOptions = {},
): Promise<readonly ManifestEntry[]> {
	return (await walkDirectory(directory, options)).found
}

async function walkDirectory(directory: string, options: ReadManifestSetOptions): Promise<Walk> {
	const walk = new Walk(openRoot(directory), options.ignore ?? true)
	let turns = 0
	while (walk.step()) {
		if (++turns % DIRECTORIES_PER_TURN === 0) await new Promise((done) => setImmediate(done))
		options.signal?.throwIfAborted()
	}
	return walk
}

function openRoot(directory: string): string {
	const root = resolve(directory)
	let stats: Stats
	try {
		stats = statSync(root)
	} catch (error) {
		if (isSystemError(error, 'ENOENT', 'ENOTDIR')) {
			throw new UserError('DIRECTORY_INVALID', `${directory} does not exist`, {
				hint: 'Give the directory that holds the manifests.',
				cause: error,
			})
		}
		throw unreadable(directory, error)
	}
	if (!stats.isDirectory()) {
		throw new UserError('DIRECTORY_INVALID', `${directory} is not a directory`, {
			hint: 'Give the directory that holds the file.',
		})
	}
	return realpathSync(root)
}

interface Pending {
	/** `''` for the root, else with a trailing slash. */
	readonly prefix: string
	readonly rules: IgnoreRules
}

class Walk {
	readonly #root: string
	readonly #useFiles: boolean
	readonly #pending: Pending[]
	readonly #found: ManifestEntry[] = []
	readonly #ignored: IgnoredPath[] = []
	readonly #warnings: string[] = []
	readonly #collisions = new NameCollisions()
	#newestMs = -Infinity

	constructor(root: string, useFiles: boolean) {
		this.#root = root
		this.#useFiles = useFiles
		this.#pending = [{ prefix: '', rules: IgnoreRules.none }]
	}

	get found(): readonly ManifestEntry[] {
		return this.#found
	}

	/** Reads one directory; `false` when there is none left. */
	step(): boolean {
		const pending = this.#pending.pop()
		if (pending === undefined) return false
		const shown = join(this.#root, pending.prefix)
		const children = readNames(shown)
		const rules = this.#useFiles ? this.#extend(pending, children) : pending.rules
		const directory = shown.endsWith(sep) ? shown : shown + sep
		for (const child of children) this.#visit({ prefix: pending.prefix, rules, directory }, child)
		return true
	}

	#extend(pending: Pending, children: readonly Child[]): IgnoreRules {
		const files = ignoreFileNames
			.filter((name) => children.some((child) => child.name === name && child.type === 'file'))
			.map((name) => ({ name, content: readIgnoreFile(join(this.#root, pending.prefix, name)) }))
		return files.length === 0 ? pending.rules : pending.rules.with(pending.prefix, files)
	}

	#visit(parent: Pending & { readonly directory: string }, child: Child): void {
		const path = parent.prefix + child.name
		const marked = child.type === 'directory' ? `${path}/` : path
		const verdict = parent.rules.verdict(marked)
		if (verdict?.kind === 'ignored') {
			this.#ignored.push({ path: marked, reason: verdict.reason })
			return
		}
		if (verdict?.leftOutByDefault === true) {
			this.#warnings.push(
				`${marked} is packed although such files are left out by default: an ignore file takes it back in.`,
			)
		}
		this.#collisions.add(path)
		// Thousands of paths: joining each anew takes as long as all else that is done with it here.
		const absolute = parent.directory + child.name
		switch (child.type) {
			case 'directory':
				this.#found.push({ path, absolute, type: 'directory', size: 0 })
				this.#pending.push({ prefix: marked, rules: verdict ? parent.rules.within(marked) : parent.rules })
				return
			case 'symlink':
				this.#found.push({ path, absolute, type: 'symlink', size: 0, linkTarget: readLink(path, absolute) })
				return
			case 'file':
				this.#found.push({ path, absolute, type: 'file', size: this.#look(path, absolute) })
				return
			case 'other':
				throw unsupported(path)
			default:
				unreachable(child.type)
		}
	}

	/** @returns the size of a file */
	#look(path: string, absolute: string): number {
		const { size, mtimeMs, ctimeMs } = statsOf(path, absolute)
		this.#newestMs = Math.max(this.#newestMs, mtimeMs, ctimeMs)
		return size
	}

	finish(): ManifestSet {
		const entries = withoutEmptyDirectories(this.#found)
		checkLinks(this.#root, entries)
		this.#ignored.sort((left, right) => compareBytes(left.path, right.path))
		if (!entries.some((entry) => entry.type !== 'directory' && isManifestName(entry.path))) {
			this.#refuseIgnoredManifests()
		}
		if (entries.length === 0) throw this.#empty()
		return {
			root: this.#root,
			entries,
			ignored: this.#ignored,
			newestMs: this.#newestMs,
			warnings: this.#warnings.sort(compareBytes),
		}
	}

	#empty(): UserError {
		const left = this.#ignored.map((each) => each.path)
		const message =
			left.length === 0 ? `${this.#root} is empty` : `${this.#root} has nothing that would be packed`
		return new UserError('DIRECTORY_EMPTY', message, {
			hint: 'Put the manifests into it, or start with: lading init',
			details: left.slice(0, 20).map((path) => `left out: ${path}`),
		})
	}

	#refuseIgnoredManifests(): void {
		for (const { path, reason } of this.#ignored) {
			if (reason === 'default' || !holdsManifest(join(this.#root, path), path)) continue
			throw new UserError(
				'DIRECTORY_EMPTY',
				`every manifest is left out: ${describe(reason)} leaves out ${path}`,
				{
					hint: `Change that line, or add a line "!${path}" to ${ignoreFileNames[2]}.`,
				},
			)
		}
	}
}

function describe(reason: Exclude<IgnoreReason, 'default'>): string {
	return `${reason.file}:${reason.line} (${reason.pattern})`
}

/** Most directories that are searched to find out whether an ignored one holds manifests. */
const MAX_SEARCHED = 1000

function holdsManifest(absolute: string, path: string): boolean {
	if (!path.endsWith('/')) return isManifestName(path)
	const pending = [absolute]
	for (let searched = 0; searched < MAX_SEARCHED; searched++) {
		const directory = pending.pop()
		if (directory === undefined) return false
		for (const child of readNames(directory)) {
			if (child.type === 'directory') pending.push(join(directory, child.name))
			else if (isManifestName(child.name)) return true
		}
	}
	return false
}

interface Child {
	readonly name: string
	readonly type: 'file' | 'directory' | 'symlink' | 'other'
}

function readNames(directory: string): readonly Child[] {
	try {
		return readdirSync(directory, { withFileTypes: true, encoding: 'buffer' }).map((entry): Child => {
			const name = entryName(entry.name, directory)
			if (entry.isFile()) return { name, type: 'file' }
			if (entry.isDirectory()) return { name, type: 'directory' }
			return { name, type: entry.isSymbolicLink() ? 'symlink' : 'other' }
		})
	} catch (error) {
		if (isSystemError(error)) throw unreadable(directory, error)
		throw error
	}
}

function statsOf(path: string, absolute: string): Stats {
	try {
		const stats = lstatSync(absolute)
		if (!stats.isFile()) throw unsupported(path)
		return stats
	} catch (error) {
		if (isSystemError(error)) throw unreadable(path, error)
		throw error
	}
}

function readIgnoreFile(absolute: string): string {
	try {
		const content = readFileSync(absolute)
		if (content.byteLength > MAX_IGNORE_BYTES) {
			throw new UserError('FILE_UNSUPPORTED', `${absolute} is larger than ${MAX_IGNORE_BYTES} bytes`)
		}
		return content.toString('utf8')
	} catch (error) {
		if (isSystemError(error)) throw unreadable(absolute, error)
		throw error
	}
}

function withoutEmptyDirectories(found: readonly ManifestEntry[]): readonly ManifestEntry[] {
	const filled = new Set<string>()
	for (const entry of found) {
		if (entry.type === 'directory') continue
		let slash = entry.path.lastIndexOf('/')
		while (slash > 0) {
			const parent = entry.path.slice(0, slash)
			if (filled.has(parent)) break
			filled.add(parent)
			slash = parent.lastIndexOf('/')
		}
	}
	return found
		.filter((entry) => entry.type !== 'directory' || filled.has(entry.path))
		.sort((left, right) => compareBytes(left.path, right.path))
}

function unsupported(path: string): UserError {
	return new UserError('FILE_UNSUPPORTED', `${path} is a device, a pipe or a socket`, {
		hint: 'Only files, directories and links can be packed. Move it out, or add it to .ladingignore.',
	})
}
