import { isObject, jsonEqual, property, type JsonValue } from '../../../schema/index.ts'

/** The items of a merged list: those that the patch speaks of, and those only the server has. */
export interface Partition {
	readonly patched: readonly JsonValue[]
	readonly serverOnly: readonly JsonValue[]
}

export interface Orders {
	readonly patch: readonly JsonValue[]
	readonly server: readonly JsonValue[]
	readonly mergeKey: string | undefined
}

/** What tells an item of a list from the others: its merge key, or itself. */
export function keyOf(item: JsonValue, mergeKey: string | undefined): JsonValue | undefined {
	if (mergeKey === undefined) return item
	return isObject(item) ? property(item, mergeKey) : undefined
}

/** The index of the item of `list` with the same key, or -1. */
export function placeOf(item: JsonValue, list: readonly JsonValue[], mergeKey: string | undefined): number {
	const key = keyOf(item, mergeKey)
	if (key === undefined) return -1
	return list.findIndex((other) => {
		const otherKey = keyOf(other, mergeKey)
		return otherKey !== undefined && jsonEqual(key, otherKey)
	})
}

export function partition(
	merged: readonly JsonValue[],
	patch: readonly JsonValue[],
	mergeKey: string | undefined,
): Partition {
	const isPatched = (item: JsonValue): boolean => placeOf(item, patch, mergeKey) >= 0
	return {
		patched: merged.filter(isPatched),
		serverOnly: merged.filter((item) => !isPatched(item)),
	}
}

/**
 * One list of both: patched items in the patch's order, the server's in the server's; where both
 * orders speak, the server's decides which comes first, else the patched one does.
 */
export function mergeOrders({ patched, serverOnly }: Partition, orders: Orders): readonly JsonValue[] {
	const { mergeKey } = orders
	const left = sortBy(serverOnly, orders.server, mergeKey)
	const right = sortBy(patched, orders.patch, mergeKey)
	const result: JsonValue[] = []
	let taken = 0
	for (const item of right) {
		const place = placeOf(item, orders.server, mergeKey)
		while (taken < left.length) {
			const other = placeOf(left[taken] ?? null, orders.server, mergeKey)
			if (place < 0 || other < 0 || other >= place) break
			result.push(...left.slice(taken, taken + 1))
			taken += 1
		}
		result.push(item)
	}
	return [...result, ...left.slice(taken)]
}

function sortBy(items: readonly JsonValue[], order: readonly JsonValue[], mergeKey: string | undefined) {
	const places = items.map((item) => ({ item, place: placeOf(item, order, mergeKey) }))
	return places
		.toSorted((a, b) => (a.place < 0 || b.place < 0 ? 0 : a.place - b.place))
		.map(({ item }) => item)
}
