import { at, fieldsAt, fieldsOf, isFields, listAt, textAt, type Fields } from './fields.ts'
import type { StatusCause } from './status-cause.ts'
import { valueFaults } from './structural-values.ts'

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
 * in defaults, and checks types, required fields, enums, patterns, bounds and combinations.
 * Rules in CEL (`x-kubernetes-validations`) are not evaluated.
 * @see https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/
 */
export function shape(value: unknown, schema: Fields, path = ''): Shaped {
	const walker = new Walker({ prunes: true })
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
	/** Not in the parts of a combination: they say what a value has to be like, and nothing of what it may hold. */
	readonly #prunes: boolean

	constructor({ prunes }: { readonly prunes: boolean }) {
		this.#prunes = prunes
	}

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
			else this.checkValue(value, schema, place)
			return value
		}
		const type = textAt(schema, 'type')
		if (type !== undefined && !isOfType(value, type)) {
			this.wrongType(value, type, place)
			return value
		}
		this.checkValue(value, schema, place)
		if (Array.isArray(value)) return this.walkList(value, schema, place)
		return isFields(value) ? this.walkObject(value, schema, place) : value
	}

	private walkList(value: readonly unknown[], schema: Fields, place: Place): unknown {
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
		const keeps =
			!this.#prunes || at(schema, 'x-kubernetes-preserve-unknown-fields') === true || additional === true
		const propertyOf = (key: string): unknown =>
			Object.hasOwn(properties, key) ? properties[key] : additional
		const result: Record<string, unknown> = {}
		for (const [key, child] of Object.entries(value)) {
			const childPath = place.path === '' ? key : `${place.path}.${key}`
			// The API prunes what is null and may not be, before it fills in defaults.
			const isPruned = child === null && at(propertyOf(key), 'nullable') !== true
			if (this.#prunes && isPruned && isFields(propertyOf(key))) continue
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
			if (typeof key === 'string' && !Object.hasOwn(result, key)) {
				const field = place.path === '' ? key : `${place.path}.${key}`
				this.causes.push({ reason: 'FieldValueRequired', message: 'Required value', field })
			}
		}
		return result
	}

	private checkValue(value: unknown, schema: Fields, place: Place): void {
		for (const { reason, message } of valueFaults(value, schema)) this.refuse(place, reason, message)
		this.checkCombined(value, schema, place)
	}

	/** `allOf`, `anyOf`, `oneOf` and `not` say nothing of types: only what a value has to be like. */
	private checkCombined(value: unknown, schema: Fields, place: Place): void {
		const faultsOf = (part: unknown): readonly StatusCause[] => {
			const walker = new Walker({ prunes: false })
			walker.walk(value, fieldsOf(part), place)
			return walker.causes
		}
		const wrong = (how: string): void => {
			const field = place.path === '' ? '<nil>' : place.path
			this.refuse(place, 'FieldValueInvalid', `Invalid value: "${field}" must validate ${how}`)
		}
		for (const part of listAt(schema, 'allOf')) this.causes.push(...faultsOf(part))
		const any = listAt(schema, 'anyOf')
		if (any.length > 0 && any.every((part) => faultsOf(part).length > 0)) wrong('at least one schema (anyOf)')
		const one = listAt(schema, 'oneOf')
		if (one.length > 0 && one.filter((part) => faultsOf(part).length === 0).length !== 1)
			wrong('one and only one schema (oneOf)')
		const not = at(schema, 'not')
		if (isFields(not) && faultsOf(not).length === 0) wrong('a schema that it must not (not)')
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
