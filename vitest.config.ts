import type { ViteUserConfig } from 'vitest/config'

const project = (name: string, include: string[], testTimeout = 30_000) => ({
	extends: true as const,
	test: { name, include, testTimeout, hookTimeout: 60_000 },
})

const config: ViteUserConfig = {
	test: {
		environment: 'node',
		pool: 'forks',
		reporters: ['default', './test/reporter.ts'],
		projects: [
			project('unit', ['src/**/*.test.ts', 'test/unit/**/*.test.ts']),
			project('architecture', ['test/architecture/**/*.test.ts']),
			project('e2e', ['test/e2e/**/*.test.ts'], 120_000),
			project('interop', ['test/interop/**/*.test.ts'], 180_000),
			project('conformance', ['test/conformance/**/*.test.ts'], 180_000),
		],
	},
}

export default config
