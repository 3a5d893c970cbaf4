/** A JSON value as `JSON.parse` gives it. Nothing in this folder changes one it was given. */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject

export interface JsonObject {
	readonly [key: string]: JsonValue
}

export function isObject(value: unknown): value is JsonObject {
	return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function isArray(value: unknown): value is readonly JsonValue[] {
	return Array.isArray(value)
}

/** An own property: keys such as `__proto__` and `constructor` are data like any other. */
export function property(object: JsonObject, key: string): JsonValue | undefined {
	return Object.hasOwn(object, key) ? object[key] : undefined
}

/** The entries of an object, to be changed and given back to {@link toObject}. */
export function toEntries(object: JsonObject): Map<string, JsonValue> {
	return new Map(Object.entries(object))
}

/** Defines each key as an own property, which an assignment of `__proto__` would not. */
export function toObject(entries: Iterable<readonly [string, JsonValue]>): JsonObject {
	return Object.fromEntries(entries)
}

/** Equality of JSON values: the order of an object's keys does not count. */
export function jsonEqual(left: JsonValue, right: JsonValue): boolean {
	if (left === right) return true
	if (isArray(left)) {
		return (
			isArray(right) &&
			left.length === right.length &&
			left.every((item, index) => jsonEqual(item, right[index] ?? null))
		)
	}
	if (!isObject(left) || !isObject(right)) return false
	const keys = Object.keys(left)
	return (
		keys.length === Object.keys(right).length &&
		keys.every((key) => {
			const other = property(right, key)
			return other !== undefined && jsonEqual(left[key] ?? null, other)
		})
	)
}
