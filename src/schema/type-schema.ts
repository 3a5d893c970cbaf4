import type { JsonValue } from './json.ts'

/** What a value of a Kubernetes object may be, and how two of them are merged. */
export type TypeSchema = ScalarSchema | ListSchema | MapSchema | UntypedSchema

export type ScalarType = 'string' | 'integer' | 'number' | 'boolean' | 'int-or-string' | 'quantity'

export interface ScalarSchema {
	readonly kind: 'scalar'
	readonly type: ScalarType
	/** OpenAPI's format, such as `int32`, `byte` or `date-time`. */
	readonly format?: string | undefined
	/** All that a text may be, where the API server takes nothing else. */
	readonly values?: readonly string[] | undefined
}

export interface ListSchema {
	readonly kind: 'list'
	/** `x-kubernetes-list-type`; `atomic` where the schema does not say. */
	readonly listType: 'atomic' | 'set' | 'map'
	/** `x-kubernetes-list-map-keys`: what tells the items of a `map` apart. */
	readonly keys: readonly string[]
	readonly items: TypeSchema
}

export interface MapSchema {
	readonly kind: 'map'
	/** `x-kubernetes-map-type`. */
	readonly mapType: 'granular' | 'atomic'
	readonly fields: ReadonlyMap<string, Field>
	readonly required: readonly string[]
	/** The type of the keys that are not in `fields`; absent: there must be none. */
	readonly values?: TypeSchema | undefined
}

/** Anything: maps are granular, lists atomic. */
export interface UntypedSchema {
	readonly kind: 'untyped'
}

/** A named field of a {@link MapSchema}: its type, and what holds at this place only. */
export interface Field {
	readonly schema: TypeSchema
	readonly default?: JsonValue | undefined
	/** `x-kubernetes-patch-strategy`, split at commas: `merge`, `replace`, `retainKeys`. */
	readonly patchStrategies: readonly string[]
	/** `x-kubernetes-patch-merge-key`: the key of a list's items in a strategic merge. */
	readonly patchMergeKey?: string | undefined
}

export const UNTYPED: UntypedSchema = { kind: 'untyped' }

/** The type of what stands under `key`; `undefined` where the schema has no such key. */
export function schemaAt(schema: TypeSchema, key: string): TypeSchema | undefined {
	if (schema.kind === 'untyped') return UNTYPED
	return schema.kind === 'map' ? (schema.fields.get(key)?.schema ?? schema.values) : undefined
}

/**
 * The list-map keys of `list` that an item may leave out, with the value they then have, such as
 * `protocol: TCP` of a port.
 */
export function defaultKeyValues(list: ListSchema): ReadonlyMap<string, JsonValue> {
	const found = new Map<string, JsonValue>()
	if (list.items.kind !== 'map') return found
	for (const key of list.keys) {
		const value = list.items.fields.get(key)?.default
		if (value !== undefined) found.set(key, value)
	}
	return found
}
