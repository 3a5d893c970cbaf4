import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import {
	closeSync,
	constants,
	fstatSync,
	linkSync,
	lstatSync,
	mkdirSync,
	openSync,
	readdirSync,
	readFileSync,
	renameSync,
	rmSync,
	type Stats,
	statSync,
	writeFileSync,
} from 'node:fs'
import { homedir } from 'node:os'
import { dirname, isAbsolute, join } from 'node:path'

/** Files of a cache, each believed only as this user's lading wrote it. */
export interface SealedFiles {
	/** @returns undefined where there is none, or one that is not ours */
	read(name: string): Buffer | undefined
	/**
	 * Whole or not at all; where that cannot be, nothing is said.
	 * @param body is called where it can be
	 */
	write(name: string, body: () => Uint8Array): void
}

export interface SealedFilesOptions {
	readonly env: Readonly<Record<string, string | undefined>>
	/** The folder's name; a file of one kind is none of another. One whose format changes has another name. */
	readonly kind: string
	/** Of one file. */
	readonly maxBytes: number
	/** Those that were written longest ago go first. */
	readonly maxFiles: number
}

const KEY_BYTES = 32
const SEAL_BYTES = 32

/**
 * A folder of the user's cache directory. What lies there decides what is refused and what is run, and so it is believed only
 * with a seal (HMAC-SHA-256) that a key outside of that directory makes: a cache that someone else has filled, as
 * pipelines restore them, is none. Neither is a file that others may read: git makes none
 * that only its owner may, so that a working copy in the home's place brings none.
 */
export function openSealedFiles({ env, kind, maxBytes, maxFiles }: SealedFilesOptions): SealedFiles {
	const sealOf = (key: Uint8Array, name: string, body: Uint8Array): Buffer =>
		createHmac('sha256', key).update(`${kind}/${name}\0`).update(body).digest()
	return {
		read(name) {
			try {
				const { cache, directory, state, keyFile } = placesOf(env, kind)
				for (const each of [cache, state, dirname(directory), directory, dirname(keyFile)])
					if (!isOwn(statSync(each))) return undefined
				const key = readOwn(keyFile, KEY_BYTES)
				const file = readOwn(join(directory, name), maxBytes + SEAL_BYTES)
				if (key?.byteLength !== KEY_BYTES || !file || file.byteLength < SEAL_BYTES) return undefined
				const body = file.subarray(SEAL_BYTES)
				return timingSafeEqual(file.subarray(0, SEAL_BYTES), sealOf(key, name, body)) ? body : undefined
			} catch {
				return undefined
			}
		},
		write(name, body) {
			try {
				const { directory, keyFile } = placesOf(env, kind)
				makeOwn(dirname(keyFile))
				makeOwn(directory)
				const key = keyFrom(keyFile)
				const bytes = body()
				if (bytes.byteLength > maxBytes) return
				const written = join(directory, `${name}.${randomBytes(6).toString('hex')}`)
				try {
					writeFileSync(written, sealOf(key, name, bytes), { mode: 0o600, flag: 'wx' })
					writeFileSync(written, bytes, { flag: 'a' })
					renameSync(written, join(directory, name))
				} finally {
					rmSync(written, { force: true })
				}
				prune(directory, maxFiles)
			} catch {
				// No space, no right, no home: the next time is as slow as this one.
			}
		},
	}
}

interface Places {
	readonly cache: string
	readonly directory: string
	readonly state: string
	readonly keyFile: string
}

/** @throws Error for a user without a home, as containers have */
function placesOf(env: SealedFilesOptions['env'], kind: string): Places {
	const home = env['HOME'] || homedir()
	const cache = placeOf(env['XDG_CACHE_HOME']) ?? join(home, '.cache')
	const state = placeOf(env['XDG_STATE_HOME']) ?? join(home, '.local', 'state')
	// Of a relative one, the directory that one works in could be the home, and bring code along.
	for (const each of [cache, state]) if (!isAbsolute(each)) throw new Error(`${each} is relative`)
	return { cache, directory: join(cache, 'lading', kind), state, keyFile: join(state, 'lading', 'cache-key') }
}

/** A relative path in these variables is to be ignored. @see https://specifications.freedesktop.org/basedir-spec/ */
function placeOf(path: string | undefined): string | undefined {
	return path !== undefined && isAbsolute(path) ? path : undefined
}

function isOwn({ uid }: Stats): boolean {
	const user = process.geteuid?.()
	return user === undefined || uid === user
}

/** @throws Error where it would lie in somebody else's directory: who runs lading as root keeps his home */
function makeOwn(directory: string): void {
	let present = directory
	while (statSync(present, { throwIfNoEntry: false }) === undefined) present = dirname(present)
	if (!isOwn(statSync(present))) throw new Error(`${present} is somebody else's`)
	mkdirSync(directory, { recursive: true, mode: 0o700 })
	const { mode } = statSync(directory)
	if (process.platform !== 'win32' && (mode & 0o022) !== 0)
		throw new Error(`others may write to ${directory}`)
}

/** The content of a file that nobody else may read or write, looked at and read as one; undefined for any other. */
function readOwn(path: string, maxBytes: number): Buffer | undefined {
	const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants
	const file = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
	try {
		const stats = fstatSync(file)
		return stats.isFile() && isOwn(stats) && isPrivate(stats) && stats.size <= maxBytes
			? readFileSync(file)
			: undefined
	} finally {
		closeSync(file)
	}
}

function isPrivate({ mode }: Stats): boolean {
	return process.platform === 'win32' || (mode & 0o777) === 0o600
}

/** The key, which is made where there is none, or none that can be used. @throws Error where it is somebody else's */
function keyFrom(path: string): Uint8Array {
	const present = lstatSync(path, { throwIfNoEntry: false })
	if (present) {
		const key = present.isFile() ? readOwn(path, KEY_BYTES) : undefined
		if (key?.byteLength === KEY_BYTES) return key
		if (!isOwn(present)) throw new Error(`${path} is somebody else's`)
	}
	// Whole or not at all, and one only, also when two make it at once.
	const key = randomBytes(KEY_BYTES)
	const written = `${path}.${randomBytes(6).toString('hex')}`
	try {
		writeFileSync(written, key, { mode: 0o600, flag: 'wx' })
		if (present) renameSync(written, path)
		else linkSync(written, path)
		return key
	} finally {
		rmSync(written, { force: true })
	}
}

function prune(directory: string, maxFiles: number): void {
	const names = readdirSync(directory)
	if (names.length <= maxFiles) return
	const byAge = names
		.map((name) => ({ path: join(directory, name), age: statSync(join(directory, name)).mtimeMs }))
		.toSorted((left, right) => right.age - left.age)
	for (const { path } of byAge.slice(maxFiles)) rmSync(path, { force: true })
}
