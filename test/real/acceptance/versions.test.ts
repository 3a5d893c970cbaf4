import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { inVersionRanges } from '../../../src/argocd/index.ts'
import { besideRealStack } from '../stack/index.ts'
import { OLDER_VERSIONS } from '../stack/judges.ts'
import { type Case, cases, layerCases, manifestCases, revisionCases } from './cases/index.ts'
import type { Answer } from './judge.ts'
import { type Checked, ladingOfVersions, sandboxSays } from './lading.ts'
import { PushedCases } from './pushed.ts'
import { disagreement, type Said } from './said.ts'

/** Those that are over before anything is rendered: the client of an older version goes no further. */
const fetched = [...manifestCases, ...layerCases].filter(({ heavy }) => heavy !== true)

besideRealStack('what older versions of Argo CD say of artifacts', (stack) => {
	/** Nothing is rendered. */
	const env = { ...process.env, PATH: '' }
	let pushed: PushedCases
	let ladingSays: (each: Case, version: string) => Promise<Checked>
	/** By the name of a case; it knows one version. */
	const sandbox = new Map<string, Said>()
	beforeAll(async () => {
		pushed = await PushedCases.start(stack.registries.tls)
		ladingSays = ladingOfVersions({ pushed, env })
		for (const each of revisionCases) sandbox.set(each.name, await sandboxSays(each, { pushed, env }))
	}, 120_000)
	afterAll(() => pushed.close())

	describe.each(OLDER_VERSIONS)('%s', (version) => {
		let answered: (each: Case) => Answer
		beforeAll(async () => {
			const program = join(stack.data.judges, `judge-${version}`)
			answered = await pushed.ask(program, [...fetched, ...revisionCases], env)
		}, 300_000)

		it('is foretold by lading check', async () => {
			const wrong: string[] = []
			for (const each of fetched) {
				if (each.stricter === true) continue
				const said = await ladingSays(each, version)
				const why = disagreement(fetchOf(answered(each)), beforeRendering(said))
				const isRefused = said.error !== undefined && fetchOf(answered(each)).error !== undefined
				if (why !== undefined && !(isRefused && hasOtherWords(each, version)))
					wrong.push(`${each.name} (${said.rules.join(', ')}): ${why}`)
			}
			expect(wrong.join('\n')).toBe('')
		}, 600_000)

		it('is, of revisions, what the sandbox says too', () => {
			const wrong = revisionCases.flatMap((each) => {
				const said = beforeRendering(sandbox.get(each.name) ?? {})
				const why = disagreement(fetchOf(answered(each)), said)
				return why === undefined ? [] : [`${each.name}: ${why}`]
			})
			expect(wrong.join('\n')).toBe('')
		})
	})

	it('is where a rule of other versions is found broken', async () => {
		const wrong: string[] = []
		for (const each of cases) {
			for (const [rule, version] of Object.entries(each.breaksIn ?? {})) {
				const { rules } = await ladingSays(each, version)
				if (!rules.includes(rule))
					wrong.push(`${each.name}: ${version} breaks ${rules.join(', ')}, not ${rule}`)
			}
		}
		expect(wrong).toEqual([])
	})
})

function hasOtherWords({ otherWords, otherWordsBelow }: Case, version: string): boolean {
	const isBelow =
		otherWordsBelow !== undefined && inVersionRanges(version, [{ from: '3.1.0', below: otherWordsBelow }])
	return otherWords === true || isBelow
}

function fetchOf({ links, error }: Answer): Said {
	// The repo-server looks at the links then, and takes none that is absolute.
	const absolute = Object.entries(links ?? {}).find(([, target]) => target.startsWith('/'))
	if (absolute) return { error: `oci image contains out-of-bounds symlinks. file: ${absolute[0]}` }
	return error === undefined ? {} : { error }
}

const REPO_SERVER = 'failed to generate manifest for source 1 of 1: rpc error: code = Unknown desc = '
/** What stands in the files, and where they lie, is for later. */
const RENDERING = /^(?:failed to get potentially valid|oci image contains out-of-bounds symlinks\. file: up$)/

function beforeRendering({ error }: Said): Said {
	if (error === undefined || !error.startsWith(REPO_SERVER)) return {}
	const words = error.slice(REPO_SERVER.length)
	return RENDERING.test(words) ? {} : { error: words }
}
