import type { KubeObject } from '../../cluster/index.ts'
import { checkFields, type FieldPath, isFields, schemaAt, type TypeSchema } from '../../schema/index.ts'

export interface Known {
	/** Without the fields that the type does not have. */
	readonly value: unknown
	readonly unknown: readonly string[]
	/** Values that cannot be decoded, in the words of Go's decoder. */
	readonly mistyped: readonly string[]
}

/** Compares an object with the schema of its built-in type: what a decoder would drop or refuse. */
export function decodeKnown(object: KubeObject, schema: TypeSchema): Known {
	const unknown: string[] = []
	const mistyped: string[] = []
	for (const fault of checkFields(object, schema)) {
		const path = formatPath(fault.path)
		if (fault.kind === 'unknown') unknown.push(path)
		else if (fault.kind === 'mistyped')
			mistyped.push(
				`json: cannot unmarshal ${fault.found} into field ${path} of type ${goName(fault.wanted)}`,
			)
		else if (fault.kind === 'malformed') mistyped.push(`field ${path}: ${fault.why}`)
	}
	return { value: unknown.length === 0 ? object : prune(object, schema), unknown, mistyped }
}

function formatPath(path: FieldPath): string {
	return path
		.map((step, index) => (typeof step === 'number' ? `[${step}]` : index === 0 ? step : `.${step}`))
		.join('')
}

const goName = (type: string): string => (type === 'integer' ? 'int' : type)

function prune(value: unknown, schema: TypeSchema): unknown {
	if (schema.kind === 'list' && Array.isArray(value)) return value.map((item) => prune(item, schema.items))
	if (schema.kind !== 'map' || !isFields(value)) return value
	const kept: [string, unknown][] = []
	for (const [key, child] of Object.entries(value)) {
		const known = schemaAt(schema, key)
		if (known !== undefined) kept.push([key, prune(child, known)])
	}
	return Object.fromEntries(kept)
}
