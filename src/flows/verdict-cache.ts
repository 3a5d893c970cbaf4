import { createHash, createHmac, hash, randomBytes, timingSafeEqual } from 'node:crypto'
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
import * as v from 'valibot'
import type { ResourceIdentity } from '../argocd/index.ts'
import type { FileInspection, ReleaseRange } from '../validation/index.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** What a file was found to be: without a fault, so that only its objects' names are worth keeping. */
export interface CleanFile {
	/** Of its bytes, in hex. */
	readonly sha256: string
	readonly resources: readonly ResourceIdentity[]
	/** What its objects bring and refer to, which is judged together with the other files each time. */
	readonly inspection?: Pick<FileInspection, 'uses' | 'brought' | 'namespaces'> | undefined
}

/** What is judged the same again: the same rules, asked in the same way, of the same directory. */
export interface VerdictScope {
	/** Of everything that decides a verdict. */
	readonly rules: string
	readonly serverSide: boolean
	/** What an API server of these releases would say was asked, too. */
	readonly inspect?: ReleaseRange | undefined
	/** Absolute path. */
	readonly root: string
}

/** Verdicts of an earlier check, by the path in the directory. */
export interface VerdictCache {
	read(scope: VerdictScope): ReadonlyMap<string, CleanFile>
	write(scope: VerdictScope, files: ReadonlyMap<string, CleanFile>): void
}

/** Directories of which verdicts are kept. */
const MAX_SCOPES = 32
/** Of the verdicts of one directory, in bytes. */
const MAX_BYTES = 16 * 1024 * 1024
const KEY_BYTES = 32
const MAC_HEX = 64

const identitySchema = v.object({
	group: v.string(),
	version: v.string(),
	kind: v.string(),
	namespace: v.optional(v.string()),
	name: v.string(),
	file: v.optional(v.string()),
	line: v.optional(v.number()),
})

const referenceSchema = v.object({
	kind: v.picklist(['ConfigMap', 'Secret', 'ServiceAccount']),
	name: v.string(),
	namespace: v.optional(v.string()),
})

const useSchema = v.object({
	...referenceSchema.entries,
	path: v.array(v.union([v.string(), v.number()])),
	place: v.object({
		file: v.optional(v.string()),
		line: v.optional(v.number()),
		item: v.optional(v.number()),
		object: v.string(),
	}),
})

const inspectionSchema = v.object({
	uses: v.array(useSchema),
	brought: v.array(referenceSchema),
	namespaces: v.array(v.string()),
})

const fileSchema = v.object({
	scope: v.object({
		rules: v.string(),
		serverSide: v.boolean(),
		inspect: v.optional(v.object({ oldest: v.number(), newest: v.number() })),
		root: v.string(),
	}),
	files: v.record(
		v.string(),
		v.object({
			sha256: v.string(),
			resources: v.array(identitySchema),
			inspection: v.optional(inspectionSchema),
		}),
	),
})

/**
 * Verdicts in the cache directory of the user. They decide what is refused, and so are believed only with a seal
 * that a key outside of that directory makes: a cache that someone else has filled, as pipelines restore
 * them, is none. Whatever is wrong with it, files are judged anew; nothing is said.
 */
export function openVerdictCache(env: Environment): VerdictCache {
	const home = env['HOME'] || homedir()
	const directory = join(placeOf(env['XDG_CACHE_HOME']) ?? join(home, '.cache'), 'lading', 'verdicts')
	const keyFile = join(
		placeOf(env['XDG_STATE_HOME']) ?? join(home, '.local', 'state'),
		'lading',
		'verdict-key',
	)
	const pathOf = (scope: VerdictScope): string =>
		join(
			directory,
			createHash('sha256')
				.update(JSON.stringify(seal(scope)))
				.digest('hex')
				.slice(0, 32),
		)
	return {
		read(scope) {
			try {
				return readSealed(pathOf(scope), { scope, key: readKey(keyFile) })
			} catch {
				return new Map()
			}
		},
		write(scope, files) {
			try {
				const body = JSON.stringify({ scope: seal(scope), files: Object.fromEntries(files) })
				if (body.length > MAX_BYTES) return
				const key = existingKey(keyFile) ?? makeKey(keyFile)
				mkdirSync(directory, { recursive: true, mode: 0o700 })
				if (!isOurs(directory)) return
				const path = pathOf(scope)
				const written = `${path}.${randomBytes(6).toString('hex')}`
				try {
					writeFileSync(written, `${macOf(key, body)}\n${body}`, { mode: 0o600, flag: 'wx' })
					renameSync(written, path)
				} finally {
					rmSync(written, { force: true })
				}
				prune(directory)
			} catch {
				// No space, no right: the next check is as slow as this one.
			}
		},
	}
}

/** The digest by which a file is known again. */
export function sha256(bytes: Uint8Array): string {
	return hash('sha256', bytes)
}

/** A relative path in these variables is to be ignored. @see https://specifications.freedesktop.org/basedir-spec/ */
function placeOf(path: string | undefined): string | undefined {
	return path !== undefined && isAbsolute(path) ? path : undefined
}

/** In one order, whoever made it. */
function seal({ rules, serverSide, inspect, root }: VerdictScope): VerdictScope {
	const { oldest, newest } = inspect ?? {}
	return {
		rules,
		serverSide,
		...(oldest !== undefined && newest !== undefined && { inspect: { oldest, newest } }),
		root,
	}
}

function readSealed(
	path: string,
	{ scope, key }: { readonly scope: VerdictScope; readonly key: Uint8Array },
): ReadonlyMap<string, CleanFile> {
	const none = new Map<string, CleanFile>()
	if (!isOurs(path) || statSync(path).size > MAX_BYTES + MAC_HEX + 1) return none
	const text = readFileSync(path, 'utf8')
	const body = text.slice(MAC_HEX + 1)
	const [said, right] = [Buffer.from(text.slice(0, MAC_HEX)), Buffer.from(macOf(key, body))]
	if (said.byteLength !== right.byteLength || !timingSafeEqual(said, right)) return none
	const parsed = v.safeParse(fileSchema, JSON.parse(body))
	// Sealed for another directory or other rules, and put in this one's place.
	if (!parsed.success || JSON.stringify(seal(parsed.output.scope)) !== JSON.stringify(seal(scope)))
		return none
	return new Map(Object.entries(parsed.output.files))
}

function macOf(key: Uint8Array, body: string): string {
	return createHmac('sha256', key).update(body).digest('hex')
}

function readKey(path: string): Uint8Array {
	const key = existingKey(path)
	if (!key) throw new Error('there is no key yet')
	return key
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

/** The directories that were checked longest ago go first. */
function prune(directory: string): void {
	const names = readdirSync(directory)
	if (names.length <= MAX_SCOPES) return
	const byAge = names
		.map((name) => ({ path: join(directory, name), age: statSync(join(directory, name)).mtimeMs }))
		.toSorted((left, right) => right.age - left.age)
	for (const { path } of byAge.slice(MAX_SCOPES)) rmSync(path, { force: true })
}
