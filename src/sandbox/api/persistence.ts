import {
	closeSync,
	fsync,
	fsyncSync,
	ftruncateSync,
	mkdirSync,
	openSync,
	renameSync,
	rmSync,
	writeSync,
} from 'node:fs'
import { join } from 'node:path'
import * as v from 'valibot'
import type { KubeObject } from '../../cluster/index.ts'
import { readTextFile } from '../../content/index.ts'
import { isSystemError, UserError } from '../../errors/index.ts'
import { StatusError } from './status-error.ts'
import { Store, type StoreEvent } from './store.ts'

const SNAPSHOT = 'objects.json'
const JOURNAL = 'journal.ndjson'
/** Changes after which the journal is folded into the snapshot, beyond one for each object. */
const COMPACT_AFTER = 4000

const kubeObject = v.custom<KubeObject>((value) =>
	v.is(
		v.object({ apiVersion: v.string(), kind: v.string(), metadata: v.object({ name: v.string() }) }),
		value,
	),
)
const snapshotSchema = v.object({
	version: v.literal(1),
	revision: v.number(),
	objects: v.array(v.tuple([v.string(), kubeObject])),
})
const entrySchema = v.object({
	r: v.number(),
	k: v.string(),
	o: v.optional(kubeObject),
	d: v.optional(v.object({ namespace: v.optional(v.string()), name: v.string() })),
})

export interface Persistence {
	readonly store: Store
	/** Flushes and closes the files. */
	readonly close: () => void
}

/**
 * A store kept in `directory` (0700): a snapshot, and a journal of the changes since.
 * A change is handed to the system before it is made, so that a killed process loses
 * nothing and a full disk refuses it; flushed to the disk it is in groups. A torn last
 * line is dropped.
 * @throws UserError `STATE_INVALID` when the snapshot is not one
 */
export function openPersistence(
	directory: string,
	options: { readonly write?: Write | undefined } = {},
): Persistence {
	mkdirSync(directory, { recursive: true, mode: 0o700 })
	const snapshotPath = join(directory, SNAPSHOT)
	const snapshot = readSnapshot(snapshotPath)
	const { objects, revision, goodBytes, lines } = replay(
		snapshot,
		readTextFile(join(directory, JOURNAL)) ?? '',
	)
	const store = new Store(revision)
	for (const [key, all] of objects) for (const object of all.values()) store.restore(key, object)
	const file = openSync(join(directory, JOURNAL), 'a', 0o600)
	const write = options.write ?? writeSync
	const journal = new Journal(file, { store, snapshotPath, lines, bytes: goodBytes, write })
	store.keepWith((event) => journal.append(event))
	return { store, close: () => journal.close() }
}

function readSnapshot(path: string): v.InferOutput<typeof snapshotSchema> {
	const text = readTextFile(path)
	if (text === undefined) return { version: 1, revision: 1, objects: [] }
	const parsed = v.safeParse(snapshotSchema, parse(text))
	if (parsed.success) return parsed.output
	throw new UserError('STATE_INVALID', `${path} does not hold the objects of a lading sandbox`, {
		hint: 'Remove the sandbox with `lading down`, or delete its directory, and start again.',
	})
}

function parse(text: string): unknown {
	try {
		return JSON.parse(text) as unknown
	} catch {
		return undefined
	}
}

interface Replayed {
	readonly objects: ReadonlyMap<string, ReadonlyMap<string, KubeObject>>
	readonly revision: number
	/** Up to the end of the last whole line. */
	readonly goodBytes: number
	readonly lines: number
}

function replay(snapshot: v.InferOutput<typeof snapshotSchema>, journal: string): Replayed {
	const objects = new Map<string, Map<string, KubeObject>>()
	const of = (key: string): Map<string, KubeObject> => {
		const all = objects.get(key) ?? new Map<string, KubeObject>()
		objects.set(key, all)
		return all
	}
	const id = (object: { readonly namespace?: string | undefined; readonly name: string }): string =>
		`${object.namespace ?? ''}/${object.name}`
	for (const [key, object] of snapshot.objects) of(key).set(id(object.metadata), object)
	let { revision } = snapshot
	let goodBytes = 0
	let lines = 0
	for (const line of journal.split('\n').slice(0, -1)) {
		const parsed = v.safeParse(entrySchema, parse(line))
		if (!parsed.success) break
		const { r, k, o, d } = parsed.output
		if (r > revision) {
			if (o) of(k).set(id(o.metadata), o)
			else if (d) of(k).delete(id(d))
			revision = r
		}
		goodBytes += Buffer.byteLength(line) + 1
		lines++
	}
	return { objects, revision, goodBytes, lines }
}

