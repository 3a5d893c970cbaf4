/** A number, or a percentage of `of`, as `maxSurge` and `minAvailable` take it. */
export function amountOf(value: unknown, { of, up }: { readonly of: number; readonly up: boolean }): number {
	if (typeof value === 'number') return value
	const exact = (Number.parseFloat(typeof value === 'string' ? value : '') * of) / 100
	if (Number.isNaN(exact)) return 0
	return up ? Math.ceil(exact) : Math.floor(exact)
}
