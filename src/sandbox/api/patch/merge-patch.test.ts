import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { JsonValue } from '../../../schema/index.ts'
import { applyMergePatch } from './merge-patch.ts'

/** The table of RFC 7386, appendix A. */
const cases: readonly (readonly [JsonValue, JsonValue, JsonValue])[] = [
	[{ a: 'b' }, { a: 'c' }, { a: 'c' }],
	[{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
	[{ a: 'b' }, { a: null }, {}],
	[{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
	[{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
	[{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
	[{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
	[{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
	[
		['a', 'b'],
		['c', 'd'],
		['c', 'd'],
	],
	[{ a: 'b' }, ['c'], ['c']],
	[{ a: 'foo' }, null, null],
	[{ a: 'foo' }, 'bar', 'bar'],
	[{ e: null }, { a: 1 }, { e: null, a: 1 }],
	[[1, 2], { a: 'b', c: null }, { a: 'b' }],
	[{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
]

const json = fc.jsonValue({ maxDepth: 4, depthSize: 'small' }) as fc.Arbitrary<JsonValue>

describe('applyMergePatch', () => {
	it.each(cases)('%j with %j is %j', (object, patch, expected) => {
		expect(applyMergePatch(object, patch)).toEqual(expected)
	})

	it('leaves no null of the patch, keeps what the patch does not name, and is idempotent', () => {
		fc.assert(
			fc.property(fc.dictionary(fc.string(), json), fc.dictionary(fc.string(), json), (object, patch) => {
				const merged = applyMergePatch(object, patch) as Record<string, JsonValue>
				for (const [key, value] of Object.entries(patch)) {
					expect(Object.hasOwn(merged, key)).toBe(value !== null)
				}
				for (const [key, value] of Object.entries(object)) {
					const kept = Object.getOwnPropertyDescriptor(merged, key)?.value as JsonValue
					expect(Object.hasOwn(patch, key) || kept === value).toBe(true)
				}
				expect(
					Object.keys(merged).every((key) => Object.hasOwn(object, key) || Object.hasOwn(patch, key)),
				).toBe(true)
				expect(applyMergePatch(merged, patch)).toEqual(merged)
			}),
		)
	})

	it('treats __proto__ as a key like any other', () => {
		const merged = applyMergePatch({}, JSON.parse('{"__proto__":{"polluted":true}}') as JsonValue)
		expect(JSON.stringify(merged)).toBe('{"__proto__":{"polluted":true}}')
		expect(Object.getPrototypeOf(merged)).toBe(Object.prototype)
	})
})
