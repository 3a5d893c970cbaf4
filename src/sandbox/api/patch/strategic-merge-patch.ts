import { UserError } from '../../../errors/index.ts'
import {
	isArray,
	isObject,
	jsonEqual,
	property,
	toEntries,
	toObject,
	type JsonObject,
	type JsonValue,
	schemaAt,
	UNTYPED,
	type TypeSchema,
} from '../../../schema/index.ts'
import { keyOf, mergeOrders, partition, placeOf } from './strategic-order.ts'

const DIRECTIVE = '$patch'
const RETAIN_KEYS = '$retainKeys'
const SET_ORDER = '$setElementOrder/'
const DELETE_FROM = '$deleteFromPrimitiveList/'

/** Where in the object we are: its type, and its path for messages. */
interface Place {
	readonly schema: TypeSchema
	readonly path: string
}

/** How a list is merged: by the merge key of its items, or as primitives. */
interface ListPlace extends Place {
	readonly merges: boolean
	readonly mergeKey: string | undefined
}

/**
 * Kubernetes' strategic merge patch: lists are merged as the type's patch strategy and merge key
 * say, and the directives `$patch`, `$retainKeys`, `$setElementOrder/…` and
 * `$deleteFromPrimitiveList/…` are obeyed.
 * @throws UserError `OBJECT_INVALID` for a directive that is malformed, or an item without its key
 * @see https://github.com/kubernetes/community/blob/main/contributors/devel/sig-api-machinery/strategic-merge-patch.md
 */
export function applyStrategicMergePatch(
	object: JsonObject,
	patch: JsonObject,
	schema: TypeSchema,
): JsonObject {
	return mergeMap(object, patch, { schema, path: '' })
}

function fault(path: string, message: string): UserError {
	return new UserError('OBJECT_INVALID', `strategic merge patch, at "${path}": ${message}`, {
		hint: 'Mend the patch, or use a JSON merge patch (--type=merge).',
	})
}

function join(path: string, key: string): string {
	return path === '' ? key : `${path}.${key}`
}

function mergeMap(original: JsonObject, patch: JsonObject, place: Place): JsonObject {
	const directive = property(patch, DIRECTIVE)
	if (directive !== undefined) {
		const { [DIRECTIVE]: _, ...rest } = patch
		if (directive === 'replace') return rest
		if (directive === 'delete') return {}
		throw fault(place.path, `"$patch" of a map is "replace" or "delete", not ${JSON.stringify(directive)}`)
	}
	const result = retained(original, patch, place)
	const ordered = new Set<string>()
	for (const [key, order] of Object.entries(patch)) {
		if (!key.startsWith(SET_ORDER)) continue
		const name = key.slice(SET_ORDER.length)
		ordered.add(name)
		const merged = mergeOrdered(result.get(name), property(patch, name), {
			order,
			at: listPlace(place, name),
		})
		if (merged !== undefined) result.set(name, merged)
	}
	for (const [key, value] of Object.entries(patch)) {
		if (key === RETAIN_KEYS || key.startsWith(SET_ORDER) || ordered.has(key)) continue
		if (key.startsWith(DELETE_FROM)) deleteFrom(result, { key, value, place })
		else mergeKey(result, { key, value, place })
	}
	return toObject(result)
}

interface Change {
	readonly key: string
	readonly value: JsonValue
	readonly place: Place
}

function mergeKey(result: Map<string, JsonValue>, { key, value, place }: Change): void {
	if (value === null) {
		result.delete(key)
		return
	}
	const current = result.get(key)
	if (isObject(current) && isObject(value)) {
		const inside = { schema: schemaAt(place.schema, key) ?? UNTYPED, path: join(place.path, key) }
		result.set(key, strategiesAt(place, key).includes('replace') ? value : mergeMap(current, value, inside))
		return
	}
	if (isArray(current) && isArray(value)) {
		result.set(key, mergeList(current, value, listPlace(place, key)))
		return
	}
	const fresh = withoutDirectives(value)
	if (fresh === undefined) result.delete(key)
	else result.set(key, fresh)
}

function deleteFrom(result: Map<string, JsonValue>, { key, value, place }: Change): void {
	const name = key.slice(DELETE_FROM.length)
	if (!isArray(value)) throw fault(join(place.path, key), 'is not a list')
	const current = result.get(name)
	if (!isArray(current)) return
	result.set(
		name,
		current.filter((item) => !value.some((gone) => jsonEqual(gone, item))),
	)
}

/** What `$retainKeys` leaves of the original. */
function retained(original: JsonObject, patch: JsonObject, place: Place): Map<string, JsonValue> {
	const result = toEntries(original)
	const keys = property(patch, RETAIN_KEYS)
	if (keys === undefined) return result
	if (!isArray(keys)) throw fault(place.path, '"$retainKeys" is not a list')
	for (const [key, value] of Object.entries(patch)) {
		if (value === null || key === RETAIN_KEYS || key.startsWith(SET_ORDER) || key.startsWith(DELETE_FROM)) {
			continue
		}
		if (!keys.includes(key)) throw fault(place.path, `"${key}" is set but is not in "$retainKeys"`)
	}
	for (const key of Object.keys(original)) if (!keys.includes(key)) result.delete(key)
	return result
}