type Write = (file: number, bytes: Uint8Array, offset: number) => number

interface JournalOptions {
	readonly store: Store
	readonly snapshotPath: string
	readonly lines: number
	readonly bytes: number
	readonly write: Write
}

class Journal {
	private readonly file: number
	private readonly store: Store
	private readonly snapshotPath: string
	private readonly writeSome: Write
	private lines: number
	/** Up to the end of the last whole line. */
	private bytes: number
	/** Not before so many lines is folding tried: it grows where folding fails. */
	private patience = COMPACT_AFTER
	private syncing = false
	private dirty = false
	private closed = false

	constructor(file: number, { store, snapshotPath, lines, bytes, write }: JournalOptions) {
		this.file = file
		this.store = store
		this.snapshotPath = snapshotPath
		this.writeSome = write
		this.lines = lines
		this.bytes = bytes
		ftruncateSync(file, bytes)
	}

	/** @throws StatusError `InsufficientStorage`; nothing of the change is kept then */
	append({ type, key, object, revision }: StoreEvent): void {
		if (this.closed) return
		if (this.lines > this.patience + this.store.size) this.compact()
		const { namespace, name } = object.metadata
		const entry =
			type === 'DELETED'
				? { r: revision, k: key, d: { namespace, name } }
				: { r: revision, k: key, o: object }
		const line = Buffer.from(`${JSON.stringify(entry)}\n`)
		try {
			this.write(this.file, line)
		} catch (error) {
			// A torn line would hide every later one from the next start.
			ftruncateSync(this.file, this.bytes)
			throw unwritten(error)
		}
		this.bytes += line.length
		this.lines++
		this.dirty = true
		this.sync()
	}

	close(): void {
		if (this.closed) return
		this.closed = true
		fsyncSync(this.file)
		if (!this.syncing) closeSync(this.file)
	}

	private write(file: number, bytes: Uint8Array): void {
		for (let written = 0; written < bytes.length;) written += this.writeSome(file, bytes, written)
	}

	/** One flush at a time; what was written meanwhile goes with the next. */
	private sync(): void {
		if (this.syncing || !this.dirty) return
		this.syncing = true
		this.dirty = false
		fsync(this.file, () => {
			this.syncing = false
			if (this.closed) closeSync(this.file)
			else this.sync()
		})
	}

	/** Folds the journal into the snapshot; where the disk has no room for both, later. */
	private compact(): void {
		const objects = this.store.keys().flatMap((key) => this.store.list(key).map((object) => [key, object]))
		const temporary = `${this.snapshotPath}.new`
		try {
			const file = openSync(temporary, 'w', 0o600)
			try {
				this.write(file, Buffer.from(JSON.stringify({ version: 1, revision: this.store.revision, objects })))
				fsyncSync(file)
			} finally {
				closeSync(file)
			}
			renameSync(temporary, this.snapshotPath)
		} catch {
			rmSync(temporary, { force: true })
			this.patience += COMPACT_AFTER
			return
		}
		ftruncateSync(this.file, 0)
		this.lines = 0
		this.bytes = 0
		this.patience = COMPACT_AFTER
	}
}

function unwritten(error: unknown): unknown {
	if (!['ENOSPC', 'EDQUOT', 'EFBIG', 'EIO', 'EROFS'].some((code) => isSystemError(error, code))) return error
	const why = error instanceof Error && 'code' in error ? String(error.code) : ''
	return new StatusError(
		'InsufficientStorage',
		`the lading sandbox cannot write to its disk (${why}): nothing was changed`,
	)
}
