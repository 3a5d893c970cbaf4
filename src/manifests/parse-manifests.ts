import { loadAll, type Schema, YAMLException } from 'js-yaml'
import { UserError } from '../errors/index.ts'
import { KEY_UNFIT, kubernetesSchema } from './kubernetes-yaml.ts'
import { measureValue } from './measure-value.ts'

/** Deepest nesting that is read. */
const MAX_DEPTH = 500

/** Most text one file may become when its aliases are written out, in characters. */
const MAX_EXPANDED = 64 * 1024 * 1024

/** Something Kubernetes takes without a word, and that is seldom meant. */
export interface DocumentRemark {
	readonly kind: 'duplicate-key'
	/** Line and column in the file, from 1. */
	readonly line: number
	readonly column: number
}

/** One document of a file; `value` is what `JSON.parse` could have given. */
export interface ParsedDocument {
	/** Path of the file it stands in. */
	readonly path: string
	/** Line of the file, from 1, where the document's content starts. */
	readonly line: number
	/** Position among the documents of the file that are not empty, from 0. */
	readonly index: number
	readonly value: unknown
	readonly remarks: readonly DocumentRemark[]
}

interface Chunk {
	readonly text: string
	/** Lines of the file before the chunk. */
	readonly linesBefore: number
}

/**
 * Reads a YAML or JSON file as Kubernetes and Argo CD do: documents are split at
 * lines that start with `---`, a file that starts with `{` is tried as JSON first,
 * of equal keys the last one wins (and is remarked). Documents that are empty, null
 * or only comments are left out. Pure, so that it can run in a worker.
 * @throws UserError `MANIFEST_UNPARSABLE`, as `path:line:column: what`
 * @see https://github.com/kubernetes/apimachinery/blob/v0.37.2/pkg/util/yaml/decoder.go YAMLReader, YAMLOrJSONDecoder
 */
