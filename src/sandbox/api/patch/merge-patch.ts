import { isObject, toEntries, toObject, type JsonValue } from '../../../schema/index.ts'

/**
 * JSON merge patch: `null` removes a key, an object is merged, anything else replaces.
 * @see https://www.rfc-editor.org/rfc/rfc7386#section-2
 */
export function applyMergePatch(object: JsonValue, patch: JsonValue): JsonValue {
	if (!isObject(patch)) return patch
	const merged = isObject(object) ? toEntries(object) : new Map<string, JsonValue>()
	for (const [key, value] of Object.entries(patch)) {
		if (value === null) merged.delete(key)
		else merged.set(key, applyMergePatch(merged.get(key) ?? null, value))
	}
	return toObject(merged)
}
