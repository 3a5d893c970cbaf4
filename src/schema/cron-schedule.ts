/** When a CronJob is due, as sets of the numbers that match. */
export interface CronSchedule {
	readonly minutes: ReadonlySet<number>
	readonly hours: ReadonlySet<number>
	readonly days: ReadonlySet<number>
	readonly months: ReadonlySet<number>
	readonly weekdays: ReadonlySet<number>
	/** With both restricted, a day that matches either of them is due, as in cron. */
	readonly anyDay: boolean
	readonly anyWeekday: boolean
}

const NICKNAMES: ReadonlyMap<string, string> = new Map([
	['@yearly', '0 0 1 1 *'],
	['@annually', '0 0 1 1 *'],
	['@monthly', '0 0 1 * *'],
	['@weekly', '0 0 * * 0'],
	['@daily', '0 0 * * *'],
	['@midnight', '0 0 * * *'],
	['@hourly', '0 * * * *'],
])
const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const WEEKDAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']

const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE
/** A leap day is at most eight years away. */
const HORIZON_DAYS = 8 * 366

/**
 * The five fields of cron or one of its nicknames; `undefined` for what is none. Sunday is 0, and not 7 as in other crons.
 * @see https://github.com/robfig/cron/blob/v3.0.1/parser.go, which Kubernetes uses
 */
export function parseCron(text: string): CronSchedule | undefined {
	const [minute, hour, day, month, weekday, ...more] = (NICKNAMES.get(text.trim()) ?? text).trim().split(/\s+/)
	if (weekday === undefined || more.length > 0) return undefined
	const minutes = parseField(minute, { from: 0, to: 59 })
	const hours = parseField(hour, { from: 0, to: 23 })
	const days = parseField(day, { from: 1, to: 31 })
	const months = parseField(month, { from: 1, to: 12, names: MONTHS })
	const weekdays = parseField(weekday, { from: 0, to: 6, names: WEEKDAYS })
	if (!minutes || !hours || !days || !months || !weekdays) return undefined
	const isAny = (field: string | undefined): boolean => field !== undefined && /^[*?]/.test(field)
	return {
		minutes,
		hours,
		days,
		months,
		weekdays,
		anyDay: isAny(day),
		anyWeekday: isAny(weekday),
	}
}

interface Bounds {
	readonly from: number
	readonly to: number
	readonly names?: readonly string[]
}

function parseField(field: string | undefined, bounds: Bounds): ReadonlySet<number> | undefined {
	const numbers = new Set<number>()
	for (const part of (field ?? '').toLowerCase().split(',')) {
		const [, first = '', last, step] = /^([*?]|[a-z0-9]+)(?:-([a-z0-9]+))?(?:\/([1-9]\d*))?$/.exec(part) ?? []
		const any = first === '*' || first === '?'
		const from = any ? bounds.from : numberOf(first, bounds)
		const open = any || (last === undefined && step !== undefined)
		const to = open ? bounds.to : last === undefined ? from : numberOf(last, bounds)
		if (from === undefined || to === undefined || from < bounds.from || to > bounds.to || from > to)
			return undefined
		for (let number = from; number <= to; number += Number(step ?? 1)) numbers.add(number)
	}
	return numbers
}

function numberOf(text: string, { from, names = [] }: Bounds): number | undefined {
	const named = names.indexOf(text)
	if (named !== -1) return named + from
	return /^\d+$/.test(text) ? Number(text) : undefined
}

/** The first minute that is due after `time`, both in milliseconds since the epoch; `undefined` for never. */
export function nextDue(
	schedule: CronSchedule,
	time: number,
	{ timeZone }: { readonly timeZone?: string | undefined } = {},
): number | undefined {
	const offset = offsetOf(time, timeZone)
	const start = Math.floor((time + offset) / MINUTE) * MINUTE + MINUTE
	for (let day = 0; day < HORIZON_DAYS; day++) {
		const midnight = Math.floor(start / DAY) * DAY + day * DAY
		if (!isDueDay(schedule, new Date(midnight))) continue
		for (const hour of sorted(schedule.hours)) {
			for (const minute of sorted(schedule.minutes)) {
				const due = midnight + (hour * 60 + minute) * MINUTE
				if (due >= start) return due - offset
			}
		}
	}
	return undefined
}

function isDueDay(schedule: CronSchedule, date: Date): boolean {
	if (!schedule.months.has(date.getUTCMonth() + 1)) return false
	const day = schedule.days.has(date.getUTCDate())
	const weekday = schedule.weekdays.has(date.getUTCDay())
	return schedule.anyDay || schedule.anyWeekday ? day && weekday : day || weekday
}

function sorted(numbers: ReadonlySet<number>): readonly number[] {
	return [...numbers].sort((a, b) => a - b)
}

/** How far the clocks of a zone are ahead of UTC at a moment, in milliseconds; an unknown zone is UTC. */
function offsetOf(time: number, timeZone: string | undefined): number {
	if (timeZone === undefined || timeZone === '') return 0
	try {
		const shown = new Date(time).toLocaleString('en-US', { timeZone, hourCycle: 'h23' })
		return Date.parse(`${shown} UTC`) - Math.floor(time / 1000) * 1000
	} catch {
		return 0
	}
}
