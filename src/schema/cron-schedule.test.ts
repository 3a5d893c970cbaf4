import { describe, expect, it } from 'vitest'
import { nextDue, parseCron } from './cron-schedule.ts'

function next(schedule: string, after: string, timeZone?: string): string | undefined {
	const parsed = parseCron(schedule)
	if (parsed === undefined) return 'no schedule'
	const due = nextDue(parsed, Date.parse(after), { timeZone })
	return due === undefined ? undefined : new Date(due).toISOString()
}

describe('nextDue', () => {
	it.each([
		['* * * * *', '2026-01-01T00:00:30Z', '2026-01-01T00:01:00.000Z'],
		['* * * * *', '2026-01-01T00:00:00Z', '2026-01-01T00:01:00.000Z'],
		['*/15 * * * *', '2026-01-01T00:16:00Z', '2026-01-01T00:30:00.000Z'],
		['5/20 * * * *', '2026-01-01T00:26:00Z', '2026-01-01T00:45:00.000Z'],
		['0 9-17/4 * * mon-fri', '2026-01-02T18:00:00Z', '2026-01-05T09:00:00.000Z'],
		['30 2 1 jan,JUL *', '2026-01-02T00:00:00Z', '2026-07-01T02:30:00.000Z'],
		['0 0 29 2 *', '2026-01-01T00:00:00Z', '2028-02-29T00:00:00.000Z'],
		['0 0 13 * 5', '2026-01-01T00:00:00Z', '2026-01-02T00:00:00.000Z'],
		['0 0 * * 0', '2026-01-01T00:00:00Z', '2026-01-04T00:00:00.000Z'],
		['@hourly', '2026-01-01T00:59:59Z', '2026-01-01T01:00:00.000Z'],
		['0 0 31 2 *', '2026-01-01T00:00:00Z', undefined],
	])('%s after %s', (schedule, after, due) => {
		expect(next(schedule, after)).toBe(due)
	})

	it('counts in the time zone', () => {
		expect(next('0 9 * * *', '2026-01-01T00:00:00Z', 'Asia/Tokyo')).toBe('2026-01-02T00:00:00.000Z')
		expect(next('0 9 * * *', '2026-07-01T00:00:00Z', 'Europe/Berlin')).toBe('2026-07-01T07:00:00.000Z')
	})

	it.each([
		'',
		'* * * *',
		'* * * * * *',
		'60 * * * *',
		'5-1 * * * *',
		'*/0 * * * *',
		'x * * * *',
		'0 0 * * 7',
		'@never',
		'constructor',
	])('%j is no schedule', (schedule) => {
		expect(parseCron(schedule)).toBeUndefined()
	})
})
