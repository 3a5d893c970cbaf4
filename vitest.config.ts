import { availableParallelism } from 'node:os'
import { delimiter } from 'node:path'
import type { ViteUserConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'
import { openCache } from './test/real/stack/tools.ts'

const project = (name: string, include: string[], testTimeout = 30_000) => ({
	extends: true as const,
	test: { name, include, testTimeout, hookTimeout: 60_000 },
})

type Project = ReturnType<typeof project>

/** Half of the time they wait: for a server to start, for a lock, for a watch. */
const twoAtLeast = (base: Project) => ({
	...base,
	test: { ...base.test, maxWorkers: Math.max(2, availableParallelism() - 1) },
})

/** What the real stack has built, kubectl and oras among it, is found where the machine has none. */
const withBuiltTools = (base: Project) => {
	const PATH = `${process.env.PATH}${delimiter}${openCache().directory}`
	return { ...base, test: { ...base.test, env: { PATH } } }
}

/** Four files at a time: one that has the stack alone, or those that share it; the first need none or start their own. */
const onOneStack = (name: string, include: string[]) => {
	const base = project(name, include, 180_000)
	const fourAtATime = { maxWorkers: 4, sequence: { groupOrder: 1 } }
	// A dozen servers of others on a machine that does other things too: what passes only then is told.
	const tolerant = { retry: process.env.CI === undefined ? 0 : 1 }
	const setup = {
		globalSetup: 'test/real/stack/setup.ts',
		// The built program runs as it is built, also within a test: see `ladingHere`.
		server: { deps: { external: [/\/dist\/cli\//] } },
	}
	return { ...base, test: { ...base.test, ...setup, ...fourAtATime, ...tolerant } }
}

/** First who waits for nobody, and longest; then who must have the stack alone; then those that share it. */
const ORDER = [
	/\/(?:acceptance\/acceptance|acceptance\/versions|real\/outages)\.test/,
	/\/real\/(?:argocd-api|failures|many|private)\.test/,
]

class LongestFirst extends BaseSequencer {
	override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
		const placeOf = ({ moduleId }: TestSpecification): number => {
			const place = ORDER.findIndex((each) => each.test(moduleId))
			return place === -1 ? ORDER.length : place
		}
		return (await super.sort(files)).toSorted((one, other) => placeOf(one) - placeOf(other))
	}
}

/** One engine and one cluster at a time: a machine of two cores has no more to give. */
const onKind = (base: Project) => ({
	...base,
	test: { ...base.test, fileParallelism: false, hookTimeout: 600_000 },
})

const config: ViteUserConfig = {
	test: {
		environment: 'node',
		pool: 'forks',
		sequence: { sequencer: LongestFirst },
		expect: { poll: { timeout: 20_000 } },
		reporters: ['default', './test/reporter.ts'],
		projects: [
			twoAtLeast(project('unit', ['src/**/*.test.ts', 'test/unit/**/*.test.ts'])),
			twoAtLeast(project('architecture', ['test/architecture/**/*.test.ts'])),
			twoAtLeast(project('e2e', ['test/e2e/**/*.test.ts'], 120_000)),
			withBuiltTools(project('interop', ['test/interop/**/*.test.ts'], 180_000)),
			project('soak', ['test/soak/**/*.test.ts'], 1_800_000),
			project('conformance', ['test/conformance/**/*.test.ts'], 180_000),
			onOneStack('real', ['test/real/**/*.test.ts']),
			onKind(project('kind', ['test/kind/**/*.test.ts'], 600_000)),
			onOneStack('stack', ['test/real/stack/keep.ts']),
			onOneStack('bench', ['bench/*.bench.ts']),
			project('bench-registry', ['bench/registry/*.bench.ts']),
		],
	},
}

export default config