export function parseManifests(bytes: Uint8Array, path: string): ParsedDocument[] {
	const text = decode(bytes, path)
	if (/^\s*\{/.test(text)) {
		const json = parseJson(text)
		if (json !== undefined) {
			bound(json, { path, line: 1 })
			return [{ path, line: 1 + countLines(text, text.search(/\S/)), index: 0, value: json, remarks: [] }]
		}
	}
	const documents: ParsedDocument[] = []
	const shared = text.includes('<<') ? undefined : plainSchema
	const schema = shared ?? kubernetesSchema()
	for (const chunk of split(text, path)) {
		const parsed = parseChunk(chunk, { path, schema, text })
		if (parsed === undefined || parsed.value === null) continue
		documents.push({ path, index: documents.length, ...parsed })
	}
	return documents
}

/** Serves every file without merge keys: only those count. */
const plainSchema: Schema = kubernetesSchema()

const decoders = {
	'utf-8': new TextDecoder('utf-8', { fatal: true }),
	'utf-16le': new TextDecoder('utf-16le', { fatal: true }),
	'utf-16be': new TextDecoder('utf-16be', { fatal: true }),
} as const

/** UTF-8, or UTF-16 with a byte order mark, as Kubernetes' YAML has it. */
function decode(bytes: Uint8Array, path: string): string {
	const mark = ((bytes[0] ?? 0) << 8) | (bytes[1] ?? 0)
	const encoding = mark === 0xfffe ? 'utf-16le' : mark === 0xfeff ? 'utf-16be' : 'utf-8'
	try {
		return decoders[encoding].decode(bytes)
	} catch (error) {
		throw new UserError('MANIFEST_UNPARSABLE', `${path}: not ${encoding === 'utf-8' ? 'UTF-8' : 'UTF-16'}`, {
			hint: 'Save the file as UTF-8.',
			cause: error,
		})
	}
}

function parseJson(text: string): unknown {
	try {
		return JSON.parse(text)
	} catch {
		// Kubernetes goes on to read it as YAML, whose error then has line and column.
		return undefined
	}
}

function* split(text: string, path: string): Generator<Chunk> {
	let start = 0
	let linesBefore = 0
	let from = 0
	while (true) {
		const separator = text.startsWith('---', from) ? from : indexAfter(text, '\n---', from)
		if (separator < 0) break
		const lineEnd = endOfLine(text, separator)
		const rest = text.slice(separator + 3, lineEnd).trim()
		if (rest !== '' && !rest.startsWith('#')) {
			const line = linesBefore + countLines(text, separator, start) + 1
			throw unparsable({ path, line, column: 4 }, 'content after --- on the same line', {
				source: text,
				hint: 'Kubernetes splits documents at lines of --- and refuses content beside them: put it on the next line.',
			})
		}
		yield { text: text.slice(start, separator), linesBefore }
		const next = Math.min(lineEnd + 1, text.length)
		linesBefore += countLines(text, next, start)
		start = next
		from = next
		if (next >= text.length) return
	}
	yield { text: text.slice(start), linesBefore }
}

/** By file, and by the line where its content starts: who asks for one document of a file mostly asks for others. */
const documents = new WeakMap<Uint8Array, ReadonlyMap<number, Chunk>>()

/** The text of the document whose content starts on a line of a file that parses; `undefined` where there is none. */
export function documentAt(bytes: Uint8Array, line: number): Chunk | undefined {
	const known = documents.get(bytes) ?? documentsOf(bytes)
	documents.set(bytes, known)
	return known.get(line)
}

function documentsOf(bytes: Uint8Array): ReadonlyMap<number, Chunk> {
	const found = new Map<number, Chunk>()
	for (const chunk of split(decode(bytes, ''), '')) {
		const first = contentOf(chunk.text)
		if (first !== undefined) found.set(chunk.linesBefore + countLines(chunk.text, first) + 1, chunk)
	}
	return found
}

/** Where the first line stands that is neither empty nor a comment. */
function contentOf(text: string): number | undefined {
	const first = /^(?![ \t]*(?:#|\r?$))/m.exec(text)
	return first === null || first.index >= text.length ? undefined : first.index
}

function indexAfter(text: string, what: string, from: number): number {
	const found = text.indexOf(what, Math.max(0, from - 1))
	return found < 0 ? -1 : found + 1
}

function endOfLine(text: string, from: number): number {
	const end = text.indexOf('\n', from)
	return end < 0 ? text.length : end
}

function countLines(text: string, end: number, start = 0): number {
	let lines = 0
	for (let at = text.indexOf('\n', start); at >= 0 && at < end; at = text.indexOf('\n', at + 1)) lines++
	return lines
}

interface ChunkContext {
	readonly path: string
	readonly schema: Schema
	/** The whole file, for excerpts. */
	readonly text: string
}

type ChunkResult = Pick<ParsedDocument, 'line' | 'value' | 'remarks'>

function parseChunk(chunk: Chunk, context: ChunkContext): ChunkResult | undefined {
	const first = contentOf(chunk.text)
	if (first === undefined) return undefined
	const line = chunk.linesBefore + countLines(chunk.text, first) + 1
	const where = { path: context.path, line }
	if (chunk.text.startsWith('%', first)) {
		throw unparsable({ ...where, column: 1 }, 'a YAML directive', {
			source: context.text,
			hint: 'Kubernetes reads none: remove the line.',
		})
	}
	const { values, remarks } = load(chunk, context)
	const [value, ...others] = values
	if (others.some((other) => other !== null && other !== undefined)) {
		throw unparsable(where, 'more content after a line of "..."', {
			source: context.text,
			hint: 'Kubernetes reads nothing after it: start the next document with ---.',
		})
	}
	if (chunk.text.includes('*')) bound(value, where)
	return { line, value: value ?? null, remarks }
}

function load(
	chunk: Chunk,
	context: ChunkContext,
): { readonly values: readonly unknown[]; readonly remarks: readonly DocumentRemark[] } {
	const options = { schema: context.schema, maxDepth: MAX_DEPTH }
	try {
		return { values: loadAll(chunk.text, options), remarks: [] }
	} catch (error) {
		if (!(error instanceof YAMLException)) throw error
		const line = chunk.linesBefore + (error.mark?.line ?? 0) + 1
		const column = (error.mark?.column ?? 0) + 1
		try {
			// The only thing this forgives is a key that is there twice.
			const values = loadAll(chunk.text, { ...options, schema: kubernetesSchema(), json: true })
			return { values, remarks: [{ kind: 'duplicate-key', line, column }] }
		} catch (second) {
			const real = second instanceof YAMLException ? second : error
			const template = real.reason === KEY_UNFIT ? chunk.text.indexOf('{{') : -1
			if (template >= 0) throw unrendered(chunk, { template, context, cause: real })
			throw unparsable(
				{
					path: context.path,
					line: chunk.linesBefore + (real.mark?.line ?? 0) + 1,
					column: (real.mark?.column ?? 0) + 1,
				},
				real.reason,
				{ source: context.text, cause: real },
			)
		}
	}
}

/** `{{ … }}` is YAML, of a map whose key is a map: somebody forgot to render it. */
function unrendered(
	chunk: Chunk,
	{
		template,
		context,
		cause,
	}: { readonly template: number; readonly context: ChunkContext; readonly cause: unknown },
): UserError {
	const at = {
		path: context.path,
		line: chunk.linesBefore + countLines(chunk.text, template) + 1,
		column: template - chunk.text.lastIndexOf('\n', template),
	}
	return unparsable(at, '{{ … }} of a template, not rendered', {
		source: context.text,
		hint: 'A Helm chart is packed whole, from the directory of its Chart.yaml; a text that has {{ in it is quoted.',
		cause,
	})
}

function bound(value: unknown, where: { readonly path: string; readonly line: number }): void {
	const problem = measureValue(value, { maxDepth: MAX_DEPTH, maxSize: MAX_EXPANDED })
	switch (problem) {
		case undefined:
			return
		case 'cycle':
			throw unparsable(where, 'an alias (*) inside what it stands for')
		case 'depth':
			throw unparsable(where, `nested deeper than ${MAX_DEPTH} levels`)
		case 'size':
			throw unparsable(where, `its aliases (*) write out to more than ${MAX_EXPANDED / 1024 / 1024} MiB`)
	}
}

interface UnparsableOptions {
	readonly source?: string
	readonly hint?: string
	readonly cause?: unknown
}

function unparsable(
	at: { readonly path: string; readonly line: number; readonly column?: number },
	what: string,
	options: UnparsableOptions = {},
): UserError {
	const position = at.column === undefined ? `${at.line}` : `${at.line}:${at.column}`
	return new UserError('MANIFEST_UNPARSABLE', `${at.path}:${position}: ${what}`, {
		...(options.source !== undefined && { details: excerpt(options.source, at) }),
		...(options.hint !== undefined && { hint: options.hint }),
		cause: options.cause,
	})
}

const EXCERPT_WIDTH = 100

/** The faulty line and up to two before it, each with its number, and a caret below. */
function excerpt(source: string, at: { readonly line: number; readonly column?: number }): string[] {
	const lines = source.split('\n', at.line)
	const first = Math.max(0, at.line - 3)
	const width = String(at.line).length
	const shown = lines
		.slice(first)
		.map((text, index) => `${String(first + index + 1).padStart(width)} | ${printable(text)}`)
	if (at.column !== undefined && at.column <= EXCERPT_WIDTH) {
		shown.push(`${' '.repeat(width)} | ${' '.repeat(at.column - 1)}^`)
	}
	return shown
}

// oxlint-disable-next-line no-control-regex -- a terminal must not be steered by a file's content
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/g

function printable(line: string): string {
	return line.slice(0, EXCERPT_WIDTH).replaceAll(CONTROL, ' ').trimEnd()
}
