/**
 * The time since `from` in the two largest units, as kubectl shows ages: `95s`,
 * `5m30s`, `3h`, `2d4h`. `<unknown>` for what is no time.
 */
export function ageOf(from: string | undefined, now: Date): string {
	const then = from === undefined ? Number.NaN : Date.parse(from)
	return Number.isNaN(then) ? '<unknown>' : humanDuration(now.getTime() - then)
}

export function humanDuration(milliseconds: number): string {
	const seconds = Math.max(0, Math.floor(milliseconds / 1000))
	if (seconds < 120) return `${seconds}s`
	const minutes = Math.floor(seconds / 60)
	if (minutes < 10) return two(minutes, 'm', { rest: seconds % 60, unit: 's' })
	if (minutes < 180) return `${minutes}m`
	const hours = Math.floor(minutes / 60)
	if (hours < 8) return two(hours, 'h', { rest: minutes % 60, unit: 'm' })
	if (hours < 48) return `${hours}h`
	const days = Math.floor(hours / 24)
	if (days < 8) return two(days, 'd', { rest: hours % 24, unit: 'h' })
	if (days < 730) return `${days}d`
	const years = Math.floor(days / 365)
	if (years < 8) return two(years, 'y', { rest: days % 365, unit: 'd' })
	return `${years}y`
}

function two(count: number, unit: string, next: { readonly rest: number; readonly unit: string }): string {
	return next.rest === 0 ? `${count}${unit}` : `${count}${unit}${next.rest}${next.unit}`
}
