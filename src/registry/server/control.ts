import { randomBytes, timingSafeEqual } from 'node:crypto'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import * as v from 'valibot'
import { readTextFile } from '../../content/index.ts'
import { isSystemError, LadingError } from '../../errors/index.ts'
import type { Handler, ServerRequest, ServerResponse } from '../../http/server/index.ts'
import { type Digest, isDigest } from '../../oci/index.ts'
import { isLockHeld } from './directory-lock.ts'
import { lookInto } from './look-into.ts'
import { recordScrub } from './maintenance.ts'
import { replaceFile } from './replace-file.ts'
import type { PruneOptions } from './pruning.ts'
import type { RegistryStorage } from './storage.ts'
import { parseTagPattern, type TagPattern } from './tag-pattern.ts'
import { fault } from './wire.ts'

/** Where a running registry is told what to do, and the secret by which it knows who may. */
export interface ControlDoor {
	readonly url: string
	readonly secret: string
	/** Its certificate is not of the authority at `ca.crt`, and may have any name. */
	readonly ownCertificate: boolean
	/** Name of the lock that its server has: with that gone, anybody may listen there. */
	readonly lock: string
}

/** What may be asked of a running registry by `POST /control/prune`. */
export type PruneOrder = Pick<PruneOptions, 'rules' | 'inUse' | 'graceMs' | 'dryRun'>

/** One line of an answer: any number of `progress`, then one of the others. */
export type ControlLine =
	| { readonly type: 'progress'; readonly done: number; readonly of: number }
	| { readonly type: 'result'; readonly result: unknown }
	| {
			readonly type: 'error'
			readonly message: string
			readonly hint?: string | undefined
			readonly code?: string | undefined
	  }

export interface ControlOptions {
	readonly storage: RegistryStorage
	readonly dataDirectory: string
	readonly secret: string
	readonly immutable?: TagPattern | undefined
	/** What the registry holds. */
	readonly content: () => unknown
}

const FILE = 'control'
const PREFIX = '/control/'
/** Of the body of an order, in bytes. */
const MAX_ORDER_BYTES = 16 * 1024 * 1024
/** Between two lines of progress, in milliseconds. */
const PROGRESS_MS = 1000

const IMMUTABLE_FILE = 'immutable'

const digest = v.custom<Digest>((input) => typeof input === 'string' && isDigest(input))
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0))

const orderSchema: v.GenericSchema<unknown, PruneOrder> = v.strictObject({
	rules: v.optional(
		v.array(
			v.strictObject({
				repository: v.optional(v.string()),
				tag: v.optional(v.string()),
				keep: v.optional(count),
				olderThanMs: v.optional(v.pipe(v.number(), v.minValue(0))),
				untagged: v.optional(v.boolean()),
				includeImmutable: v.optional(v.boolean()),
			}),
		),
	),
	inUse: v.optional(
		v.array(
			v.strictObject({
				repository: v.optional(v.string()),
				names: v.union([v.strictObject({ digest }), v.strictObject({ tag: v.string() })]),
				by: v.string(),
			}),
		),
	),
	graceMs: v.optional(v.pipe(v.number(), v.minValue(0))),
	dryRun: v.optional(v.boolean()),
})

export function newControlSecret(): string {
	return randomBytes(32).toString('hex')
}

export function isControl(request: Pick<ServerRequest, 'path'>): boolean {
	return request.path.startsWith(PREFIX)
}

/** The orders that whoever can read the data directory may give. Nobody else gets more than a refusal. */
export function createControl(options: ControlOptions): Handler {
	const expected = Buffer.from(`Bearer ${options.secret}`)
	return async (request) => {
		const given = Buffer.from(request.headers.authorization ?? '')
		if (given.byteLength !== expected.byteLength || !timingSafeEqual(given, expected))
			return fault(403, 'DENIED', 'this is for whoever can read the directory of the registry')
		if (request.method !== 'POST') return fault(405, 'UNSUPPORTED', 'this endpoint takes POST')
		const body = await readOrder(request)
		if (body === undefined) return fault(413, 'SIZE_INVALID', `an order may have ${MAX_ORDER_BYTES} bytes`)
		switch (request.path) {
			case `${PREFIX}prune`:
				return pruneOrder(options, request, body)
			case `${PREFIX}tags`:
				return answer(() => Promise.resolve(options.storage.listTags(body, { limit: Infinity })?.tags ?? []))
			case `${PREFIX}scrub`:
				return answer(async (onProgress) => {
					const report = await options.storage.scrub({ signal: request.signal, onProgress })
					recordScrub(options.dataDirectory, Date.now())
					return report
				})
			case `${PREFIX}content`:
				return answer(() => Promise.resolve(options.content()))
			default:
				return fault(404, 'UNSUPPORTED', 'no such endpoint')
		}
	}
}

