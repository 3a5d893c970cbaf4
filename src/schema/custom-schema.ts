import { withObjectFields } from './built-in-schema.ts'
import { isArray, isObject, property, type JsonObject, type JsonValue } from './json.ts'
import { UNTYPED, type Field, type ListSchema, type ScalarType, type TypeSchema } from './type-schema.ts'

const SCALARS: ReadonlySet<string> = new Set<ScalarType>(['string', 'integer', 'number', 'boolean'])

/** Deeper than any schema that people write; a structural schema cannot refer to itself. */
const MAX_DEPTH = 200

/**
 * The type that the `openAPIV3Schema` of a CustomResourceDefinition's version describes: with
 * `x-kubernetes-list-type`, `-list-map-keys`, `-map-type`, `-preserve-unknown-fields`,
 * `-int-or-string` and `-embedded-resource`. What cannot be read as a schema is untyped.
 * @see https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/
 */
export function schemaOfCrd(openAPIV3Schema: unknown): TypeSchema {
	if (!isObject(openAPIV3Schema)) return withObjectFields({ values: UNTYPED })
	const { fields, required, values } = objectParts(openAPIV3Schema, 0)
	return withObjectFields({ fields, required, values })
}

function convert(schema: JsonValue | undefined, depth: number): TypeSchema {
	if (!isObject(schema) || depth > MAX_DEPTH) return UNTYPED
	if (flag(schema, 'x-kubernetes-int-or-string')) return { kind: 'scalar', type: 'int-or-string' }
	const type = property(schema, 'type')
	const embedded = flag(schema, 'x-kubernetes-embedded-resource')
	if (type === 'array') return convertList(schema, depth)
	if (
		type === 'object' ||
		(type === undefined && (embedded || property(schema, 'properties') !== undefined))
	) {
		const parts = objectParts(schema, depth)
		if (embedded) return withObjectFields(parts)
		return { kind: 'map', mapType: mapTypeOf(schema), ...parts }
	}
	if (typeof type !== 'string' || !SCALARS.has(type)) return UNTYPED
	const format = property(schema, 'format')
	return {
		kind: 'scalar',
		type: type as ScalarType,
		...(typeof format === 'string' && { format }),
	}
}

function convertList(schema: JsonObject, depth: number): ListSchema {
	const listType = property(schema, 'x-kubernetes-list-type')
	return {
		kind: 'list',
		listType: listType === 'set' || listType === 'map' ? listType : 'atomic',
		keys: texts(property(schema, 'x-kubernetes-list-map-keys')),
		items: convert(property(schema, 'items'), depth + 1),
	}
}

function objectParts(schema: JsonObject, depth: number) {
	const properties = property(schema, 'properties')
	const fields = new Map<string, Field>()
	for (const [name, of] of isObject(properties) ? Object.entries(properties) : []) {
		fields.set(name, {
			schema: convert(of, depth + 1),
			default: isObject(of) ? property(of, 'default') : undefined,
			patchStrategies: [],
		})
	}
	return { fields, required: texts(property(schema, 'required')), values: valuesOf(schema, depth + 1) }
}

function valuesOf(schema: JsonObject, depth: number): TypeSchema | undefined {
	const additional = property(schema, 'additionalProperties')
	if (isObject(additional)) return convert(additional, depth)
	return additional === true || flag(schema, 'x-kubernetes-preserve-unknown-fields') ? UNTYPED : undefined
}

function mapTypeOf(schema: JsonObject): 'granular' | 'atomic' {
	return property(schema, 'x-kubernetes-map-type') === 'atomic' ? 'atomic' : 'granular'
}

function flag(schema: JsonObject, name: string): boolean {
	return property(schema, name) === true
}

function texts(value: JsonValue | undefined): readonly string[] {
	return isArray(value) ? value.filter((item) => typeof item === 'string') : []
}
