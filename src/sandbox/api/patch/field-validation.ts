import { unreachable } from '../../../errors/index.ts'
import { isArray, isObject, property, type JsonObject, type JsonValue } from './json.ts'
import type { ScalarSchema, TypeSchema } from './type-schema.ts'

/** A field that the type does not have, as the API server names it: `spec.containers[0].imagee`. */
export interface UnknownField {
	readonly path: string
}

/** A value of the wrong type, or a required field that is missing. */
export interface TypeFault {
	readonly path: string
	/** `spec.replicas: Invalid value: "string": spec.replicas in body must be of type integer: "string"` */
	readonly message: string
}

/**
 * Every field of `object` that its type does not have; the answer of the API server says
 * `unknown field "PATH"` for each.
 */
export function unknownFields(object: JsonObject, schema: TypeSchema): readonly UnknownField[] {
	const found: UnknownField[] = []
	walk(object, { schema, path: '' }, { unknown: (path) => found.push({ path }) })
	return found
}

/** Every value whose JSON type is not that of its schema. Values are not judged otherwise. */
export function typeErrors(object: JsonObject, schema: TypeSchema): readonly TypeFault[] {
	const found: TypeFault[] = []
	walk(
		object,
		{ schema, path: '' },
		{
			mistyped: (path, type, given) => {
				const rule = `${path} in body must be of type ${type}: ${JSON.stringify(given)}`
				found.push({ path, message: `${path}: Invalid value: ${JSON.stringify(given)}: ${rule}` })
			},
		},
	)
	return found
}

interface Place {
	readonly schema: TypeSchema
	readonly path: string
}

interface Findings {
	readonly unknown?: (path: string) => void
	readonly mistyped?: (path: string, type: string, given: string) => void
}

function walk(value: JsonValue, { schema, path }: Place, findings: Findings): void {
	// null is "not set" in every type
	if (value === null || schema.kind === 'untyped') return
	if (schema.kind === 'scalar') {
		if (!isScalar(value, schema)) findings.mistyped?.(path, scalarName(schema), jsonType(value))
	} else if (schema.kind === 'list') {
		if (!isArray(value)) {
			findings.mistyped?.(path, 'array', jsonType(value))
			return
		}
		for (const [index, item] of value.entries()) {
			walk(item, { schema: schema.items, path: `${path}[${index}]` }, findings)
		}
	} else if (isObject(value)) {
		for (const key of Object.keys(value)) {
			const at = path === '' ? key : `${path}.${key}`
			const field = schema.fields.get(key)?.schema ?? schema.values
			if (field === undefined) findings.unknown?.(at)
			else walk(property(value, key) ?? null, { schema: field, path: at }, findings)
		}
	} else {
		findings.mistyped?.(path, 'object', jsonType(value))
	}
}

function isScalar(value: JsonValue, { type }: ScalarSchema): boolean {
	switch (type) {
		case 'string':
		case 'boolean':
		case 'number':
			return typeof value === type
		case 'integer':
			return Number.isInteger(value)
		case 'int-or-string':
			return typeof value === 'string' || Number.isInteger(value)
		case 'quantity':
			return typeof value === 'string' || typeof value === 'number'
		default:
			return unreachable(type)
	}
}

function scalarName({ type }: ScalarSchema): string {
	if (type === 'int-or-string') return 'integer or string'
	return type === 'quantity' ? 'string or number' : type
}

function jsonType(value: JsonValue): string {
	if (isArray(value)) return 'array'
	if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number'
	return typeof value
}
