import { UserError } from '../../../errors/index.ts'
import {
	isArray,
	isObject,
	property,
	toObject,
	type JsonValue,
	defaultKeyValues,
	schemaAt,
	UNTYPED,
	type ListSchema,
	type TypeSchema,
} from '../../../schema/index.ts'

/** `f:NAME`: a field, or a key of a map. */
export function fieldElement(name: string): string {
	return `f:${name}`
}

/**
 * The element of an item of a `set` or `map` list: `v:VALUE`, or `k:{KEYS}` with the keys sorted
 * and defaults filled in; `undefined` for an item that cannot be told from others.
 */
export function itemElement(list: ListSchema, item: JsonValue): string | undefined {
	if (list.listType === 'set' || list.keys.length === 0) {
		return item === null || isObject(item) || isArray(item) ? undefined : `v:${JSON.stringify(item)}`
	}
	if (!isObject(item)) return undefined
	const defaults = defaultKeyValues(list)
	const keys: [string, JsonValue][] = []
	for (const key of list.keys.toSorted()) {
		const value = property(item, key) ?? defaults.get(key)
		if (value !== undefined) keys.push([key, value])
	}
	return keys.length === 0 ? undefined : `k:${JSON.stringify(toObject(keys))}`
}

/** @throws UserError `OBJECT_INVALID` naming the item that lacks its keys */
export function requireItemElement(list: ListSchema, item: JsonValue, path: readonly string[]): string {
	const element = itemElement(list, item)
	if (element !== undefined) return element
	const lacks =
		list.listType === 'map'
			? `an item has none of its keys (${list.keys.join(', ')})`
			: 'an item of a set is not a plain value'
	throw new UserError('OBJECT_INVALID', `${formatPath(path)}: ${lacks}`, {
		hint: 'Give every item of the list its key.',
	})
}

/** An element as it stands in `fieldsV1`, in the one form that we write; `undefined` if it is none. */
export function parseElement(text: string): string | undefined {
	const body = text.slice(2)
	switch (text.slice(0, 2)) {
		case 'f:':
			return text
		case 'i:':
			return /^\d+$/.test(body) ? text : undefined
		case 'v:':
		case 'k:': {
			const value = parseJson(body)
			if (value === undefined) return undefined
			if (text.startsWith('v:')) return `v:${JSON.stringify(value)}`
			if (!isObject(value)) return undefined
			const sorted = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
			return `k:${JSON.stringify(toObject(sorted))}`
		}
		default:
			return undefined
	}
}

function parseJson(text: string): JsonValue | undefined {
	try {
		return JSON.parse(text) as JsonValue
	} catch {
		return undefined
	}
}

/** The type of what stands at `element` of a value of type `schema`. */
export function schemaOfElement(schema: TypeSchema, element: string): TypeSchema {
	if (element.startsWith('f:')) return schemaAt(schema, element.slice(2)) ?? UNTYPED
	return schema.kind === 'list' ? schema.items : UNTYPED
}

/** A path as Kubernetes prints it: `.spec.containers[name="x"].image`, `.metadata.finalizers[="y"]`. */
export function formatPath(path: readonly string[]): string {
	return path.map(formatElement).join('')
}

function formatElement(element: string): string {
	const body = element.slice(2)
	switch (element.slice(0, 2)) {
		case 'f:':
			return `.${body}`
		case 'v:':
			return `[=${body}]`
		case 'k:': {
			const keys = parseJson(body)
			const parts = isObject(keys) ? Object.entries(keys) : []
			return `[${parts.map(([key, value]) => `${key}=${JSON.stringify(value)}`).join(',')}]`
		}
		default:
			return `[${body}]`
	}
}
