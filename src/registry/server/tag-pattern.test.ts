import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { matchesGlob, parseTagPattern } from './tag-pattern.ts'

describe('a pattern of tags', () => {
	it.each([
		['v*', 'app', 'v1.0.0', true],
		['v*', 'app', 'latest', false],
		['*', 'team/app', 'x', true],
		['v?', 'app', 'v1', true],
		['v?', 'app', 'v', false],
		['v.', 'app', 'vx', false],
		['semver', 'app', 'v1.2.3', true],
		['semver', 'app', '1.2.3-rc.1_build.5', true],
		['semver', 'app', '1.2', false],
		['semver', 'app', '01.2.3', false],
		['semver', 'app', 'semver', false],
		['team/*:semver', 'team/a/b', '1.0.0', true],
		['team/*:semver', 'other', '1.0.0', false],
		['app:v*', 'app', 'v1', true],
		['app:v*', 'app2', 'v1', false],
	])('%s and %s:%s', (pattern, repository, tag, expected) => {
		expect(parseTagPattern(pattern)(repository, tag)).toBe(expected)
	})

	it.each(['', 'a:b:c', 'v[0-9]', 'a b', '^v.*$', ':v1', 'app:'])('%j is none', (text) => {
		expect(() => parseTagPattern(text)).toThrow(expect.objectContaining({ code: 'USAGE' }))
	})

	it('matches as the regular expression of the same meaning does', () => {
		const word = fc.string({ unit: fc.constantFrom('a', 'b', '/'), maxLength: 8 })
		const glob = fc.string({ unit: fc.constantFrom('a', 'b', '/', '*', '?'), maxLength: 8 })
		fc.assert(
			fc.property(glob, word, (pattern, text) => {
				const regexp = new RegExp(`^${pattern.replaceAll('*', '.*').replaceAll('?', '.')}$`)
				expect(matchesGlob(pattern, text)).toBe(regexp.test(text))
			}),
			{ numRuns: 2000 },
		)
	})
})
