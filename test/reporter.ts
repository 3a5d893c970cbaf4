import type { Reporter, TestModule, Vitest } from 'vitest/node'

/** Suites that need more than Node, and how to run them. */
const SUITES: Readonly<Record<string, string>> = {
	interop:
		'npm run test:interop (needs kubectl >= 1.30, oras, helm, go, skopeo, docker-registry, openssl, git, tar)',
	soak: 'npm run test:soak (needs Node alone; minutes)',
	kind: 'npm run test:kind (needs Linux, root, go, Debian packages: test/kind/README.md)',
	real: 'npm run test:real (needs go, redis-server, and about 20 GB with the caches of Go the first time)',
}

/** Ends the output with what was not run, and with the one line that scripts and people look for. */
export default class ClosingLine implements Reporter {
	#projects: readonly string[] = []

	onInit(vitest: Vitest): void {
		this.#projects = vitest.projects.map(({ name }) => name)
	}

	onTestRunEnd(modules: readonly TestModule[], unhandled: readonly unknown[]): void {
		const count = { passed: 0, failed: unhandled.length, skipped: 0 }
		const notRun: string[] = []
		const flaky: string[] = []
		const failed = unhandled.map((error) => `outside of a test: ${firstLine(error)}`)
		for (const module of modules) {
			const tests = [...module.children.allTests()]
			for (const test of tests) {
				const { state } = test.result()
				if (state !== 'pending') count[state]++
				if (test.diagnostic()?.flaky === true) flaky.push(`${module.relativeModuleId}: ${test.fullName}`)
				if (state === 'skipped') notRun.push(`${module.relativeModuleId}: ${test.fullName}`)
				if (state === 'failed')
					failed.push(`${module.relativeModuleId}: ${test.fullName}: ${firstLine(test.result().errors?.[0])}`)
			}
			if (module.state() === 'failed' && !tests.some((test) => test.result().state === 'failed')) {
				count.failed++
				failed.push(`${module.relativeModuleId}: ${firstLine(hookError(module))}`)
			}
		}
		// A run of one suite says nothing of the others; the one everybody runs does.
		if (this.#projects.includes('unit') && this.#projects.includes('e2e')) {
			for (const [suite, how] of Object.entries(SUITES)) if (!this.#projects.includes(suite)) notRun.push(how)
		}
		const skipped = count.skipped > 0 ? `, ${count.skipped} skipped` : ''
		// After vitest's own summary, which is printed by another reporter in the same turn.
		process.once('exit', (code) => {
			// What could not be started has no test that failed.
			if (code !== 0 && count.failed === 0) count.failed = 1
			if (notRun.length > 0) console.log(`\nNot run here:\n${notRun.map((each) => `  ${each}`).join('\n')}`)
			if (flaky.length > 0)
				console.log(`\nPassed at the second attempt:\n${flaky.map((each) => `  ${each}`).join('\n')}`)
			if (failed.length > 0) console.log(`\nFailed:\n${failed.map((each) => `  ${each}`).join('\n')}`)
			console.log(`\n${count.passed} passed, ${count.failed} failed${skipped}`)
		})
	}
}

/** What a hook of the file, or of a `describe` in it, threw. */
function hookError(module: TestModule): unknown {
	const [first] = [...module.errors(), ...[...module.children.allSuites()].flatMap((suite) => suite.errors())]
	return first
}

function firstLine(error: unknown): string {
	const message = isError(error) ? error.message : String(error)
	return message.split('\n', 1)[0]?.slice(0, 300) ?? ''
}

function isError(error: unknown): error is { readonly message: string } {
	return (
		typeof error === 'object' && error !== null && 'message' in error && typeof error.message === 'string'
	)
}
