import { at, fieldsAt, fieldsOf, isFields, listAt, numberAt, textAt, type Fields } from './fields.ts'
import type { StatusCause } from './status-error.ts'

export interface Shaped {
	readonly value: unknown
	/** Paths that the schema does not know and that were pruned. */
	readonly unknown: readonly string[]
	readonly causes: readonly StatusCause[]
}

/** Deeper structures are refused: a schema may be recursive through preserved fields only. */
const MAX_DEPTH = 100

/**
 * Applies a structural schema to a custom resource: prunes unknown fields, fills
 * in defaults, and checks types, required fields, enums, patterns and bounds.
 * Rules in CEL (`x-kubernetes-validations`) are not evaluated.
 * @see https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/
 */
export function shape(value: unknown, schema: Fields, path = ''): Shaped {
	const walker = new Walker()
	const shaped = walker.walk(value, schema, { path, depth: 0, root: path === '' })
	return { value: shaped, unknown: walker.unknown, causes: walker.causes }
}

interface Place {
	readonly path: string
	readonly depth: number
	/** At the root apiVersion, kind and metadata are the API's own. */
	readonly root: boolean
}

class Walker {
	readonly unknown: string[] = []
	readonly causes: StatusCause[] = []

	walk(value: unknown, schema: Fields, place: Place): unknown {
		if (place.depth > MAX_DEPTH) {
			this.refuse(place, 'FieldValueInvalid', 'Invalid value: nested too deeply')
			return value
		}
		if (value === null || value === undefined) {
			if (value === null && at(schema, 'nullable') !== true)
				this.wrongType(value, textAt(schema, 'type'), place)
			return value
		}
		if (at(schema, 'x-kubernetes-int-or-string') === true) {
			if (typeof value !== 'string' && !Number.isInteger(value))
				this.wrongType(value, 'integer,string', place)
			return value
		}
		const type = textAt(schema, 'type')
		if (type !== undefined && !isOfType(value, type)) {
			this.wrongType(value, type, place)
			return value
		}
		this.checkScalar(value, schema, place)
		if (Array.isArray(value)) return this.walkList(value, schema, place)
		return isFields(value) ? this.walkObject(value, schema, place) : value
	}

	private walkList(value: readonly unknown[], schema: Fields, place: Place): unknown {
		const maximum = numberAt(schema, 'maxItems')
		if (maximum !== undefined && value.length > maximum) {
			this.refuse(place, 'FieldValueTooMany', `Too many: ${value.length}: must have at most ${maximum} items`)
		}
		const minimum = numberAt(schema, 'minItems')
		if (minimum !== undefined && value.length < minimum) {
			this.refuse(
				place,
				'FieldValueInvalid',
				`Invalid value: ${value.length}: should have at least ${minimum} items`,
			)
		}
		const items = at(schema, 'items')
		if (!isFields(items)) return value
		return value.map((item, index) =>
			this.walk(item, items, { path: `${place.path}[${index}]`, depth: place.depth + 1, root: false }),
		)
	}

	private walkObject(value: Fields, schema: Fields, place: Place): unknown {
		const properties = fieldsAt(schema, 'properties')
		const additional = at(schema, 'additionalProperties')
		const embedded = place.root || at(schema, 'x-kubernetes-embedded-resource') === true
		const keeps = at(schema, 'x-kubernetes-preserve-unknown-fields') === true || additional === true
		const result: Record<string, unknown> = {}
		for (const [key, child] of Object.entries(value)) {
			const childPath = place.path === '' ? key : `${place.path}.${key}`
			const childPlace = { path: childPath, depth: place.depth + 1, root: false }
			if (embedded && (key === 'apiVersion' || key === 'kind' || key === 'metadata'))
				define(result, key, child)
			else if (Object.hasOwn(properties, key))
				define(result, key, this.walk(child, fieldsOf(properties[key]), childPlace))
			else if (isFields(additional)) define(result, key, this.walk(child, additional, childPlace))
			else if (keeps) define(result, key, child)
			else this.unknown.push(childPath)
		}
		for (const [key, property] of Object.entries(properties)) {
			const fallback = at(property, 'default')
			if (!Object.hasOwn(result, key) && fallback !== undefined) {
				const childPath = place.path === '' ? key : `${place.path}.${key}`
				define(
					result,
					key,
					this.walk(fallback, fieldsOf(property), { path: childPath, depth: place.depth + 1, root: false }),
				)
			}
		}
		for (const key of listAt(schema, 'required')) {
			if (typeof key === 'string' && result[key] === undefined) {
				const field = place.path === '' ? key : `${place.path}.${key}`
				this.causes.push({ reason: 'FieldValueRequired', message: 'Required value', field })
			}
		}
		return result
	}

	private checkScalar(value: unknown, schema: Fields, place: Place): void {
		const allowed = listAt(schema, 'enum')
		if (allowed.length > 0 && !allowed.includes(value)) {
			const supported = allowed.map((each) => JSON.stringify(each)).join(', ')
			this.refuse(
				place,
				'FieldValueNotSupported',
				`Unsupported value: ${JSON.stringify(value)}: supported values: ${supported}`,
			)
		}
		if (typeof value === 'string') this.checkText(value, schema, place)
		if (typeof value === 'number') this.checkNumber(value, schema, place)
	}

	private checkText(value: string, schema: Fields, place: Place): void {
		const invalid = (why: string): void =>
			this.refuse(place, 'FieldValueInvalid', `Invalid value: ${JSON.stringify(value)}: ${why}`)
		const maximum = numberAt(schema, 'maxLength')
		if (maximum !== undefined && value.length > maximum) {
			this.refuse(place, 'FieldValueTooLong', `Too long: may not be more than ${maximum} bytes`)
		}
		const minimum = numberAt(schema, 'minLength')
		if (minimum !== undefined && value.length < minimum) invalid(`should be at least ${minimum} chars long`)
	}

	private checkNumber(value: number, schema: Fields, place: Place): void {
		const minimum = numberAt(schema, 'minimum')
		const maximum = numberAt(schema, 'maximum')
		const invalid = (why: string): void =>
			this.refuse(place, 'FieldValueInvalid', `Invalid value: ${value}: ${why}`)
		if (minimum !== undefined && value < minimum) invalid(`should be greater than or equal to ${minimum}`)
		if (maximum !== undefined && value > maximum) invalid(`should be less than or equal to ${maximum}`)
	}

	private wrongType(value: unknown, wanted: string | undefined, place: Place): void {
		if (wanted === undefined) return
		const found = value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value
		this.refuse(
			place,
			'FieldValueTypeInvalid',
			`Invalid value: "${found}": ${place.path} in body must be of type ${wanted}: "${found}"`,
		)
	}

	private refuse({ path }: Place, reason: string, message: string): void {
		this.causes.push({ reason, message, field: path === '' ? '<nil>' : path })
	}
}

/** Also for the key `__proto__`, which an assignment would not make a property. */
function define(target: Record<string, unknown>, key: string, value: unknown): void {
	Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true })
}

function isOfType(value: unknown, type: string): boolean {
	switch (type) {
		case 'object':
			return isFields(value)
		case 'array':
			return Array.isArray(value)
		case 'integer':
			return Number.isInteger(value)
		case 'number':
			return typeof value === 'number'
		case 'string':
			return typeof value === 'string'
		case 'boolean':
			return typeof value === 'boolean'
		default:
			return true
	}
}
