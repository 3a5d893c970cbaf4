/** One step of a field path. */
export type PathStep =
	/** A key of a map. */
	| { readonly kind: 'field'; readonly name: string }
	/** A place in a list. */
	| { readonly kind: 'index'; readonly index: number }
	/** The item of a list with this key, and with these where one key does not tell it from others. */
	| {
			readonly kind: 'item'
			readonly key: string
			readonly value: string
			readonly also?: readonly { readonly key: string; readonly value: string }[]
	  }
	/** The member of a list that is a set. */
	| { readonly kind: 'member'; readonly value: string }

/** What the items of a list are told apart by. */
export type ListIdentity =
	| {
			readonly kind: 'map'
			/** The keys that tell the items apart, together. */
			readonly keys: readonly string[]
			/** Values of keys that an item may leave out. */
			readonly defaults: ReadonlyMap<string, unknown>
			/** Whether the order of these items means something. */
			isOrdered(items: readonly unknown[]): boolean
	  }
	| { readonly kind: 'set' }

/** What is known of the types of an object's values, by their path in it. */
export interface ValueTypes {
	/** `undefined` for a list of which nothing is known, or whose items are told apart by their place. */
	listAt(path: readonly PathStep[]): ListIdentity | undefined
	/** Whether two values mean the same, as two ways to write a quantity do, or `null` and nothing at all. */
	isSame(path: readonly PathStep[], before: unknown, after: unknown): boolean
}

/** Types of which nothing is known. */
export const untyped: ValueTypes = { listAt: () => undefined, isSame: () => false }

/** Tells the items of lists apart. */
export interface ItemKey {
	/** Equal for the same item. */
	textOf(item: unknown): string
	stepOf(item: unknown): PathStep
	readonly isOrdered: boolean
}

/** Fields that tell the items of a list apart where no type says which; the first that fits is taken. */
const LIKELY_KEYS: readonly string[] = [
	'name',
	'mountPath',
	'containerPort',
	'port',
	'key',
	'ip',
	'type',
	'topologyKey',
	'path',
	'host',
	'id',
]

/** What tells the items of these lists apart, in each of them; `undefined` where only their place does. */
export function keysOfItems(
	lists: readonly (readonly unknown[])[],
	identity: ListIdentity | undefined,
): ItemKey | undefined {
	const fits = (key: ItemKey | undefined): key is ItemKey =>
		key !== undefined && lists.every((list) => tells(key, list))
	if (identity?.kind === 'set') {
		const members = memberKey()
		return lists.every((list) => list.every(isScalar)) && fits(members) ? members : undefined
	}
	if (identity !== undefined) {
		const { keys, defaults } = identity
		const typed = fieldKey(keys, { defaults, isOrdered: identity.isOrdered(lists.flat()) })
		return fits(typed) ? typed : undefined
	}
	return LIKELY_KEYS.map((key) => fieldKey([key], { defaults: new Map(), isOrdered: true })).find(fits)
}

function isScalar(value: unknown): value is string | number | boolean {
	return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
}

function memberKey(): ItemKey {
	return {
		textOf: (item) => JSON.stringify(item) ?? '',
		stepOf: (item) => ({ kind: 'member', value: String(item) }),
		isOrdered: false,
	}
}

function fieldKey(
	keys: readonly string[],
	{ defaults, isOrdered }: { readonly defaults: ReadonlyMap<string, unknown>; readonly isOrdered: boolean },
): ItemKey {
	const valueOf = (item: unknown, key: string): unknown => {
		const isFields = typeof item === 'object' && item !== null && !Array.isArray(item)
		return (isFields && Object.hasOwn(item, key) ? Reflect.get(item, key) : undefined) ?? defaults.get(key)
	}
	return {
		isOrdered,
		textOf(item) {
			const values = keys.map((key) => valueOf(item, key))
			return values.every((value) => isScalar(value)) ? JSON.stringify(values.map(String)) : ''
		},
		stepOf(item) {
			const [first, ...others] = keys.map((key) => ({ key, value: String(valueOf(item, key)) }))
			const also = others.filter(({ key, value }) => value !== String(defaults.get(key)))
			return {
				kind: 'item',
				key: first?.key ?? '',
				value: first?.value ?? '',
				...(also.length > 0 && { also }),
			}
		},
	}
}

function tells(key: ItemKey, list: readonly unknown[]): boolean {
	const texts = new Set(list.map((item) => key.textOf(item)))
	return texts.size === list.length && !texts.has('')
}
