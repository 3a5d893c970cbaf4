import { baseName } from './go-path.ts'
import { jsonFault } from './json-fault.ts'
import {
	type DeployedResource,
	isPlainObject,
	type PlainObject,
	type ResourceIdentity,
	resourcesOf,
} from './resource.ts'

/** One YAML document, or the one value of a JSON file. */
export interface ManifestDocument {
	readonly value: unknown
	/** First line of the document, from 1. */
	readonly line?: number | undefined
}

/**
 * Reads the documents of a file as Kubernetes does; throws when one does not parse.
 * It may be asked for a part of a file, preceded by empty lines in its place.
 */
export type ParseDocuments = (bytes: Uint8Array, path: string) => readonly ManifestDocument[]

export interface GenerationError {
	readonly rule:
		| 'path-absolute'
		| 'path-outside'
		| 'path-missing'
		| 'path-not-directory'
		| 'directory-size'
		| 'yaml-unparsable'
		| 'kind-missing'
		| 'json-unparsable'
		| 'json-several'
		| 'json-not-kubernetes'
		| 'symlink-escape'
		| 'symlink-loop'
	readonly file?: string | undefined
	readonly line?: number | undefined
	/** What is wrong with it, in a few words. */
	readonly detail: string
	/** Argo CD's words, without the wrapping of a ComparisonError. */
	readonly argocdMessage: string
	/** Which gRPC code Argo CD's repo-server gives it; absent where the message does not come from there. */
	readonly grpcCode?: 'Unknown' | 'FailedPrecondition' | undefined
}

/** A file and its path in the artifact. */
export interface ManifestFile {
	readonly path: string
	readonly bytes: Uint8Array
}

export type FileOutcome<R extends ResourceIdentity = DeployedResource> =
	| { readonly kind: 'resources'; readonly resources: readonly R[] }
	| { readonly kind: 'skipped'; readonly reason: 'not-a-manifest' | 'empty'; readonly detail: string }
	| { readonly kind: 'error'; readonly error: GenerationError }

/** Reads one file of a directory source. @see argo-cd reposerver/repository/repository.go getObjsFromYAMLOrJSON */
export function readManifestFile(file: ManifestFile, parse: ParseDocuments): FileOutcome {
	return file.path.endsWith('.json') ? readJson(file, parse) : readYaml(file, parse)
}

/** To Argo CD an apiVersion that cannot be read leaves an object without a kind. */
const hasKind = (value: unknown): value is PlainObject =>
	isPlainObject(value) &&
	typeof value['kind'] === 'string' &&
	value['kind'] !== '' &&
	!(typeof value['apiVersion'] === 'string' && value['apiVersion'].split('/').length > 2)

/** What is wrong with what has no kind, in words and in Go's. */
function whyNoKind(value: unknown): { readonly detail: string; readonly words: string } {
	if (value === null) return { detail: 'it is null', words: KIND_MISSING }
	if (!isPlainObject(value)) {
		const go = Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value
		return {
			detail: 'a document is not an object',
			words: `json: cannot unmarshal ${go} into Go value of type map[string]interface {}`,
		}
	}
	const { kind, apiVersion } = value
	if (kind === undefined || kind === null || kind === '')
		return { detail: 'a document has no kind', words: KIND_MISSING }
	return {
		detail:
			typeof kind === 'string'
				? `the apiVersion ${JSON.stringify(apiVersion)} has more than one "/"`
				: `the kind ${JSON.stringify(kind)} is not text`,
		words: KIND_MISSING,
	}
}

const describe = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** What Argo CD's message quotes is left out: it may be a Secret. */
const KIND_MISSING = "Object 'Kind' is missing in '{…}'"

function readJson({ path, bytes }: ManifestFile, parse: ParseDocuments): FileOutcome {
	const name = baseName(path)
	const error = (
		rule: GenerationError['rule'],
		{ detail, words, line }: { readonly detail: string; readonly words: string; readonly line?: number },
	): FileOutcome => ({
		kind: 'error',
		error: {
			rule,
			file: path,
			...(line !== undefined && { line }),
			detail,
			argocdMessage: words,
			grpcCode: 'FailedPrecondition',
		},
	})
	const text = new TextDecoder().decode(bytes)
	if (text.trim() === '') {
		return error('json-not-kubernetes', {
			detail: 'it is empty',
			words: `Failed to unmarshal "${name}": EOF`,
		})
	}
	let line = 1
	try {
		JSON.parse(text)
		line = parse(bytes, path)[0]?.line ?? 1
	} catch (fault) {
		if (startsWithJson(text)) {
			return error('json-several', {
				detail: 'several objects in one JSON file',
				words: `Found multiple objects in "${name}". Only single objects are allowed in JSON files.`,
			})
		}
		const words = `Failed to unmarshal "${name}": ${describe(fault)}`
		return error('json-unparsable', { ...jsonFault(text, describe(fault)), words })
	}
	const value: unknown = JSON.parse(text)
	if (hasKind(value)) return { kind: 'resources', resources: resourcesOf(value, { file: path, line }) }
	const { detail, words } = whyNoKind(value)
	// The repo-server marks null as an object of the Application; the controller then finds no kind.
	if (value !== null && !isPlainObject(value))
		return error('json-not-kubernetes', { detail, words: `Failed to unmarshal "${name}": ${words}` })
	return {
		kind: 'error',
		error: {
			rule: 'json-not-kubernetes',
			file: path,
			detail,
			argocdMessage: `failed to unmarshal manifests for source 1 of 1: ${words}`,
		},
	}
}

