import { setImmediate } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Worker } from 'node:worker_threads'
import { existsSync } from 'node:fs'
import { type ParsedDocument, parseManifests } from './parse-manifests.ts'
import type { ParseAnswer, ParseRequest } from './parse-worker.ts'

/** A file and its path, for messages. */
export interface ManifestFile {
	readonly path: string
	readonly bytes: Uint8Array
}

export interface ParallelOptions {
	readonly signal?: AbortSignal | undefined
	/** The built worker; absent where there is none, as in the sources. */
	readonly worker?: string | undefined
}

/** From this many bytes on a second thread saves more time than its start takes. */
const WORTH_BYTES = 1_000_000

/** Bytes that are parsed in one go. */
const BATCH_BYTES = 64 * 1024

/** Batches that wait in the second thread, so that it never waits for this one. */
const AHEAD = 2

type Batch = readonly { readonly number: number; readonly path: string; readonly bytes: Uint8Array }[]

/**
 * Parses many files on two threads. The answer is {@link parseManifests} that knows
 * what these very bytes (the same array, not an equal one) contain; whatever was not
 * parsed ahead, or does not parse, it parses when it is asked.
 */
export async function parseInParallel(
	files: readonly ManifestFile[],
	options: ParallelOptions = {},
): Promise<typeof parseManifests> {
	const path = options.worker ?? builtWorker()
	const total = files.reduce((sum, { bytes }) => sum + bytes.byteLength, 0)
	if (path === undefined || total < WORTH_BYTES) return parseManifests
	const known = new WeakMap<Uint8Array, ParsedDocument[]>()
	const { Worker } = await import('node:worker_threads')
	const helper = new Helper(
		new Worker(path, { resourceLimits: { maxYoungGenerationSizeMb: 8 } }),
		(number, documents) => {
			const file = files[number]
			if (file) known.set(file.bytes, documents)
		},
	)
	try {
		for (const batch of batches(files)) {
			options.signal?.throwIfAborted()
			if (helper.wants) {
				helper.post(batch)
				continue
			}
			for (const file of batch) {
				const documents = tryParse(file)
				if (documents) known.set(file.bytes, documents)
			}
			// Lets the answers in.
			await setImmediate()
		}
		await helper.finish()
	} finally {
		helper.stop()
	}
	return (bytes, name) => known.get(bytes) ?? parseManifests(bytes, name)
}

function builtWorker(): string | undefined {
	const path = fileURLToPath(new URL('./parse-worker.js', import.meta.url))
	return existsSync(path) ? path : undefined
}

function tryParse({ bytes, path }: ManifestFile): ParsedDocument[] | undefined {
	try {
		return parseManifests(bytes, path)
	} catch {
		return undefined
	}
}

function* batches(files: readonly ManifestFile[]): Generator<Batch> {
	let batch: { number: number; path: string; bytes: Uint8Array }[] = []
	let size = 0
	for (const [number, { path, bytes }] of files.entries()) {
		batch.push({ number, path, bytes })
		size += bytes.byteLength
		if (size < BATCH_BYTES) continue
		yield batch
		batch = []
		size = 0
	}
	if (batch.length > 0) yield batch
}

/** The second thread. One that fails is not asked again: what it leaves is parsed here. */
class Helper {
	readonly #worker: Worker
	#waiting = 0
	#failed = false
	#settle: (() => void) | undefined

	constructor(worker: Worker, take: (number: number, documents: ParsedDocument[]) => void) {
		this.#worker = worker
		worker.on('message', ({ parsed }: ParseAnswer) => {
			for (const { number, documents } of parsed) take(number, [...documents])
			this.#waiting--
			if (this.#waiting === 0) this.#settle?.()
		})
		const fail = (): void => {
			this.#failed = true
			this.#settle?.()
		}
		worker.on('error', fail)
		worker.on('exit', fail)
	}

	get wants(): boolean {
		return !this.#failed && this.#waiting < AHEAD
	}

	post(files: Batch): void {
		const request: ParseRequest = { files }
		this.#waiting++
		// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
		this.#worker.postMessage(request)
	}

	async finish(): Promise<void> {
		if (this.#waiting === 0 || this.#failed) return
		await new Promise<void>((resolve) => (this.#settle = resolve))
	}

	/** Its end is nobody's business: it holds no process and owns nothing. */
	stop(): void {
		this.#worker.unref()
		this.#worker.terminate().catch(() => {})
	}
}
