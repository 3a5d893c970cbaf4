import * as v from 'valibot'
import { unreachable, UserError } from '../../../errors/index.ts'
import {
	isArray,
	isObject,
	jsonEqual,
	property,
	toEntries,
	toObject,
	type JsonValue,
} from '../../../schema/index.ts'

/** The API server's limits: operations of one patch, and bytes that its `copy`s may add. */
const MAX_OPERATIONS = 10_000
const MAX_COPIED_BYTES = 3 * 1024 * 1024

const pointer = v.pipe(v.string(), v.regex(/^(?:\/(?:[^~]|~[01])*)?$/s, 'is not a JSON pointer'))
const present = v.custom<JsonValue>((value) => value !== undefined, '"value" is missing')

const operationSchema = v.variant('op', [
	v.object({ op: v.literal('add'), path: pointer, value: present }),
	v.object({ op: v.literal('remove'), path: pointer }),
	v.object({ op: v.literal('replace'), path: pointer, value: present }),
	v.object({ op: v.literal('move'), path: pointer, from: pointer }),
	v.object({ op: v.literal('copy'), path: pointer, from: pointer }),
	v.object({ op: v.literal('test'), path: pointer, value: present }),
])

type Operation = v.InferOutput<typeof operationSchema>

/** Why an operation of a JSON patch could not be applied. */
export type JsonPatchFault =
	/** The patch is not a JSON patch: an answer of 400. */
	| 'malformed'
	/** Something on the path is not there: an answer of 422. */
	| 'path'
	/** A `test` found another value: an answer of 422. */
	| 'test'

/** A patch that cannot be applied: as a whole, or from its operation number `index` (from 0) on. */
export class JsonPatchError extends UserError {
	readonly fault: JsonPatchFault
	readonly index: number | undefined

	constructor(fault: JsonPatchFault, message: string, options: { readonly index?: number } = {}) {
		const where = options.index === undefined ? 'JSON patch' : `JSON patch, operation ${options.index}`
		super('OBJECT_INVALID', `${where}: ${message}`, {
			hint:
				fault === 'malformed'
					? 'Write the patch as RFC 6902 describes it: a list of {"op", "path", "value"}.'
					: 'Compare the patch with the object as it is now.',
		})
		this.fault = fault
		this.index = options.index
	}
}

/**
 * Applies a JSON patch, all of it or, by an error, nothing.
 * @throws JsonPatchError (`OBJECT_INVALID`) with the number of the operation and its fault
 * @see https://www.rfc-editor.org/rfc/rfc6902
 */
export function applyJsonPatch(object: JsonValue, patch: unknown): JsonValue {
	if (!isArray(patch)) throw new JsonPatchError('malformed', 'the patch is not a list of operations')
	if (patch.length > MAX_OPERATIONS) {
		throw new JsonPatchError('malformed', `${patch.length} operations, ${MAX_OPERATIONS} are allowed`)
	}
	let document = object
	let copied = 0
	for (const [index, raw] of patch.entries()) {
		const operation = parse(raw, index)
		if (operation.op === 'copy') {
			copied += JSON.stringify(valueAt(document, operation.from, index)).length
			if (copied > MAX_COPIED_BYTES) {
				throw new JsonPatchError('malformed', `copies more than ${MAX_COPIED_BYTES} bytes`, { index })
			}
		}
		document = apply(document, operation, index)
	}
	return document
}

function parse(raw: JsonValue, index: number): Operation {
	const result = v.safeParse(operationSchema, raw)
	if (result.success) return result.output
	const [issue] = result.issues
	const where = v.getDotPath(issue)
	throw new JsonPatchError('malformed', where === null ? issue.message : `"${where}": ${issue.message}`, {
		index,
	})
}

function apply(document: JsonValue, operation: Operation, index: number): JsonValue {
	const { path } = operation
	switch (operation.op) {
		case 'add':
			return write(document, path, { value: operation.value, mode: 'add', index })
		case 'remove':
			return write(document, path, { mode: 'remove', index })
		case 'replace':
			return write(document, path, { value: operation.value, mode: 'replace', index })
		case 'copy':
			return write(document, path, { value: valueAt(document, operation.from, index), mode: 'add', index })
		case 'move': {
			if (path.startsWith(`${operation.from}/`)) {
				throw new JsonPatchError('path', `cannot move "${operation.from}" into itself`, { index })
			}
			const value = valueAt(document, operation.from, index)
			if (path === operation.from) return document
			const without = write(document, operation.from, { mode: 'remove', index })
			return write(without, path, { value, mode: 'add', index })
		}
		case 'test':
			if (!jsonEqual(valueAt(document, path, index), operation.value)) {
				throw new JsonPatchError('test', `testing value ${path} failed`, { index })
			}
			return document
		default:
			return unreachable(operation)
	}
}

type Write =
	| { readonly mode: 'add' | 'replace'; readonly value: JsonValue; readonly index: number }
	| { readonly mode: 'remove'; readonly index: number }

function tokensOf(path: string): readonly string[] {
	return path
		.split('/')
		.slice(1)
		.map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'))
}

function missing(path: string, index: number): JsonPatchError {
	return new JsonPatchError('path', `nothing is at "${path}"`, { index })
}

function valueAt(document: JsonValue, path: string, index: number): JsonValue {
	let value = document
	for (const token of tokensOf(path)) {
		const next = child(value, token)
		if (next === undefined) throw missing(path, index)
		value = next
	}
	return value
}

function child(value: JsonValue, token: string): JsonValue | undefined {
	if (isArray(value)) {
		const position = positionOf(token)
		return position === undefined ? undefined : value[position]
	}
	return isObject(value) ? property(value, token) : undefined
}

/** An array index has no leading zero (RFC 6901, section 4). */
function positionOf(token: string): number | undefined {
	return /^(?:0|[1-9]\d{0,9})$/.test(token) ? Number(token) : undefined
}

function write(document: JsonValue, path: string, change: Write): JsonValue {
	const tokens = tokensOf(path)
	if (tokens.length === 0) return change.mode === 'remove' ? null : change.value
	return writeAt(document, tokens, { path, change })
}

interface Target {
	readonly path: string
	readonly change: Write
}

function writeAt(value: JsonValue, tokens: readonly string[], target: Target): JsonValue {
	const [token = '', ...rest] = tokens
	const { path, change } = target
	if (isArray(value)) return writeItem(value, tokens, target)
	if (!isObject(value)) throw missing(path, change.index)
	const entries = toEntries(value)
	const current = entries.get(token)
	if (rest.length > 0) {
		if (current === undefined) throw missing(path, change.index)
		entries.set(token, writeAt(current, rest, target))
	} else {
		if (current === undefined && change.mode !== 'add') throw missing(path, change.index)
		if (change.mode === 'remove') entries.delete(token)
		else entries.set(token, change.value)
	}
	return toObject(entries)
}

function writeItem(list: readonly JsonValue[], tokens: readonly string[], target: Target): JsonValue {
	const [token = '', ...rest] = tokens
	const { path, change } = target
	const adds = rest.length === 0 && change.mode === 'add'
	const position = adds && token === '-' ? list.length : positionOf(token)
	if (position === undefined || position > list.length - (adds ? 0 : 1)) throw missing(path, change.index)
	if (rest.length > 0) return list.with(position, writeAt(list[position] ?? null, rest, target))
	switch (change.mode) {
		case 'add':
			return list.toSpliced(position, 0, change.value)
		case 'remove':
			return list.toSpliced(position, 1)
		case 'replace':
			return list.with(position, change.value)
		default:
			return unreachable(change)
	}
}
