import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import {
	linkSync,
	lstatSync,
	mkdirSync,
	readdirSync,
	readFileSync,
	renameSync,
	rmSync,
	statSync,
	writeFileSync,
} from 'node:fs'
import { homedir } from 'node:os'
import { dirname, isAbsolute, join } from 'node:path'

/** Files of a cache, each believed only as this user's lading wrote it. */
export interface SealedFiles {
	/** @returns undefined where there is none, or one that is not ours */
	read(name: string): Buffer | undefined
	/** Whole or not at all; where that cannot be, nothing is said. */
	write(name: string, body: Uint8Array): void
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
 * pipelines restore them, is none.
 */
export function openSealedFiles({ env, kind, maxBytes, maxFiles }: SealedFilesOptions): SealedFiles {
	const sealOf = (key: Uint8Array, name: string, body: Uint8Array): Buffer =>
		createHmac('sha256', key).update(`${kind}/${name}\0`).update(body).digest()
	return {
		read(name) {
			try {
				const { directory, keyFile } = placesOf(env, kind)
				const path = join(directory, name)
				const key = existingKey(keyFile)
				if (!key || !isOurs(path) || statSync(path).size > maxBytes + SEAL_BYTES) return undefined
				const file = readFileSync(path)
				const body = file.subarray(SEAL_BYTES)
				const seal = file.subarray(0, SEAL_BYTES)
				return seal.byteLength === SEAL_BYTES && timingSafeEqual(seal, sealOf(key, name, body))
					? body
					: undefined
			} catch {
				return undefined
			}
		},
		write(name, body) {
			if (body.byteLength > maxBytes) return
			try {
				const { directory, keyFile } = placesOf(env, kind)
				const key = existingKey(keyFile) ?? makeKey(keyFile)
				mkdirSync(directory, { recursive: true, mode: 0o700 })
				if (!isOurs(directory)) return
				const written = join(directory, `${name}.${randomBytes(6).toString('hex')}`)
				try {
					writeFileSync(written, sealOf(key, name, body), { mode: 0o600, flag: 'wx' })
					writeFileSync(written, body, { flag: 'a' })
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

/** @throws Error for a user without a home, as containers have */
function placesOf(
	env: SealedFilesOptions['env'],
	kind: string,
): { readonly directory: string; readonly keyFile: string } {
	const home = env['HOME'] || homedir()
	const cache = placeOf(env['XDG_CACHE_HOME']) ?? join(home, '.cache')
	const state = placeOf(env['XDG_STATE_HOME']) ?? join(home, '.local', 'state')
	return { directory: join(cache, 'lading', kind), keyFile: join(state, 'lading', 'cache-key') }
}

/** A relative path in these variables is to be ignored. @see https://specifications.freedesktop.org/basedir-spec/ */
function placeOf(path: string | undefined): string | undefined {
	return path !== undefined && isAbsolute(path) ? path : undefined
}

function existingKey(path: string): Uint8Array | undefined {
	try {
		if (!isOurs(path)) return undefined
		const key = readFileSync(path)
		return key.byteLength === KEY_BYTES ? key : undefined
	} catch {
		return undefined
	}
}

/** Whole or not at all, and one only, also when two make it at once. */
function makeKey(path: string): Uint8Array {
	mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
	const key = randomBytes(KEY_BYTES)
	const written = `${path}.${randomBytes(6).toString('hex')}`
	try {
		writeFileSync(written, key, { mode: 0o600, flag: 'wx' })
		linkSync(written, path)
		return key
	} finally {
		rmSync(written, { force: true })
	}
}

/** Whether nobody else may have written it: ours, and for nobody else to write. */
function isOurs(path: string): boolean {
	const stats = lstatSync(path)
	if (stats.isSymbolicLink()) return false
	const uid = process.getuid?.()
	return uid === undefined || (stats.uid === uid && (stats.mode & 0o022) === 0)
}

function prune(directory: string, maxFiles: number): void {
	const names = readdirSync(directory)
	if (names.length <= maxFiles) return
	const byAge = names
		.map((name) => ({ path: join(directory, name), age: statSync(join(directory, name)).mtimeMs }))
		.toSorted((left, right) => right.age - left.age)
	for (const { path } of byAge.slice(maxFiles)) rmSync(path, { force: true })
}
