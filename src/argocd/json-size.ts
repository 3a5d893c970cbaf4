/** Most bytes that JSON makes of one UTF-16 unit: an escape such as `\u0007`. */
const BYTES_PER_UNIT = 6
/** Most bytes of a number, and of `true`, `false` and `null`. */
const BYTES_PER_SCALAR = 25

/**
 * Whether a value as JSON surely has at most `limit` bytes: several times as fast as
 * writing it, and never wrongly true.
 */
export function isSmallJson(value: unknown, limit: number): boolean {
	return spend(value, limit) >= 0
}

/** What is left of a budget after a value; negative as soon as it is used up. */
function spend(value: unknown, budget: number): number {
	if (typeof value === 'string') return budget - value.length * BYTES_PER_UNIT - 3
	if (typeof value !== 'object' || value === null) return budget - BYTES_PER_SCALAR
	let rest = budget - 3
	if (Array.isArray(value)) {
		for (let index = 0; index < value.length && rest >= 0; index++) rest = spend(value[index], rest)
		return rest
	}
	for (const key in value) {
		if (rest < 0) return rest
		rest = spend((value as Readonly<Record<string, unknown>>)[key], rest - key.length * BYTES_PER_UNIT - 4)
	}
	return rest
}
