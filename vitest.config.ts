import { delimiter } from 'node:path'
import type { ViteUserConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'
import { openCache } from './test/real/stack/tools.ts'

const project = (name: string, include: string[], testTimeout = 30_000) => ({
	extends: true as const,
	test: { name, include, testTimeout, hookTimeout: 60_000 },
})

type Project = ReturnType<typeof project>

/** What the real stack has built, kubectl and oras among it, is found where the machine has none. */
const withBuiltTools = (base: Project) => {
	const PATH = `${process.env.PATH}${delimiter}${openCache().directory}`
	return { ...base, test: { ...base.test, env: { PATH } } }
}

/** Of three files at a time one has the stack; the two of the judges need none: see `onRealStack`. */
const onOneStack = (name: string, include: string[]) => {
	const base = project(name, include, 180_000)
	const threeAtATime = { maxWorkers: 3, sequence: { groupOrder: 1 } }
	// A dozen servers of others on a machine that does other things too: what passes only then is told.
	const tolerant = { retry: process.env.CI === undefined ? 0 : 1 }
	const setup = { globalSetup: 'test/real/stack/setup.ts' }
	return { ...base, test: { ...base.test, ...setup, ...threeAtATime, ...tolerant } }
}

/** Those that need not wait for the stack first: while they run, another worker has it. */
class JudgesFirst extends BaseSequencer {
	override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
		const isJudge = ({ moduleId }: TestSpecification): boolean =>
			/\/acceptance\/(?:acceptance|versions)\.test/.test(moduleId)
		const sorted = await super.sort(files)
		return [...sorted.filter(isJudge), ...sorted.filter((file) => !isJudge(file))]
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
		sequence: { sequencer: JudgesFirst },
		expect: { poll: { timeout: 20_000 } },
		reporters: ['default', './test/reporter.ts'],
		projects: [
			project('unit', ['src/**/*.test.ts', 'test/unit/**/*.test.ts']),
			project('architecture', ['test/architecture/**/*.test.ts']),
			project('e2e', ['test/e2e/**/*.test.ts'], 120_000),
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
