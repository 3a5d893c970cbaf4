/** Numbers that look random and are the same for the same seed. */
export interface Random {
	/** From 0 to 1. */
	(): number
	/** An integer from 0, below `limit`. */
	below(limit: number): number
	/** One of these. */
	of<T>(values: readonly [T, ...T[]]): T
}

export function randomFrom(seed: number): Random {
	let state = seed >>> 0
	const next = (): number => {
		state = (state + 0x6d2b79f5) >>> 0
		let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
		mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
		return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
	}
	const below = (limit: number): number => Math.floor(next() * limit)
	return Object.assign(next, {
		below,
		of: <T>(values: readonly [T, ...T[]]): T => values[below(values.length)] ?? values[0],
	})
}

/** LADING_SEED, else another one each time. Whoever uses it says it. */
export function chosenSeed(env: NodeJS.ProcessEnv = process.env): number {
	return Number(env.LADING_SEED ?? Math.floor(Math.random() * 2 ** 32))
}
