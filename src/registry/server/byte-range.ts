import type { ByteRange } from './storage.ts'

const MAX_DIGITS = 15

/**
 * The header `Range` for content of `size` bytes. More than one range, other units
 * and what is no range at all count as no header, as RFC 9110 §14.2 lets them.
 */
export function parseRange(
	header: string | undefined,
	size: number,
): ByteRange | 'unsatisfiable' | undefined {
	if (header === undefined) return undefined
	const match = /^bytes=(\d*)-(\d*)$/.exec(header.trim())
	if (!match) return undefined
	const [, first = '', last = ''] = match
	if ((first === '' && last === '') || first.length > MAX_DIGITS || last.length > MAX_DIGITS)
		return 'unsatisfiable'
	if (first === '') {
		const length = Math.min(Number(last), size)
		return length === 0 ? 'unsatisfiable' : { start: size - length, end: size - 1 }
	}
	const start = Number(first)
	const end = last === '' ? size - 1 : Math.min(Number(last), size - 1)
	return start >= size || end < start ? 'unsatisfiable' : { start, end }
}

/** `Content-Range` of an upload, which has no unit: `0-99`. `undefined` when it is no range. */
export function parseContentRange(header: string): ByteRange | undefined {
	const match = /^(?:bytes[ =])?(\d{1,15})-(\d{1,15})$/.exec(header.trim())
	if (!match) return undefined
	const range = { start: Number(match[1]), end: Number(match[2]) }
	return range.end < range.start ? undefined : range
}
