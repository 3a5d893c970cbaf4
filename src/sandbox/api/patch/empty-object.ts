import {
	isObject,
	property,
	toObject,
	type JsonObject,
	type JsonValue,
	type TypeSchema,
} from '../../../schema/index.ts'

/**
 * What the API server compares a new object with: the empty value of its type, in which some
 * fields stand already. Who creates the object owns what differs from that, so that `spec` itself
 * is owned by nobody but `spec.replicas` is.
 */
export function emptyObject(object: JsonObject, schema: TypeSchema): JsonObject {
	const empty = emptyValue(schema)
	const entries = new Map(Object.entries(isObject(empty) ? empty : {}))
	for (const key of ['apiVersion', 'kind']) {
		const value = property(object, key)
		if (value !== undefined) entries.set(key, value)
	}
	return toObject(entries)
}

/** Fields with the default `{}` are structs, which are always there; required ones are never left out. */
function emptyValue(schema: TypeSchema): JsonValue {
	if (schema.kind !== 'map') return null
	const entries: [string, JsonValue][] = []
	for (const [name, field] of schema.fields) {
		if (isObject(field.default)) entries.push([name, emptyValue(field.schema)])
		else if (schema.required.includes(name)) entries.push([name, field.default ?? null])
	}
	return toObject(entries)
}
