/** Names that differ by more than this are not meant. */
const MAX_DISTANCE = 3
/** Names that are longer are not compared: the time to do so grows with the square of their length. */
const MAX_LENGTH = 256

/**
 * The name that was meant by one that is not known: the same but for case, or with few letters
 * wrong, missing, too many or swapped. `undefined` where none is near.
 */
export function nearestName(name: string, known: readonly string[]): string | undefined {
	const lower = name.toLowerCase()
	const limit = Math.min(MAX_DISTANCE, Math.floor(name.length / 3) || 1)
	if (name.length > MAX_LENGTH) return undefined
	let nearest: string | undefined
	let least = limit + 1
	for (const each of known) {
		const distance = distanceBetween(lower, each.toLowerCase(), least)
		if (distance >= least) continue
		least = distance
		nearest = each
	}
	return nearest
}

/** Damerau's distance of two texts, or `limit` where it is not less. */
function distanceBetween(left: string, right: string, limit: number): number {
	if (Math.abs(left.length - right.length) >= limit) return limit
	let before: number[] = []
	let above = Array.from({ length: right.length + 1 }, (_, index) => index)
	for (let i = 1; i <= left.length; i++) {
		const row = [i]
		for (let j = 1; j <= right.length; j++) {
			const cost = left[i - 1] === right[j - 1] ? 0 : 1
			let least = Math.min((above[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (above[j - 1] ?? 0) + cost)
			const isSwap = i > 1 && j > 1 && left[i - 1] === right[j - 2] && left[i - 2] === right[j - 1]
			if (isSwap) least = Math.min(least, (before[j - 2] ?? 0) + 1)
			row.push(least)
		}
		before = above
		above = row
	}
	return Math.min(above[right.length] ?? limit, limit)
}