function pruneOrder(
	{ storage, immutable }: ControlOptions,
	request: ServerRequest,
	body: string,
): ServerResponse {
	const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), orderSchema), body)
	if (!parsed.success) return fault(400, 'UNSUPPORTED', `not an order to prune: ${parsed.issues[0].message}`)
	const order = parsed.output
	return answer(
		async (onProgress) => await storage.prune({ ...order, immutable, signal: request.signal, onProgress }),
	)
}

type Job = (onProgress: (progress: { done: number; of: number }) => void) => Promise<unknown>

/** However long it takes, something is said now and then: nobody in between gives up. */
function answer(job: Job): ServerResponse {
	return { status: 200, headers: { 'content-type': 'application/x-ndjson' }, body: lines(job) }
}

async function* lines(job: Job): AsyncGenerator<string, void, undefined> {
	let progress = { done: 0, of: 0 }
	const ended: Promise<ControlLine> = job((latest) => {
		progress = { done: latest.done, of: latest.of }
	}).then(
		(result) => ({ type: 'result', result }),
		(error: unknown) => ({
			type: 'error',
			message: error instanceof Error ? error.message : String(error),
			...(error instanceof LadingError && { code: error.code }),
			...(error instanceof LadingError && error.hint !== undefined && { hint: error.hint }),
		}),
	)
	for (;;) {
		const line = await Promise.race([ended, delay(PROGRESS_MS, undefined, { ref: false })])
		yield format(line ?? { type: 'progress', ...progress })
		if (line) return
	}
}

function format(line: ControlLine): string {
	return `${JSON.stringify(line)}\n`
}

/** `undefined` when it is too long. */
async function readOrder(request: ServerRequest): Promise<string | undefined> {
	const chunks: Uint8Array[] = []
	let size = 0
	for await (const chunk of request.body) {
		size += chunk.byteLength
		if (size > MAX_ORDER_BYTES) return undefined
		chunks.push(chunk)
	}
	return Buffer.concat(chunks).toString('utf8')
}

/** Keeps the patterns of immutable tags for whoever works on the directory while no server does. */
export function rememberImmutable(dataDirectory: string, patterns: readonly string[]): void {
	const path = join(dataDirectory, IMMUTABLE_FILE)
	if (patterns.length === 0) return rmSync(path, { force: true })
	const text = `${patterns.join('\n')}\n`
	if (readTextFile(path) !== text) replaceFile(path, text)
}

/** The patterns of immutable tags that the last server of a directory had. */
export function rememberedImmutable(dataDirectory: string): TagPattern {
	const patterns = (readTextFile(join(dataDirectory, IMMUTABLE_FILE)) ?? '')
		.split('\n')
		.filter((line) => line !== '')
		.map(parseTagPattern)
	return (repository, tag) => patterns.some((each) => each(repository, tag))
}

/** Tells whoever may read the directory how to reach its server. @returns what takes that back */
export function openControlDoor(dataDirectory: string, door: ControlDoor): () => void {
	const path = join(dataDirectory, FILE)
	// No start of the machine has any use for it.
	replaceFile(path, `${JSON.stringify(door)}\n`, { flush: false })
	return () => {
		try {
			// Whoever has taken the directory over has a door of its own.
			if (readDoor(dataDirectory)?.secret === door.secret) rmSync(path, { force: true })
		} catch (error) {
			// Without its lock it counts for nothing.
			if (!isSystemError(error)) throw error
		}
	}
}

const doorSchema: v.GenericSchema<unknown, ControlDoor> = v.object({
	url: v.pipe(v.string(), v.url()),
	secret: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
	ownCertificate: v.boolean(),
	lock: v.string(),
})

/**
 * How the server that has a directory now is reached; `undefined` where none says so.
 * @throws UserError `FILE_UNREADABLE`
 */
export function findControlDoor(dataDirectory: string): ControlDoor | undefined {
	return lookInto(dataDirectory, () => {
		const door = readDoor(dataDirectory)
		return door && isLockHeld(dataDirectory, door.lock) ? door : undefined
	})
}

function readDoor(dataDirectory: string): ControlDoor | undefined {
	const parsed = v.safeParse(
		v.pipe(v.string(), v.parseJson(), doorSchema),
		readTextFile(join(dataDirectory, FILE)),
	)
	return parsed.success ? parsed.output : undefined
}