function strategiesAt(place: Place, key: string): readonly string[] {
	return (place.schema.kind === 'map' && place.schema.fields.get(key)?.patchStrategies) || []
}

function listPlace(place: Place, key: string): ListPlace {
	const list = schemaAt(place.schema, key)
	return {
		schema: list?.kind === 'list' ? list.items : UNTYPED,
		path: join(place.path, key),
		merges: strategiesAt(place, key).includes('merge'),
		mergeKey: place.schema.kind === 'map' ? place.schema.fields.get(key)?.patchMergeKey : undefined,
	}
}

function mergeList(
	original: readonly JsonValue[],
	patch: readonly JsonValue[],
	at: ListPlace,
): readonly JsonValue[] {
	if (!at.merges) return patch
	if (original.length === 0 && patch.length === 0) return original
	if (![...original, ...patch].some(isObject)) {
		const merged = [...new Set([...original, ...patch])]
		return mergeOrders(partition(merged, patch, undefined), { patch, server: original, mergeKey: undefined })
	}
	const { mergeKey } = at
	if (mergeKey === undefined) throw fault(at.path, 'the type names no key by which items are merged')
	const { base, additions } = applyItemDirectives(original, patch, { at, mergeKey })
	const merged = mergeItems(base, additions, { at, mergeKey })
	return mergeOrders(partition(merged, additions, mergeKey), { patch: additions, server: base, mergeKey })
}

interface Keyed {
	readonly at: ListPlace
	readonly mergeKey: string
}

function applyItemDirectives(original: readonly JsonValue[], patch: readonly JsonValue[], keyed: Keyed) {
	const { at, mergeKey } = keyed
	let base = original
	let replaces = false
	const additions: JsonValue[] = []
	for (const item of patch) {
		const directive = isObject(item) ? property(item, DIRECTIVE) : undefined
		if (directive === undefined) {
			additions.push(item)
		} else if (directive === 'delete') {
			const key = requireKey(item, keyed)
			base = base.filter((each) => !isObject(each) || !jsonEqual(property(each, mergeKey) ?? null, key))
		} else if (directive === 'replace') {
			replaces = true
		} else {
			const given = JSON.stringify(directive)
			throw fault(at.path, `"$patch" of an item is "delete" or "replace", not ${given}`)
		}
	}
	return replaces ? { base: additions, additions: [] } : { base, additions }
}

function requireKey(item: JsonValue, { at, mergeKey }: Keyed): JsonValue {
	const key = keyOf(item, mergeKey)
	if (key === undefined) throw fault(at.path, `an item has no "${mergeKey}", by which items are merged`)
	return key
}

function mergeItems(base: readonly JsonValue[], additions: readonly JsonValue[], keyed: Keyed): JsonValue[] {
	const { at, mergeKey } = keyed
	const result = [...base]
	for (const item of additions) {
		requireKey(item, keyed)
		const position = placeOf(item, result, mergeKey)
		const current = result[position]
		if (isObject(current) && isObject(item)) {
			result[position] = mergeMap(current, item, { schema: at.schema, path: `${at.path}[${position}]` })
		} else {
			result.push(withoutDirectives(item) ?? item)
		}
	}
	return result
}

function mergeOrdered(
	original: JsonValue | undefined,
	patch: JsonValue | undefined,
	{ order, at }: { readonly order: JsonValue; readonly at: ListPlace },
): readonly JsonValue[] | undefined {
	if (!isArray(order)) throw fault(at.path, '"$setElementOrder" is not a list')
	const server = isArray(original) ? original : []
	const list = isArray(patch) ? patch : []
	requireOrder(list, order, at)
	if (original === undefined && patch === undefined) return undefined
	const merged = isArray(original) && isArray(patch) ? mergeList(original, patch, at) : cleaned(server, list)
	const { mergeKey } = at
	return mergeOrders(partition(merged, order, mergeKey), { patch: order, server, mergeKey })
}

/** One of the two is empty; what is new carries no directive on. */
function cleaned(server: readonly JsonValue[], list: readonly JsonValue[]): readonly JsonValue[] {
	return [...server, ...list.flatMap((item) => withoutDirectives(item) ?? [])]
}

/** The items of the patch must stand in the order that it asks for. */
function requireOrder(list: readonly JsonValue[], order: readonly JsonValue[], at: ListPlace): void {
	let last = -1
	if (order.length === 0) return
	for (const item of list) {
		if (isObject(item) && property(item, DIRECTIVE) !== undefined) continue
		const position = placeOf(item, order, at.mergeKey)
		if (position <= last) throw fault(at.path, 'the order of the items is not that of "$setElementOrder"')
		last = position
	}
}

/** A value that meets nothing to merge with: without nulls and directives; `undefined` is a deletion. */
function withoutDirectives(value: JsonValue): JsonValue | undefined {
	if (isArray(value)) return value.flatMap((item) => withoutDirectives(item) ?? [])
	if (!isObject(value)) return value
	if (property(value, DIRECTIVE) !== undefined) return undefined
	const result = new Map<string, JsonValue>()
	for (const [key, item] of Object.entries(value)) {
		const directive = key === RETAIN_KEYS || key.startsWith(SET_ORDER) || key.startsWith(DELETE_FROM)
		const kept = directive || item === null ? undefined : withoutDirectives(item)
		if (kept !== undefined) result.set(key, kept)
	}
	return toObject(result)
}
