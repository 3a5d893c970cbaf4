export interface LineChange {
	readonly kind: ' ' | '-' | '+'
	readonly text: string
}

export interface Hunk {
	/** First line of each side, from 1; 0 for a side without lines. */
	readonly before: { readonly start: number; readonly count: number }
	readonly after: { readonly start: number; readonly count: number }
	readonly lines: readonly LineChange[]
}

/** Steps that are taken to find the shortest difference; past them, all that is between is another text. */
const MAX_EDITS = 2000

/**
 * The difference of two texts, line by line.
 * @see E. Myers, An O(ND) Difference Algorithm and Its Variations, 1986
 */
export function diffLines(before: readonly string[], after: readonly string[]): readonly LineChange[] {
	let start = 0
	while (start < before.length && start < after.length && before[start] === after[start]) start++
	let end = 0
	while (
		end < before.length - start &&
		end < after.length - start &&
		before[before.length - 1 - end] === after[after.length - 1 - end]
	)
		end++
	const same = (lines: readonly string[]): LineChange[] => lines.map((text) => ({ kind: ' ', text }))
	return [
		...same(before.slice(0, start)),
		...diffMiddle(before.slice(start, before.length - end), after.slice(start, after.length - end)),
		...same(before.slice(before.length - end)),
	]
}

function diffMiddle(before: readonly string[], after: readonly string[]): readonly LineChange[] {
	const trace: Map<number, number>[] = []
	let reach = new Map<number, number>([[1, 0]])
	for (let edits = 0; edits <= Math.min(before.length + after.length, MAX_EDITS); edits++) {
		trace.push(new Map(reach))
		for (let diagonal = -edits; diagonal <= edits; diagonal += 2) {
			const down = reach.get(diagonal + 1) ?? -1
			const right = reach.get(diagonal - 1) ?? -1
			let x = diagonal === -edits || (diagonal !== edits && right < down) ? down : right + 1
			while (x < before.length && x - diagonal < after.length && before[x] === after[x - diagonal]) x++
			reach.set(diagonal, x)
			if (x >= before.length && x - diagonal >= after.length) return walkBack(trace, before, after)
		}
		reach = new Map(reach)
	}
	return [
		...before.map((text): LineChange => ({ kind: '-', text })),
		...after.map((text): LineChange => ({ kind: '+', text })),
	]
}

function walkBack(
	trace: readonly ReadonlyMap<number, number>[],
	before: readonly string[],
	after: readonly string[],
): readonly LineChange[] {
	const changes: LineChange[] = []
	let x = before.length
	let y = after.length
	for (let edits = trace.length - 1; edits >= 0; edits--) {
		const reach = trace[edits]
		const diagonal = x - y
		const down = reach?.get(diagonal + 1) ?? -1
		const right = reach?.get(diagonal - 1) ?? -1
		const isDown = diagonal === -edits || (diagonal !== edits && right < down)
		const fromX = edits === 0 ? 0 : isDown ? down : right
		const fromY = edits === 0 ? 0 : fromX - (isDown ? diagonal + 1 : diagonal - 1)
		while (x > fromX && y > fromY) {
			changes.push({ kind: ' ', text: before[--x] ?? '' })
			y--
		}
		if (edits === 0) break
		if (isDown) changes.push({ kind: '+', text: after[--y] ?? '' })
		else changes.push({ kind: '-', text: before[--x] ?? '' })
	}
	return changes.toReversed()
}

/** The changed parts of a difference, each with so many lines of what is the same around it. */
export function hunksOf(changes: readonly LineChange[], context: number): readonly Hunk[] {
	const shown = changes.map(({ kind }) => kind !== ' ')
	const near = shown.map((_, index) =>
		shown.slice(Math.max(0, index - context), index + context + 1).includes(true),
	)
	const hunks: Hunk[] = []
	let before = 0
	let after = 0
	let open: { before: number; after: number; lines: LineChange[] } | undefined
	const close = (): void => {
		if (open === undefined) return
		const countOf = (other: string): number => open?.lines.filter(({ kind }) => kind !== other).length ?? 0
		const side = (start: number, count: number) => ({ start: count === 0 ? start : start + 1, count })
		hunks.push({
			before: side(open.before, countOf('+')),
			after: side(open.after, countOf('-')),
			lines: open.lines,
		})
		open = undefined
	}
	for (const [index, change] of changes.entries()) {
		if (near[index] === true) (open ??= { before, after, lines: [] }).lines.push(change)
		else close()
		if (change.kind !== '+') before++
		if (change.kind !== '-') after++
	}
	close()
	return hunks
}
