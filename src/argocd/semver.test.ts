import { describe, expect, it } from 'vitest'
import { compareVersions, isRange, parseConstraint, parseVersion, satisfies } from './semver.ts'

const matches = (constraint: string, version: string): boolean | undefined => {
	const parsed = [parseConstraint(constraint), parseVersion(version)] as const
	return parsed[0] && parsed[1] && satisfies(parsed[1], parsed[0])
}

describe('parseVersion', () => {
	it.each(['1', 'v1.2', '01.2.3', '20240102', '1.2.3-rc.1+b', '1.2.3+b.7'])('reads %s', (text) => {
		expect(parseVersion(text)?.original).toBe(text)
	})

	it.each([
		'',
		'x',
		'V1',
		'1.2.3.4',
		'1.2-01',
		'1.2.3_b',
		'1..2',
		'18446744073709551616',
		`1.${'0'.repeat(300)}`,
	])('does not read %s', (text) => {
		expect(parseVersion(text)).toBeUndefined()
	})
})

describe('compareVersions', () => {
	it('orders as SemVer 2.0 §11 does', () => {
		const order = [
			'1.0.0-alpha',
			'1.0.0-alpha.1',
			'1.0.0-alpha.beta',
			'1.0.0-beta',
			'1.0.0-beta.2',
			'1.0.0-beta.11',
			'1.0.0-rc.1',
			'1.0.0',
			'1.0.1',
		]
		const versions = order.map((text) => parseVersion(text)).filter((version) => version !== undefined)
		expect(
			versions
				.toReversed()
				.toSorted(compareVersions)
				.map(({ original }) => original),
		).toEqual(order)
	})
})

describe('satisfies', () => {
	// Each row was answered alike by Masterminds/semver v3.4.0.
	it.each([
		['1.2', '1.2.9', true],
		['=1.2', '1.3.0', false],
		['>11', '11.1.0', false],
		['>11', '12.0.0', true],
		['>11.1', '11.1.1', false],
		['<=11', '11.9.0', true],
		['<=11.1', '11.2.0', false],
		['!=1.2', '1.2.5', false],
		['!=1', '1.9.0', false],
		['~1', '1.9.0', true],
		['~1.2', '1.3.0', false],
		['~>1.2.3', '1.2.9', true],
		['^0.2.3', '0.2.9', true],
		['^0.2.3', '0.3.0', false],
		['^0.0.3', '0.0.4', false],
		['^0', '0.9.0', true],
		['^*', '1.0.0', false],
		['*', '1.0.0-rc.1', false],
		['*-0', '1.0.0-rc.1', true],
		['>=1.0.0-0', '2.0.0-rc.1', true],
		['>=1, <2 || 3.x', '3.4.5', true],
		['1.2 - 2.3', '2.3.9', true],
		['1.2.0 - 2.3.0', '2.3.9', false],
		['=>1 =<2', '1.5.0', true],
	])('%s on %s: %s', (constraint, version, expected) => {
		expect(matches(constraint, version)).toBe(expected)
	})
})

describe('isRange', () => {
	it.each([
		['^1', true],
		['x', true],
		['1.x', true],
		['1.2', false],
		['latest', false],
		['main', false],
		['', false],
		['>=1 <', false],
	])('%s: %s', (text, expected) => {
		expect(isRange(text)).toBe(expected)
	})

	it('is not slowed down by a hostile text', () => {
		expect(isRange(`${'1 , '.repeat(60)}!`)).toBe(false)
		expect(isRange(`1${'  1'.repeat(80)}!`)).toBe(false)
		expect(isRange(`1${' '.repeat(250)}!`)).toBe(false)
	})
})
