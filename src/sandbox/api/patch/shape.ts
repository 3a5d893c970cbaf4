import { isArray, isObject, type JsonValue, type ListSchema, type TypeSchema } from '../../../schema/index.ts'
import { itemElement } from './path-element.ts'

/**
 * How a value is taken apart: `leaf` (a scalar, an atomic list or map), or by its keys or items.
 * The type decides, and the value where the type leaves it open or does not fit.
 */
export type Shape =
	| { readonly kind: 'leaf' }
	| { readonly kind: 'map' }
	| { readonly kind: 'list'; readonly list: ListSchema }

const LEAF: Shape = { kind: 'leaf' }

export function shapeOf(value: JsonValue, schema: TypeSchema): Shape {
	if (isObject(value)) {
		return schema.kind === 'map' && schema.mapType === 'atomic' ? LEAF : { kind: 'map' }
	}
	if (isArray(value) && schema.kind === 'list' && schema.listType !== 'atomic') {
		return { kind: 'list', list: schema }
	}
	return LEAF
}

/** The items of a list by their element; more than one where a live list repeats a key. */
export function itemsByElement(
	list: ListSchema,
	items: readonly JsonValue[],
): ReadonlyMap<string, readonly JsonValue[]> {
	const found = new Map<string, JsonValue[]>()
	for (const item of items) {
		const element = itemElement(list, item)
		if (element === undefined) continue
		const same = found.get(element)
		if (same === undefined) found.set(element, [item])
		else same.push(item)
	}
	return found
}

/** Two states of a value; `undefined` where it is absent. */
export interface Pair {
	readonly before: JsonValue | undefined
	readonly after: JsonValue | undefined
}

/** Two states of a value are looked into only where both can be; two empty ones are a leaf. */
export function sharedShape({ before, after }: Pair, schema: TypeSchema): Shape {
	const shapes = [before, after]
		.filter((value) => value !== undefined && value !== null)
		.map((value) => shapeOf(value ?? null, schema))
	const [first, second] = shapes
	if (first === undefined || (second !== undefined && second.kind !== first.kind)) return LEAF
	return isEmpty(before) && isEmpty(after) ? LEAF : first
}

function isEmpty(value: JsonValue | undefined): boolean {
	if (isArray(value)) return value.length === 0
	return value === undefined || value === null || (isObject(value) && Object.keys(value).length === 0)
}
