import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Script } from 'node:vm'
import { openSealedFiles } from '../cache/index.ts'

export interface LoadOptions {
	/** Where the built program is: an absolute path. */
	readonly directory: string
	/** The first word typed: what one command runs is kept apart from what another does. */
	readonly command: string | undefined
	readonly process: Pick<NodeJS.Process, 'env' | 'arch' | 'version' | 'once'>
	/** That of the main file, for all that is in no chunk. */
	readonly require: (id: string) => unknown
}

/** What V8 has made of one chunk, and of which. */
interface Compiled {
	readonly chunk: string
	/** Digest of its text: V8 compares only the length, and the times of files in packages are all the same. */
	readonly of: string
	readonly code: Uint8Array
}

interface LoadedChunk {
	readonly module: { exports: unknown }
	readonly script: Script
	readonly of: Compiled['of']
}

type Wrapped = (
	exports: unknown,
	require: (id: string) => unknown,
	module: { exports: unknown },
	filename: string,
	dirname: string,
) => void

/** Of all chunks of one command. */
const MAX_BYTES = 16 * 1024 * 1024
/** More than there are commands. */
const MAX_COMMANDS = 64
/** What a chunk is wrapped in; bytes, as of strings that are joined V8 makes one more, as long as the chunk. */
const HEAD = Buffer.from('(function (exports, require, module, __filename, __dirname) { ')
const TAIL = Buffer.from('\n})')
const COMMAND = /^[a-z_][a-z_-]{0,31}$/

/**
 * Requires a chunk of the program (CommonJS) and those that it requires, with the code that V8 made of
 * them when the same command ran last: to compile them is a third of what a small command takes. Node.js does so itself from
 * 22.1 on; the variable that forbids it there does so here.
 * V8 believes what it is given to the last bit, hence the seal.
 * @see https://nodejs.org/docs/latest-v20.x/api/vm.html#scriptcreatecacheddata
 */
export function loadProgram(
	entry: string,
	{ directory, command = '', process, require }: LoadOptions,
): unknown {
	const { env, arch, version } = process
	const isKept = (env['NODE_DISABLE_COMPILE_CACHE'] ?? '') === ''
	const name = COMMAND.test(command) ? command : 'help'
	const sealed = openSealedFiles({ env, kind: 'code', maxBytes: MAX_BYTES, maxFiles: MAX_COMMANDS })
	const runtime = `${version} ${arch} ${directory}`
	const known = new Map<string, Compiled>()
	const body = isKept ? sealed.read(name) : undefined
	for (const compiled of body ? parseCompiled(body, runtime) : []) known.set(compiled.chunk, compiled)

	const loaded = new Map<string, LoadedChunk>()
	const load = (id: string): unknown => {
		if (!id.startsWith('./')) return require(id)
		const chunk = id.slice(2)
		const before = loaded.get(chunk)
		if (before) return before.module.exports
		const path = join(directory, chunk)
		const text = readFileSync(path)
		const of = createHash('sha256').update(text).digest('base64')
		const compiled = known.get(chunk)
		const script = new Script(Buffer.concat([HEAD, text, TAIL]).toString('utf8'), {
			filename: path,
			...(compiled?.of === of && { cachedData: compiled.code }),
		})
		if (compiled?.of !== of || script.cachedDataRejected === true) known.delete(chunk)
		const module = { exports: {} }
		loaded.set(chunk, { module, script, of })
		const wrapped = script.runInThisContext() as Wrapped
		wrapped(module.exports, load, module, path, directory)
		return module.exports
	}

	// What has run by then is compiled, and what has not will hardly be needed next time.
	process.once('exit', (code) => {
		if (!isKept || code > 1 || [...loaded.keys()].every((chunk) => known.has(chunk))) return
		sealed.write(name, () => {
			const all = new Map(known)
			for (const [chunk, { script, of }] of loaded)
				all.set(chunk, { chunk, of, code: script.createCachedData() })
			return formatCompiled([...all.values()], runtime)
		})
	})
	return load(entry)
}

/** One line of JSON, which says how long each code is; then the codes. */
function formatCompiled(all: readonly Compiled[], runtime: string): Uint8Array {
	const chunks = all.map(({ chunk, of, code }) => ({ chunk, of, length: code.byteLength }))
	return Buffer.concat([
		Buffer.from(`${JSON.stringify({ runtime, chunks })}\n`),
		...all.map(({ code }) => code),
	])
}

/** Of a body that {@link formatCompiled} has made, as the seal says. */
function parseCompiled(body: Buffer, runtime: string): Compiled[] {
	const end = body.indexOf('\n')
	const head = JSON.parse(body.toString('utf8', 0, end)) as {
		readonly runtime: string
		readonly chunks: readonly { readonly chunk: string; readonly of: string; readonly length: number }[]
	}
	if (head.runtime !== runtime) return []
	let start = end + 1
	return head.chunks.map(({ chunk, of, length }) => {
		const code = body.subarray(start, (start += length))
		return { chunk, of, code }
	})
}
