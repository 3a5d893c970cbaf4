import type { Reporter, TestModule } from 'vitest/node'

/** Ends the output with the one line that scripts and people look for. */
export default class ClosingLine implements Reporter {
	onTestRunEnd(modules: readonly TestModule[], unhandled: readonly unknown[]): void {
		const count = { passed: 0, failed: unhandled.length, skipped: 0 }
		for (const module of modules) {
			const tests = [...module.children.allTests()]
			for (const test of tests) {
				const { state } = test.result()
				if (state !== 'pending') count[state]++
			}
			if (module.state() === 'failed' && !tests.some((test) => test.result().state === 'failed'))
				count.failed++
		}
		// After vitest's own summary, which is printed by another reporter in the same turn.
		process.once('exit', () => {
			console.log(
				`\n${count.passed} passed, ${count.failed} failed${count.skipped > 0 ? `, ${count.skipped} skipped` : ''}`,
			)
		})
	}
}
