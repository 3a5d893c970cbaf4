import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseAuthorization } from './authorization.ts'
import { clientAddress } from './client-address.ts'
import { FailureLimit, networkOf } from './failure-limit.ts'
import { SessionTokens } from './session-tokens.ts'
import { findToken, makeToken } from './token.ts'

const encode = (text: string): string => Buffer.from(text).toString('base64')

describe('parseAuthorization', () => {
	it.each([
		[undefined, { kind: 'nothing' }],
		[`Basic ${encode(':')}`, { kind: 'nothing' }],
		[`Basic ${encode('a:b:c')}`, { kind: 'basic', user: 'a', password: 'b:c' }],
		[`basic  ${encode('ä:ö')}`, { kind: 'basic', user: 'ä', password: 'ö' }],
		['BEARER a.b-c_~+/=', { kind: 'bearer', token: 'a.b-c_~+/=' }],
		[`Basic ${encode('nocolon')}`, { kind: 'invalid' }],
		['Basic', { kind: 'invalid' }],
		['Basic a b', { kind: 'invalid' }],
		['Basic =a', { kind: 'invalid' }],
		['Digest username="a"', { kind: 'invalid' }],
		['', { kind: 'invalid' }],
		[`Basic ${'A'.repeat(5000)}`, { kind: 'invalid' }],
	])('of %j', (header, shown) => {
		expect(parseAuthorization(header)).toEqual(shown)
	})

	it('takes anything, and finds what was written', () => {
		const scheme = fc.constantFrom('Basic ', 'Bearer ', 'basic  ', 'Negotiate ', '')
		fc.assert(
			fc.property(scheme, fc.oneof(fc.string(), fc.base64String()), (name, value) => {
				const shown = parseAuthorization(name + value)
				expect(['nothing', 'basic', 'bearer', 'invalid']).toContain(shown.kind)
			}),
		)
		const user = fc.string({ minLength: 1, unit: 'grapheme' }).filter((text) => !text.includes(':'))
		fc.assert(
			fc.property(user, fc.string({ unit: 'grapheme', maxLength: 100 }), (name, password) => {
				const text = `${name}:${password}`
				fc.pre(encode(text).length < 4000)
				expect(parseAuthorization(`Basic ${encode(text)}`)).toEqual({ kind: 'basic', user: name, password })
			}),
		)
	})
})

describe('tokens', () => {
	it('no other text is one', () => {
		const { text, stored } = makeToken({ name: 'a', right: 'read', now: new Date(0) })
		const tokens = new Map([[stored.id, stored]])
		expect(findToken(tokens, text, 0)).toBe(stored)
		const mutated = fc
			.tuple(fc.nat(text.length - 1), fc.constantFrom('a', 'A', '0', '_', '-', ':'))
			.map(([at, char]) => text.slice(0, at) + char + text.slice(at + 1))
		fc.assert(
			fc.property(fc.oneof(fc.string(), mutated, fc.constantFrom(`${text} `, text.slice(1), '')), (other) => {
				fc.pre(other !== text)
				expect(findToken(tokens, other, 0)).toBeUndefined()
			}),
		)
	})

	it('of a session are those of this process', () => {
		const sessions = new SessionTokens()
		const token = sessions.issue({ user: 'ada', right: 'read' }, 0)
		expect(sessions.find(token, 1)).toEqual({ user: 'ada', right: 'read' })
		expect(new SessionTokens().find(token, 1)).toBeUndefined()
		expect(sessions.find(token, sessions.lifetimeMs)).toBeUndefined()
		fc.assert(
			fc.property(fc.string(), fc.string(), (head, tail) => {
				fc.pre(`${head}.${tail}` !== token)
				expect(sessions.find(`${head}.${tail}`, 1)).toBeUndefined()
				expect(sessions.find(`${token.split('.')[0]}.${tail}`, 1)).toBeUndefined()
			}),
		)
	})
})

describe('clientAddress', () => {
	it.each([
		['10.0.0.1', '1.2.3.4', '10.0.0.1'],
		['10.0.0.9', '1.2.3.4', '1.2.3.4'],
		['::ffff:10.0.0.9', '1.2.3.4', '1.2.3.4'],
		['10.0.0.9', '6.6.6.6, 1.2.3.4', '1.2.3.4'],
		['10.0.0.9', '6.6.6.6, 1.2.3.4, 10.0.0.8', '1.2.3.4'],
		['10.0.0.9', 'nonsense', '10.0.0.9'],
		['10.0.0.9', undefined, '10.0.0.9'],
	])('of %s with %s is %s', (remoteAddress, forwarded, address) => {
		const trusted = new Set(['10.0.0.8', '10.0.0.9'])
		expect(clientAddress({ remoteAddress, headers: { 'x-forwarded-for': forwarded } }, trusted)).toBe(address)
	})
})

describe('FailureLimit', () => {
	it('counts IPv6 by networks of 64 bits', () => {
		expect(networkOf('2001:db8:1:2:3:4:5:6')).toBe(networkOf('2001:db8:1:2::1'))
		expect(networkOf('2001:db8:1:2::1')).not.toBe(networkOf('2001:db8:1:3::1'))
		expect(networkOf('fe80::1%eth0')).toBe(networkOf('fe80::2'))
		expect(networkOf('::1')).toBe('0:0:0:0')
		expect(networkOf('1.2.3.4')).toBe('1.2.3.4')
	})

	it('bounds guesses at one user from many addresses, but lets each have its first', () => {
		const limit = new FailureLimit(1)
		for (let host = 0; host < 50; host++) {
			const who = { address: `10.0.0.${host}`, user: 'ada' }
			expect(limit.wait(who, 0)).toBe(0)
			limit.failed(who, 0)
			expect(limit.wait(who, 0)).toBeGreaterThan(0)
		}
		// After a minute each could try again, were it not for all the others.
		expect(limit.wait({ address: '10.0.0.3', user: 'ada' }, 30_000)).toBeGreaterThan(30)
	})

	it('forgets the oldest when there are too many', () => {
		const limit = new FailureLimit(1)
		const first = { address: '10.0.0.1', user: 'ada' }
		limit.failed(first, 0)
		for (let user = 0; user < 30_000; user++) limit.failed({ address: '10.0.0.2', user: `u${user}` }, 0)
		expect(limit.wait(first, 0)).toBe(0)
	})
})
