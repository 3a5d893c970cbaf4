import { existsSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Worker } from 'node:worker_threads'
import type { Tree } from '../artifact/index.ts'
import { isManifestName } from '../manifests/index.ts'
import type { ReleaseRange } from '../validation/index.ts'
import type { JudgeAnswer, JudgeRequest } from './judge-worker.ts'
import { createJudge, type InspectedFile, type InspectingJudge } from './judge-one.ts'
import { type DirectoryCache, RememberedVerdicts } from './remembered-verdicts.ts'
import { type SharedFile, SharedFileReader, shareFiles } from './shared-files.ts'

export interface JudgeAheadOptions {
	readonly path?: string | undefined
	readonly recurse?: boolean | undefined
	readonly serverSide?: boolean | undefined
	/** Also what an API server of these releases would say of each object. */
	readonly inspect?: ReleaseRange | undefined
	readonly signal?: AbortSignal | undefined
	/** The built second thread; absent where there is none, as in the sources. */
	readonly worker?: string | undefined
	/** Where verdicts of earlier checks of this directory are kept; absent, nothing is. */
	readonly cache?: DirectoryCache | undefined
}

/** Fewer files, or fewer bytes, are judged faster one after the other. */
const MANY_FILES = 50
const MANY_BYTES = 1_000_000

/** More than Argo CD takes of a directory is refused without a look into it, in bytes. */
const MAX_BYTES = 16 * 1024 * 1024

/** Files that are judged before other work gets its turn. */
const FILES_PER_TURN = 16

/** These decide that the directory is rendered, and not parsed. */
const RENDERED = /(?:^|\/)(?:kustomization\.ya?ml|Kustomization|Chart\.yaml)$/

/**
 * Reads and judges, on two threads, the many files that a check is going to ask for. The
 * answer is a judge who knows the verdict on these very bytes (the same array, not an
 * equal one) under this path; whatever else it is asked, it judges then.
 */
export async function judgeAhead(
	tree: Tree | undefined,
	options: JudgeAheadOptions,
): Promise<InspectingJudge> {
	const { serverSide, inspect } = options
	const onDemand = await createJudge({ serverSide, inspect })
	const worker = options.worker ?? builtWorker()
	const asked = tree && askedFiles(tree, options)
	if (!tree || !asked || worker === undefined) return onDemand

	const shared = shareFiles(asked)
	const reader = new SharedFileReader(shared)
	const held = asked.map((file, number) => (file.absolute === undefined ? hold(number, file) : undefined))
	function hold(number: number, { entry }: AskedFile): Uint8Array | undefined {
		const bytes = tree?.read(entry)
		if (bytes) reader.fill(number, bytes)
		return bytes
	}
	const judged: (InspectedFile | undefined)[] = asked.map(() => undefined)
	const remembered = options.cache && new RememberedVerdicts(options.cache, { worker, serverSide, inspect })
	const left = remembered?.recall(asked, { reader, judged }) ?? asked.length
	const isWorthThread = left >= MANY_FILES
	const request = { ...shared, serverSide, inspect }
	const helper = isWorthThread
		? await Helper.start(worker, request, (number, each) => (judged[number] = each))
		: undefined
	try {
		let count = 0
		for (let number = reader.next(); number !== undefined; number = reader.next()) {
			const [file, bytes] = [asked[number], reader.read(number)]
			if (file && bytes) judged[number] = onDemand({ path: file.path, bytes })
			if (++count % FILES_PER_TURN !== 0) continue
			await setImmediate()
			options.signal?.throwIfAborted()
		}
		await helper?.finished
	} finally {
		helper?.stop()
	}
	if (left > 0) remembered?.keep(asked, { reader, judged })
	const known = new Map<Uint8Array, { readonly path: string; readonly judged: InspectedFile }>()
	for (const [number, { path, entry }] of asked.entries()) {
		const bytes = held[number] ?? reader.content(number)
		const verdict = judged[number]
		if (!bytes) continue
		if (!held[number]) tree.keep?.(entry, bytes)
		if (verdict) known.set(bytes, { path, judged: verdict })
	}
	return (file) => {
		const found = known.get(file.bytes)
		return found?.path === file.path ? found.judged : onDemand(file)
	}
}

function builtWorker(): string | undefined {
	const path = fileURLToPath(new URL('./judge-worker.js', import.meta.url))
	return existsSync(path) ? path : undefined
}

interface AskedFile extends SharedFile {
	/** Path as the tree has it. */
	readonly entry: string
}

/** The files of which a check reads the contents; `undefined` where that is not worth a thread. */
function askedFiles(tree: Tree, options: JudgeAheadOptions): readonly AskedFile[] | undefined {
	const isAsked = askedFor(options)
	const asked: AskedFile[] = []
	let bytes = 0
	for (const { type, path: entry, size } of tree.entries) {
		const path = entry.replace(/^(?:\.?\/)+/, '')
		if (type !== 'file' || !isAsked(path)) continue
		if (RENDERED.test(path)) return undefined
		bytes += size
		if (bytes > MAX_BYTES) return undefined
		asked.push({ path, entry, size, absolute: tree.locate?.(entry) })
	}
	return asked.length < MANY_FILES || bytes < MANY_BYTES ? undefined : asked
}

function askedFor({ path = '.', recurse }: JudgeAheadOptions): (file: string) => boolean {
	const prefix = path === '.' ? '' : `${path.replace(/^\.\//, '').replace(/\/+$/, '')}/`
	return (file) =>
		isManifestName(file) &&
		file.startsWith(prefix) &&
		(recurse === true || !file.slice(prefix.length).includes('/'))
}

/** The second thread. What one that fails leaves, is judged here when it is asked. */
class Helper {
	readonly #worker: Worker
	/** Resolves when no more answers come. */
	readonly finished: Promise<void>

	private constructor(worker: Worker, take: (number: number, judged: InspectedFile) => void) {
		this.#worker = worker
		this.finished = new Promise((resolve) => {
			worker.on('message', ({ judged, last }: JudgeAnswer) => {
				for (const [number, each] of judged) take(number, each)
				if (last) resolve()
			})
			worker.on('error', () => resolve())
			worker.on('exit', () => resolve())
		})
	}

	static async start(
		path: string,
		request: JudgeRequest,
		take: (number: number, judged: InspectedFile) => void,
	): Promise<Helper> {
		const threads = await import('node:worker_threads')
		const options = { workerData: request, resourceLimits: { maxYoungGenerationSizeMb: 8 } }
		return new Helper(new threads.Worker(path, options), take)
	}

	/** Its end is nobody's business: it holds no process and owns nothing. */
	stop(): void {
		this.#worker.unref()
		this.#worker.terminate().catch(() => {})
	}
}
