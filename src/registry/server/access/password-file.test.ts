import { expect, it } from 'vitest'
import { decoyHash } from './password-file.ts'

const hashOf = (cost: string): string => `$2b$${cost}$${'x'.repeat(53)}`

it('compares a name that is not there with a hash as expensive as one of those that are', () => {
	const users = new Map([
		['ada', hashOf('05')],
		['bob', hashOf('12')],
	])
	const costs = new Set([0, 1, 2, 3].map((pick) => decoyHash(users, pick).slice(0, 7)))
	expect(costs).toEqual(new Set(['$2b$05$', '$2b$12$']))
	expect(decoyHash(users, 4)).toBe(decoyHash(users, 4))
	expect(decoyHash(new Map(), 1)).toMatch(/^\$2b\$10\$[./A-Za-z0-9]{53}$/)
})
