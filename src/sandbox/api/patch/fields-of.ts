import {
	isArray,
	isObject,
	type JsonObject,
	type JsonValue,
	schemaAt,
	UNTYPED,
	type TypeSchema,
} from '../../../schema/index.ts'
import { FieldSetBuilder, type FieldSet } from './field-set.ts'
import { fieldElement } from './path-element.ts'
import { itemsByElement, shapeOf } from './shape.ts'

/** All the fields that stand in an object: what who applies it comes to own. */
export function fieldsOf(object: JsonObject, schema: TypeSchema): FieldSet {
	const set = new FieldSetBuilder()
	collect(object, { schema, path: [], set })
	return set.finish()
}

interface Visit {
	readonly schema: TypeSchema
	readonly path: readonly string[]
	readonly set: FieldSetBuilder
}

function collect(value: JsonValue, visit: Visit): void {
	const { schema, path, set } = visit
	const shape = shapeOf(value, schema)
	if (shape.kind === 'leaf') {
		set.insert(path)
	} else if (shape.kind === 'map' && isObject(value)) {
		collectMap(value, visit)
	} else if (shape.kind === 'list' && isArray(value)) {
		for (const [element, items] of itemsByElement(shape.list, value)) {
			const inside = { schema: shape.list.items, path: [...path, element], set }
			const [item] = items
			if (items.length === 1 && item !== undefined) collect(item, inside)
			set.insert(inside.path)
		}
	}
}

function collectMap(value: JsonObject, { schema, path, set }: Visit): void {
	for (const [key, item] of Object.entries(value)) {
		const inside = { schema: schemaAt(schema, key) ?? UNTYPED, path: [...path, fieldElement(key)], set }
		collect(item, inside)
		const empty = item === null || (isObject(item) && Object.keys(item).length === 0)
		const named = schema.kind === 'map' && schema.fields.has(key)
		if (empty || !named) set.insert(inside.path)
	}
}
