import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { isSmallJson } from './json-size.ts'

it('never calls JSON small that is not', () => {
	fc.assert(
		fc.property(fc.jsonValue(), fc.nat(2000), (value, limit) => {
			expect(isSmallJson(value, limit) && Buffer.byteLength(JSON.stringify(value)) > limit).toBe(false)
		}),
	)
})

it('calls an ordinary object small', () => {
	expect(isSmallJson({ metadata: { name: 'a', labels: { b: 'c' } }, list: [1, true, null] }, 1000)).toBe(true)
	expect(isSmallJson({ text: 'x'.repeat(1000) }, 1000)).toBe(false)
})
