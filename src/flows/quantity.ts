/** Powers of ten, and of two, by their suffix. */
const DECIMAL: Readonly<Record<string, number>> = {
	n: -9,
	u: -6,
	m: -3,
	'': 0,
	k: 3,
	M: 6,
	G: 9,
	T: 12,
	P: 15,
	E: 18,
}
const BINARY: Readonly<Record<string, bigint>> = { Ki: 10n, Mi: 20n, Gi: 30n, Ti: 40n, Pi: 50n, Ei: 60n }

const QUANTITY = /^([+-]?)(\d{1,30})?(?:\.(\d{0,30}))?(?:([numkMGTPE]|[KMGTPE]i)|[eE]([+-]?\d{1,2}))?$/

/** Smallest part that Kubernetes keeps: nano. */
const SCALE = 9

/**
 * Whether two quantities are the same amount: `1` and `1000m`, `1Gi` and `1024Mi`.
 * @see https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
 */
export function isSameQuantity(left: unknown, right: unknown): boolean {
	const [a, b] = [nanos(left), nanos(right)]
	return a !== undefined && a === b
}

function nanos(value: unknown): bigint | undefined {
	if (typeof value !== 'string' && typeof value !== 'number') return undefined
	const match = QUANTITY.exec(String(value))
	if (match === null) return undefined
	const [, sign, whole = '', fraction = '', suffix = '', exponent] = match
	if (whole === '' && fraction === '') return undefined
	const shift = BINARY[suffix]
	const power = SCALE - fraction.length + (exponent === undefined ? (DECIMAL[suffix] ?? 0) : Number(exponent))
	const digits = BigInt(`${whole}${fraction}`) << (shift ?? 0n)
	const amount = power >= 0 ? digits * 10n ** BigInt(power) : roundedUp(digits, 10n ** BigInt(-power))
	return sign === '-' ? -amount : amount
}

function roundedUp(amount: bigint, by: bigint): bigint {
	return (amount + by - 1n) / by
}
