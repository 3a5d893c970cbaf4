import { unreachable } from '../errors/index.ts'
import { isFields, type Fields } from './fields.ts'
import type { ListSchema, MapSchema, ScalarSchema, TypeSchema } from './type-schema.ts'

/** Where a value stands in an object: keys of maps, places in lists. */
export type FieldPath = readonly (string | number)[]

/** What an API server that decodes strictly says no to. */
export type FieldFault =
	/** The type has no such field. `known` are those it has. */
	| { readonly kind: 'unknown'; readonly path: FieldPath; readonly known: readonly string[] }
	| {
			readonly kind: 'mistyped'
			readonly path: FieldPath
			readonly wanted: string
			/** `string`, `number`, `bool`, `array` or `object`, as Go calls them. */
			readonly found: string
	  }
	/** Text or a number that cannot be decoded, such as what should be base64. */
	| { readonly kind: 'malformed'; readonly path: FieldPath; readonly why: string }
	| {
			readonly kind: 'unsupported'
			readonly path: FieldPath
			readonly value: string
			readonly supported: readonly string[]
	  }
	| { readonly kind: 'missing'; readonly path: FieldPath }

/**
 * Compares a value with its type as the API server's decoder does: `null` is the same as
 * absent, and the zero value of an enumeration is its default.
 */
export function checkFields(value: unknown, schema: TypeSchema): readonly FieldFault[] {
	const walker = new Walker()
	walker.walk(value, schema)
	return walker.faults
}

class Walker {
	readonly faults: FieldFault[] = []
	/** Of the value that is looked at. */
	private readonly path: (string | number)[] = []

	walk(value: unknown, schema: TypeSchema): void {
		if (value === null || value === undefined) return
		switch (schema.kind) {
			case 'untyped':
				return
			case 'scalar':
				this.walkScalar(value, schema)
				return
			case 'list':
				this.walkList(value, schema)
				return
			case 'map':
				this.walkMap(value, schema)
				return
			default:
				unreachable(schema)
		}
	}

	private walkList(value: unknown, schema: ListSchema): void {
		if (!Array.isArray(value)) {
			this.mistyped(value, 'array')
			return
		}
		const { items } = schema
		for (let index = 0; index < value.length; index++) {
			this.path.push(index)
			this.walk(value[index], items)
			this.path.pop()
		}
	}

	private walkMap(value: unknown, schema: MapSchema): void {
		if (!isFields(value)) {
			this.mistyped(value, 'object')
			return
		}
		for (const key of Object.keys(value)) {
			const child = schema.fields.get(key)?.schema ?? schema.values
			this.path.push(key)
			if (child === undefined) {
				this.faults.push({ kind: 'unknown', path: [...this.path], known: [...schema.fields.keys()] })
			} else this.walk(value[key], child)
			this.path.pop()
		}
		for (const key of schema.required) {
			if (isThere(value, key)) continue
			this.faults.push({ kind: 'missing', path: [...this.path, key] })
		}
	}

	private walkScalar(value: unknown, schema: ScalarSchema): void {
		if (!isScalar(value, schema)) {
			this.mistyped(value, nameOf(schema))
			return
		}
		const why = malformed(value, schema)
		if (why !== undefined) this.faults.push({ kind: 'malformed', path: [...this.path], why })
		const { values } = schema
		if (values === undefined || typeof value !== 'string' || value === '' || values.includes(value)) return
		this.faults.push({ kind: 'unsupported', path: [...this.path], value, supported: values })
	}

	private mistyped(value: unknown, wanted: string): void {
		this.faults.push({ kind: 'mistyped', path: [...this.path], wanted, found: goType(value) })
	}
}

const isThere = (value: Fields, key: string): boolean =>
	Object.hasOwn(value, key) && value[key] !== undefined && value[key] !== null

function isScalar(value: unknown, { type }: ScalarSchema): boolean {
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

function nameOf({ type }: ScalarSchema): string {
	if (type === 'int-or-string') return 'integer or string'
	return type === 'quantity' ? 'quantity' : type
}

function goType(value: unknown): string {
	if (Array.isArray(value)) return 'array'
	return typeof value === 'boolean' ? 'bool' : typeof value
}

const MAX_INT32 = 2 ** 31 - 1
const MIN_INT32 = -(2 ** 31)

/** @see https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/ */
const QUANTITY = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[KMGTPE]i|[numkMGTPE]|[eE][+-]?\d+)?$/
/** RFC 3339 as Go reads it. */
const TIME = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:[Zz]|[+-]\d\d:\d\d)$/

function malformed(value: unknown, { type, format }: ScalarSchema): string | undefined {
	if (typeof value === 'number' && (format === 'int32' || type === 'int-or-string')) {
		return value > MAX_INT32 || value < MIN_INT32 ? 'it does not fit into 32 bits' : undefined
	}
	if (typeof value !== 'string') return undefined
	if (type === 'quantity' && !QUANTITY.test(value.trim()))
		return 'it is no quantity: a number with a unit such as 500m, 2, 64Mi or 10G'
	if (format === 'byte' && !isBase64(value)) return 'it is no base64'
	if (format === 'date-time' && !TIME.test(value)) return 'it is no time such as 2026-01-31T12:00:00Z'
	return undefined
}

/** Go's standard encoding: padded, line breaks are passed over. */
function isBase64(text: string): boolean {
	const plain = /[\r\n]/.test(text) ? text.replaceAll(/[\r\n]/g, '') : text
	return plain.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(plain)
}
