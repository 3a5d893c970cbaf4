import {
	isArray,
	isObject,
	property,
	toObject,
	type JsonObject,
	type JsonValue,
	schemaAt,
	UNTYPED,
	type ListSchema,
	type TypeSchema,
} from '../../../schema/index.ts'
import type { FieldSet } from './field-set.ts'
import { fieldElement, itemElement } from './path-element.ts'
import { itemsByElement, shapeOf, sharedShape } from './shape.ts'

/** The live object with all that is applied put over it; a `null` takes a field away. */
export function mergeApplied(live: JsonObject, applied: JsonObject, schema: TypeSchema): JsonObject {
	const merged = mergeAt(live, applied, schema)
	return isObject(merged) ? merged : {}
}

/** `undefined`: nothing is left. */
function mergeAt(
	live: JsonValue | undefined,
	applied: JsonValue | undefined,
	schema: TypeSchema,
): JsonValue | undefined {
	const shape = sharedShape({ before: live, after: applied }, schema)
	if (shape.kind === 'map') {
		return mergeMaps(isObject(live) ? live : {}, isObject(applied) ? applied : {}, schema)
	}
	if (shape.kind === 'list') {
		return mergeLists(isArray(live) ? live : [], isArray(applied) ? applied : [], shape.list)
	}
	if (applied === null) return undefined
	return applied === undefined ? live : applied
}

function mergeMaps(live: JsonObject, applied: JsonObject, schema: TypeSchema): JsonObject {
	const result = new Map<string, JsonValue>()
	for (const key of new Set([...Object.keys(live), ...Object.keys(applied)])) {
		const value = mergeAt(property(live, key), property(applied, key), schemaAt(schema, key) ?? UNTYPED)
		if (value !== undefined) result.set(key, value)
	}
	return toObject(result)
}

/**
 * Items of both lists once each. Those that are applied stand in the order applied; those that
 * only the live list has keep their place between the neighbours they share.
 */
function mergeLists(
	live: readonly JsonValue[],
	applied: readonly JsonValue[],
	list: ListSchema,
): readonly JsonValue[] {
	const liveItems = itemsByElement(list, live)
	const appliedItems = itemsByElement(list, applied)
	const order = [...appliedItems.keys()]
	const places = new Map(order.map((element, place) => [element, place]))
	const shared = order.filter((element) => liveItems.has(element))
	const result: JsonValue[] = []
	let emitted = 0
	const emitThrough = (place: number): void => {
		for (const element of order.slice(emitted, place + 1)) {
			const same = liveItems.get(element) ?? []
			const [item] = appliedItems.get(element) ?? []
			const merged = mergeAt(same.length === 1 ? same[0] : undefined, item, list.items)
			if (merged !== undefined) result.push(merged)
		}
		emitted = Math.max(emitted, place + 1)
	}
	let nextShared = 0
	for (const item of live) {
		const element = itemElement(list, item)
		const place = element === undefined ? undefined : places.get(element)
		if (place === undefined) {
			result.push(item)
		} else if (element === shared[nextShared]) {
			emitThrough(place)
			nextShared += 1
		}
	}
	emitThrough(order.length - 1)
	return result
}

/** Which fields go; a map or list that becomes empty goes too unless it is one to keep. */
export interface Removal {
	readonly remove: FieldSet
	readonly keep: FieldSet
}

export function removeFields(object: JsonObject, removal: Removal, schema: TypeSchema): JsonObject {
	const left = removeAt(object, removal, schema)
	return isObject(left) ? left : {}
}

function removeAt(value: JsonValue, removal: Removal, schema: TypeSchema): JsonValue | undefined {
	const shape = shapeOf(value, schema)
	if (shape.kind === 'map' && isObject(value)) {
		const entries = Object.entries(value).flatMap(([key, item]): [string, JsonValue][] => {
			const element = fieldElement(key)
			const left = removeElement(item, { element, removal, schema: schemaAt(schema, key) ?? UNTYPED })
			return left === undefined ? [] : [[key, left]]
		})
		return entries.length === 0 ? undefined : toObject(entries)
	}
	if (shape.kind === 'list' && isArray(value)) {
		const items = value.flatMap((item) => {
			const element = itemElement(shape.list, item)
			if (element === undefined) return [item]
			const left = removeElement(item, { element, removal, schema: shape.list.items })
			return left === undefined ? [] : [left]
		})
		return items.length === 0 ? undefined : items
	}
	return value
}

interface Place {
	readonly element: string
	readonly removal: Removal
	readonly schema: TypeSchema
}

function removeElement(value: JsonValue, { element, removal, schema }: Place): JsonValue | undefined {
	const { remove, keep } = removal
	if (remove.members.has(element)) return undefined
	const below = remove.at(element)
	if (below.isEmpty) return value
	const left = removeAt(value, { remove: below, keep: keep.at(element) }, schema)
	if (left !== undefined || !keep.members.has(element)) return left
	return isArray(value) ? [] : {}
}
