import type { KubeObject } from '../../cluster/index.ts'
import { fieldsAt, type Fields } from '../../schema/index.ts'

export {
	at,
	fieldsAt,
	fieldsOf,
	isFields,
	listAt,
	numberAt,
	textAt,
	textsAt,
	type Fields,
} from '../../schema/index.ts'

/** A copy with the value at a path replaced, or removed with `undefined`. */
export function withAt(value: Fields, path: readonly string[], replacement: unknown): Fields {
	const [key, ...rest] = path
	if (key === undefined) return value
	if (rest.length > 0) return { ...value, [key]: withAt(fieldsAt(value, key), rest, replacement) }
	const copy = { ...value }
	if (replacement === undefined) delete copy[key]
	else copy[key] = replacement
	return copy
}

/** A copy of an object with some of its metadata replaced; `undefined` removes. */
export function withMetadata(object: KubeObject, changes: Fields): KubeObject {
	const metadata: Record<string, unknown> = { ...object.metadata, ...changes }
	for (const [key, value] of Object.entries(changes)) if (value === undefined) delete metadata[key]
	return { ...object, metadata: metadata as unknown as KubeObject['metadata'] }
}
