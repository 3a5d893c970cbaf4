import { describe, expect, it } from 'vitest'
import { asLadingError, UserError } from '../errors/index.ts'
import { exitCodes } from './exit-codes.ts'
import { parseDuration } from './flags.ts'
import { routesFor } from './routes.ts'
import { nearestHelp, usageAnswer } from './usage.ts'

const idle = new AbortController().signal
const system = (code: string, path?: string, syscall = 'mkdir'): Error =>
	Object.assign(new Error(`${code}: refused`), {
		code,
		syscall,
		...(path !== undefined && { path }),
	})

describe('any thrown value', () => {
	it.each([
		['a full disk', system('ENOSPC'), 9, 'no space'],
		['a quota', system('EDQUOT', '/data'), 9, '/data'],
		['a path that cannot be', system('ENOENT', '/proc/x'), 9, '/proc/x'],
		['a forbidden path', system('EACCES', '/srv/x'), 9, '/srv/x'],
		['a directory that may not be read', system('EACCES', '/srv/x', 'scandir'), 3, 'cannot read /srv/x'],
		['a path that may not be looked at', system('EACCES', '/srv/x', 'stat'), 3, 'cannot read /srv/x'],
		['a file that may not be opened', system('EACCES', '/srv/x', 'open'), 9, 'refuses /srv/x'],
		['a fault of ours', new TypeError('x is undefined'), 70, 'bug'],
		['no error at all', 'text', 70, 'text'],
		['one of ours', new UserError('NOT_FOUND', 'no tag'), 7, 'no tag'],
	])('%s has an exit code and a message', (_, thrown, code, message) => {
		const error = asLadingError(thrown, idle)
		expect(exitCodes[error.kind]).toBe(code)
		expect(error.message).toContain(message)
	})

	it('is an interrupt once the user gave up, but not a fault of ours', () => {
		const aborted = AbortSignal.abort()
		expect(asLadingError(new Error('aborted'), aborted).code).toBe('INTERRUPTED')
		expect(asLadingError(new UserError('INTERNAL', 'x'), aborted).code).toBe('INTERNAL')
	})
})

describe('wrong usage', () => {
	it('of a command needs that command alone, of none all of them', () => {
		const names = (word?: string): readonly string[] =>
			routesFor(word)
				.getAllEntries()
				.map(({ name }) => name.original)
		expect(names('push')).toEqual(['push'])
		expect(names('pish')).toEqual(names())
		expect(names('constructor')).toEqual(names())
		expect(names()).toContain('completion')
	})

	it.each([
		[['push', 'a'], 'lading push --help'],
		[['registry', 'pu'], 'lading registry --help'],
		[['registry', 'up', '--port'], 'lading registry up --help'],
		[['pish'], 'lading --help'],
		[[], 'lading --help'],
	])('%j is helped by %s', (args, help) => {
		const typed = { args, routes: routesFor(args[0]), program: 'lading' } as const
		expect(nearestHelp(typed)).toBe(help)
		expect(nearestHelp({ ...typed, program: 'npx lading' })).toBe(`npx ${help}`)
		expect(JSON.parse(usageAnswer('no', typed).document)).toEqual({
			version: 1,
			error: { code: 'USAGE', message: 'no', hint: help },
		})
	})
})

describe('durations', () => {
	it.each([
		['90s', 90_000],
		['1.5m', 90_000],
		['1h', 3_600_000],
		['250ms', 250],
	])('%s', (text, ms) => {
		expect(parseDuration(text)).toBe(ms)
	})
	it.each(['', '5', 's', '-1s', '1w', '1 s', '1e3s'])('%j is none', (text) => {
		expect(() => parseDuration(text)).toThrow('is not a duration')
	})
})
