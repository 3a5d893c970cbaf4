const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'] as const

/** `1 artifact`, `2 artifacts`, `3 repositories`. */
export function countOf(count: number, noun: string): string {
	if (count === 1) return `1 ${noun}`
	return `${count} ${noun.endsWith('y') ? `${noun.slice(0, -1)}ies` : `${noun}s`}`
}

/** A number of bytes as people read it, in powers of 1000. */
export function formatBytes(bytes: number): string {
	let value = bytes
	let unit = 0
	while (value >= 1000 && unit < UNITS.length - 1) {
		value /= 1000
		unit++
	}
	return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit]}`
}
