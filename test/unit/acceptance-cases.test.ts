import { describe, expect, it } from 'vitest'
import { acceptanceRules } from '../../src/argocd/index.ts'
import { cases } from '../real/acceptance/cases/index.ts'

describe('the cases that the real Argo CD judges', () => {
	it('are one at least that keeps, and one that breaks, each rule', () => {
		const keeps = new Set(cases.flatMap((each) => each.keeps ?? []))
		const breaks = new Set(
			cases.flatMap((each) => [...(each.breaks ?? []), ...Object.keys(each.breaksIn ?? {})]),
		)
		const lacking = acceptanceRules.flatMap(({ code }) => [
			...(keeps.has(code) ? [] : [`${code}: kept`]),
			...(breaks.has(code) ? [] : [`${code}: broken`]),
		])
		expect(lacking).toEqual([])
		const known = new Set(acceptanceRules.map(({ code }) => code))
		expect([...keeps, ...breaks].filter((code) => !known.has(code))).toEqual([])
	})

	it('are there once each', () => {
		const names = cases.map(({ name }) => name)
		expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([])
	})
})
