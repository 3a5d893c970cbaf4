import { delimiter, join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { ASSUMED_ARGOCD_VERSION } from '../../../src/argocd/index.ts'
import { besideRealStack } from '../stack/index.ts'
import { type Case, cases, revisionCases } from './cases/index.ts'
import { ladingSays, sandboxSays } from './lading.ts'
import { PushedCases } from './pushed.ts'
import { disagreement, type Said, saidByJudge } from './said.ts'

besideRealStack(`what Argo CD ${ASSUMED_ARGOCD_VERSION} says of artifacts`, (stack) => {
	const env = { ...process.env, PATH: `${stack.data.bin}${delimiter}${process.env.PATH}` }
	let pushed: PushedCases
	let judged: (each: Case) => Said

	beforeAll(async () => {
		pushed = await PushedCases.start(stack.registries.tls)
		const answers = await pushed.ask(join(stack.data.judges, 'judge'), cases, env)
		judged = (each) => saidByJudge(answers(each))
	}, 300_000)
	afterAll(() => pushed.close())

	/** Where both refuse it in other words, those of Argo CD stand for both. */
	const wordsOf = (each: Case, said: Said): Said =>
		each.otherWords === true && said.error !== undefined && judged(each).error !== undefined
			? judged(each)
			: said

	/** lading judges artifacts: what a revision names, and which files are left out, an Application says. */
	const artifacts = cases.filter(
		(each) => !revisionCases.includes(each) && each.include === undefined && each.exclude === undefined,
	)

	it('is foretold by lading check', async () => {
		const wrong: string[] = []
		for (const each of artifacts) {
			const said = await ladingSays(each, { pushed, env, version: ASSUMED_ARGOCD_VERSION })
			const why = each.stricter === true ? undefined : disagreement(judged(each), wordsOf(each, said))
			if (why !== undefined) wrong.push(`${each.name} (${said.rules.join(', ')}): ${why}`)
			for (const rule of each.breaks ?? [])
				if (!said.rules.includes(rule))
					wrong.push(`${each.name}: lading does not find ${rule}, but ${said.rules.join(', ')}`)
			for (const rule of each.keeps ?? [])
				if (said.rules.includes(rule)) wrong.push(`${each.name}: lading finds ${rule}`)
		}
		expect(wrong.join('\n')).toBe('')
	}, 600_000)

	it('is followed by the sandbox', async () => {
		const wrong: string[] = []
		for (const each of cases) {
			const said = await sandboxSays(each, { pushed, env })
			const isBeyond = / desc = sandbox: /.test(said.error ?? '')
			if (isBeyond !== (each.beyondSandbox ?? false))
				wrong.push(`${each.name}: the sandbox says ${said.error}`)
			// A damaged gzip is refused here too.
			if (isBeyond || each.breaks?.includes('layer-gzip-corrupt') === true) continue
			const why = disagreement(judged(each), wordsOf(each, said))
			if (why !== undefined) wrong.push(`${each.name}: ${why}`)
		}
		expect(wrong.join('\n')).toBe('')
	}, 600_000)
})