/** Ends of a first object that are tried, of a file that is no JSON as a whole, and how far into it. */
const MAX_ENDS = 1000
const MAX_FIRST_OBJECT = 64 * 1024

/** Whether a whole object stands at the start, with more behind it: Go's decoder stops after the first. */
function startsWithJson(text: string): boolean {
	let end = -1
	for (let tried = 0; tried < MAX_ENDS; tried += 1) {
		end = text.indexOf('}', end + 1)
		if (end < 0 || end > MAX_FIRST_OBJECT) return false
		try {
			JSON.parse(text.slice(0, end + 1))
			return true
		} catch {
			// A brace inside the object: try the next.
		}
	}
	return false
}

function readYaml(file: ManifestFile, parse: ParseDocuments): FileOutcome {
	const { documents, failure } = parseUpToFailure(file, parse)
	const resources: DeployedResource[] = []
	let objects = 0
	for (const { value, line } of documents) {
		if (value === null || value === undefined) continue
		if (!hasKind(value)) {
			const { detail, words } = whyNoKind(value)
			return brokenYaml(file, {
				rule: 'kind-missing',
				objects,
				line,
				detail,
				argocd: `error unmarshaling JSON: while decoding JSON: ${words}`,
			})
		}
		objects += 1
		resources.push(...resourcesOf(value, { file: file.path, ...(line !== undefined && { line }) }))
	}
	if (failure !== undefined) {
		return brokenYaml(file, {
			rule: 'yaml-unparsable',
			objects,
			line: failure.line,
			detail: failure.message,
			argocd: `error converting YAML to JSON: yaml: line ${failure.line}: ${failure.message}`,
		})
	}
	if (objects === 0) return { kind: 'skipped', reason: 'empty', detail: 'it has no document' }
	return { kind: 'resources', resources }
}

interface Broken {
	readonly rule: 'kind-missing' | 'yaml-unparsable'
	/** Objects read before it: with any, Argo CD speaks up. */
	readonly objects: number
	readonly line: number | undefined
	readonly detail: string
	readonly argocd: string
}

function brokenYaml(
	{ path, bytes }: ManifestFile,
	{ rule, objects, line, detail, argocd }: Broken,
): FileOutcome {
	const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
	const looksLikeManifest = ['apiVersion:', 'kind:', 'metadata:'].every((key) => text.includes(key))
	if (objects === 0 && !looksLikeManifest) return { kind: 'skipped', reason: 'not-a-manifest', detail }
	return {
		kind: 'error',
		error: {
			rule,
			file: path,
			...(line !== undefined && { line }),
			detail,
			argocdMessage: `Failed to unmarshal "${baseName(path)}": failed to unmarshal manifest: ${argocd}`,
			grpcCode: 'FailedPrecondition',
		},
	}
}

interface Parsed {
	readonly documents: readonly ManifestDocument[]
	readonly failure?: { readonly message: string; readonly line: number } | undefined
}

/** Argo CD decodes one document after the other, so what stands before a broken one counts. */
function parseUpToFailure({ path, bytes }: ManifestFile, parse: ParseDocuments): Parsed {
	try {
		return { documents: parse(bytes, path) }
	} catch (error) {
		const documents: ManifestDocument[] = []
		const message = describe(error)
		const [, line, column, what = message] =
			/^:(\d+)(:\d+)?: (.*)/s.exec(message.startsWith(path) ? message.slice(path.length) : '') ?? []
		const failure = (start: number): Parsed['failure'] => ({
			message: column === undefined ? what : `${what}, at ${line}${column}`,
			line: line === undefined ? start : Number(line),
		})
		for (const { part, line: start } of splitDocuments(bytes)) {
			try {
				const [first] = parse(part, path)
				if (first !== undefined) documents.push({ value: first.value, line: start + (first.line ?? 1) - 1 })
			} catch {
				return { documents, failure: failure(start) }
			}
		}
		return { documents, failure: failure(1) }
	}
}

/** Splits at lines of `---`, as Kubernetes' YAMLReader does. */
function* splitDocuments(bytes: Uint8Array): Generator<{ readonly part: Uint8Array; readonly line: number }> {
	const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
	let start = 0
	let startLine = 1
	let line = 1
	for (let at = 0; at < buffer.length; line += 1) {
		const newline = buffer.indexOf(0x0a, at)
		const end = newline < 0 ? buffer.length : newline + 1
		if (
			buffer.subarray(at, at + 3).equals(SEPARATOR) &&
			/^\s*(?:#.*)?$/s.test(buffer.toString('utf8', at + 3, end))
		) {
			if (at > start) yield { part: buffer.subarray(start, at), line: startLine }
			start = end
			startLine = line + 1
		}
		at = end
	}
	if (start < buffer.length) yield { part: buffer.subarray(start), line: startLine }
}

const SEPARATOR = Buffer.from('---')
