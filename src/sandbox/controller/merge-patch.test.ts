import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { mergePatchBetween } from './merge-patch.ts'
import { isFields, sameJson } from './object-fields.ts'

function apply(target: unknown, patch: unknown): unknown {
	if (!isFields(patch)) return patch
	const result: Record<string, unknown> = isFields(target) ? { ...target } : {}
	for (const [key, value] of Object.entries(patch)) {
		if (value === null) delete result[key]
		else result[key] = apply(result[key], value)
	}
	return result
}

const json = fc.letrec((tie) => ({
	value: fc.oneof(
		{ maxDepth: 3 },
		fc.string(),
		fc.integer(),
		fc.boolean(),
		fc.array(fc.integer(), { maxLength: 3 }),
		tie('object'),
	),
	object: fc.dictionary(fc.constantFrom('a', 'b', 'c'), tie('value'), { maxKeys: 3 }),
}))

describe('mergePatchBetween', () => {
	it('turns the one into the other, and is nothing for equal ones', () => {
		fc.assert(
			fc.property(json.object, json.object, (from, to) => {
				const patch = mergePatchBetween(from, to)
				expect(sameJson(apply(from, patch ?? {}), to)).toBe(true)
				expect(mergePatchBetween(to, to)).toBeUndefined()
			}),
		)
	})
})
