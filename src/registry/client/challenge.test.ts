import { array, assert, constantFrom, property, string } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseChallenges } from './challenge.ts'

describe('parseChallenges', () => {
	it('reads commas and escapes inside quotes, and bare values', () => {
		const header =
			'Bearer realm="https://auth.test/token?a=1,2",service=registry.test , scope="repository:a/b:pull,push", error="say \\"no\\""'
		expect(parseChallenges(header)).toEqual([
			{
				scheme: 'bearer',
				parameters: {
					realm: 'https://auth.test/token?a=1,2',
					service: 'registry.test',
					scope: 'repository:a/b:pull,push',
					error: 'say "no"',
				},
			},
		])
	})

	it('reads several challenges in one header', () => {
		const challenges = parseChallenges('Negotiate, BASIC realm="x", Bearer Realm = "https://a.test"')
		expect(challenges.map(({ scheme, parameters }) => [scheme, parameters['realm']])).toEqual([
			['negotiate', undefined],
			['basic', 'x'],
			['bearer', 'https://a.test'],
		])
	})

	it('takes anything', () => {
		const pieces = constantFrom('Bearer', 'Basic', ' ', ',', '=', '"', '\\', 'realm', 'https://a', '\u0000')
		const check = (header: string): void => {
			for (const { scheme } of parseChallenges(header)) expect(scheme).not.toBe('')
		}
		assert(property(string(), check))
		assert(property(array(pieces), (parts) => check(parts.join(''))))
	})
})
