import type { KubeObject } from '../../cluster/index.ts'
import { isFields, type Fields } from './fields.ts'
import type { TypeSchema } from './patch/index.ts'

export interface Known {
	/** Without the fields that the type does not have. */
	readonly value: unknown
	readonly unknown: readonly string[]
	/** Values of another type than the field's, in the words of Go's decoder. */
	readonly mistyped: readonly string[]
}

interface Findings {
	readonly unknown: string[]
	readonly mistyped: string[]
}

/** Compares an object with the schema of its built-in type: what a decoder would drop or refuse. */
export function decodeKnown(object: KubeObject, schema: TypeSchema): Known {
	const findings: Findings = { unknown: [], mistyped: [] }
	return { value: walk(object, schema, { path: '', findings }), ...findings }
}

interface Place {
	readonly path: string
	readonly findings: Findings
}

function walk(value: unknown, schema: TypeSchema, place: Place): unknown {
	if (value === null || value === undefined) return value
	switch (schema.kind) {
		case 'untyped':
			return value
		case 'scalar':
			if (!isScalar(value, schema.type))
				mistyped(value, schema.type === 'integer' ? 'int' : schema.type, place)
			return value
		case 'list':
			if (!Array.isArray(value)) {
				mistyped(value, 'array', place)
				return value
			}
			return value.map((item, index) =>
				walk(item, schema.items, { ...place, path: `${place.path}[${index}]` }),
			)
		case 'map':
			if (!isFields(value)) {
				mistyped(value, 'object', place)
				return value
			}
			return walkMap(value, schema, place)
	}
}

function walkMap(
	value: Fields,
	schema: TypeSchema & { readonly kind: 'map' },
	{ path, findings }: Place,
): Fields {
	const kept: [string, unknown][] = []
	for (const [key, child] of Object.entries(value)) {
		const childPath = path === '' ? key : `${path}.${key}`
		const childSchema = schema.fields.get(key)?.schema ?? schema.values
		if (childSchema === undefined) findings.unknown.push(childPath)
		else kept.push([key, walk(child, childSchema, { path: childPath, findings })])
	}
	return Object.fromEntries(kept)
}

function isScalar(value: unknown, type: string): boolean {
	switch (type) {
		case 'string':
			return typeof value === 'string'
		case 'integer':
			return Number.isInteger(value)
		case 'number':
			return typeof value === 'number'
		case 'boolean':
			return typeof value === 'boolean'
		default:
			return typeof value === 'string' || typeof value === 'number'
	}
}

function mistyped(value: unknown, wanted: string, { path, findings }: Place): void {
	const found = Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value
	findings.mistyped.push(`json: cannot unmarshal ${found} into field ${path} of type ${wanted}`)
}
