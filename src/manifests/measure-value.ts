export type MeasureProblem = 'cycle' | 'depth' | 'size'

/**
 * Whether a value stays within bounds when everything it shares (aliases) is written
 * out. Values that are shared are measured once, so this takes time in proportion to
 * the value as it is in memory.
 */
export function measureValue(
	value: unknown,
	limits: { readonly maxDepth: number; readonly maxSize: number },
): MeasureProblem | undefined {
	/** Size and height of what has been measured; `undefined` while it is being measured. */
	const known = new Map<object, { readonly size: number; readonly height: number } | undefined>()
	let problem: MeasureProblem | undefined

	const measure = (node: unknown, depth: number): { readonly size: number; readonly height: number } => {
		if (typeof node === 'string') return { size: node.length + 1, height: 0 }
		if (typeof node !== 'object' || node === null) return { size: 1, height: 0 }
		if (depth > limits.maxDepth) problem ??= 'depth'
		if (known.has(node)) {
			const before = known.get(node)
			if (before === undefined) problem ??= 'cycle'
			else if (depth + before.height > limits.maxDepth) problem ??= 'depth'
			return before ?? { size: 0, height: 0 }
		}
		if (problem !== undefined) return { size: 0, height: 0 }
		known.set(node, undefined)
		let size = 1
		let height = 0
		const children = Array.isArray(node) ? node : Object.values(node)
		if (!Array.isArray(node)) for (const key of Object.keys(node)) size += key.length
		for (const child of children) {
			const measured = measure(child, depth + 1)
			size += measured.size
			height = Math.max(height, measured.height + 1)
			if (size > limits.maxSize) problem ??= 'size'
			if (problem !== undefined) break
		}
		const result = { size, height }
		known.set(node, result)
		return result
	}

	measure(value, 0)
	return problem
}
