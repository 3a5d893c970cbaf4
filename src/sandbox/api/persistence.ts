import {
	closeSync,
	fsync,
	fsyncSync,
	ftruncateSync,
	mkdirSync,
	openSync,
	readFileSync,
	renameSync,
	writeSync,
} from 'node:fs'
import { join } from 'node:path'
import * as v from 'valibot'
import type { KubeObject } from '../../cluster/index.ts'
import { isSystemError, UserError } from '../../errors/index.ts'
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
	/** Writes what is left and closes the files. */
	close(): void
}

/**
 * A store kept in `directory` (0700): a snapshot, and a journal of the changes since.
 * A change is handed to the system before its request is answered, so that a killed
 * process loses nothing, and flushed to the disk in groups. A torn last line is dropped.
 * @throws UserError `STATE_INVALID` when the snapshot is not one
 */
export function openPersistence(directory: string): Persistence {
	mkdirSync(directory, { recursive: true, mode: 0o700 })
	const snapshotPath = join(directory, SNAPSHOT)
	const snapshot = readSnapshot(snapshotPath)
	const { objects, revision, goodBytes, lines } = replay(snapshot, readText(join(directory, JOURNAL)) ?? '')
	const store = new Store(revision)
	for (const [key, all] of objects) for (const object of all.values()) store.restore(key, object)
	const journal = new Journal(openSync(join(directory, JOURNAL), 'a', 0o600), { store, snapshotPath, lines })
	journal.truncate(goodBytes)
	const unsubscribe = store.subscribe((event) => journal.append(event))
	return {
		store,
		close: () => {
			unsubscribe()
			journal.close()
		},
	}
}

function readText(path: string): string | undefined {
	try {
		return readFileSync(path, 'utf8')
	} catch (error) {
		if (isSystemError(error, 'ENOENT')) return undefined
		throw error
	}
}

function readSnapshot(path: string): v.InferOutput<typeof snapshotSchema> {
	const text = readText(path)
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

class Journal {
	private readonly file: number
	private readonly store: Store
	private readonly snapshotPath: string
	private lines: number
	private buffered: string[] = []
	private syncing = false
	private dirty = false
	private closed = false

	constructor(
		file: number,
		options: { readonly store: Store; readonly snapshotPath: string; readonly lines: number },
	) {
		this.file = file
		this.store = options.store
		this.snapshotPath = options.snapshotPath
		this.lines = options.lines
	}

	truncate(bytes: number): void {
		ftruncateSync(this.file, bytes)
	}

	append({ type, key, object, revision }: StoreEvent): void {
		const { namespace, name } = object.metadata
		const entry =
			type === 'DELETED'
				? { r: revision, k: key, d: { namespace, name } }
				: { r: revision, k: key, o: object }
		if (this.buffered.length === 0) queueMicrotask(() => this.write())
		this.buffered.push(`${JSON.stringify(entry)}\n`)
	}

	close(): void {
		if (this.closed) return
		this.write()
		this.closed = true
		fsyncSync(this.file)
		if (!this.syncing) closeSync(this.file)
	}

	private write(): void {
		if (this.buffered.length === 0 || this.closed) return
		const bytes = Buffer.from(this.buffered.join(''))
		this.lines += this.buffered.length
		this.buffered = []
		for (let written = 0; written < bytes.length;) written += writeSync(this.file, bytes, written)
		this.dirty = true
		this.sync()
		const objects = this.store.keys().reduce((sum, key) => sum + this.store.list(key).length, 0)
		if (this.lines > COMPACT_AFTER + objects) this.compact()
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

	private compact(): void {
		const objects = this.store.keys().flatMap((key) => this.store.list(key).map((object) => [key, object]))
		const temporary = `${this.snapshotPath}.new`
		const file = openSync(temporary, 'w', 0o600)
		try {
			const bytes = Buffer.from(JSON.stringify({ version: 1, revision: this.store.revision, objects }))
			for (let written = 0; written < bytes.length;) written += writeSync(file, bytes, written)
			fsyncSync(file)
		} finally {
			closeSync(file)
		}
		renameSync(temporary, this.snapshotPath)
		ftruncateSync(this.file, 0)
		this.lines = 0
	}
}
