import { afterAll, beforeAll, describe, inject, it } from 'vitest'
import { Stack } from './stack.ts'
import { takeTurn } from './turn.ts'

export type { Stack, StackData, StackProcess } from './stack.ts'
export type { Registry, RegistryOptions } from './registries.ts'
export { caOf, REGISTRY_NAMES } from './registries.ts'
export { writeKubeconfig } from './kubernetes.ts'
export type { SampleOptions } from './sample.ts'
export { writeSample } from './sample.ts'

/** The longest that the files before may take, in milliseconds. */
const TURN_MS = 30 * 60_000

/**
 * `describe` of tests that run against the real stack, in sequence, and one file after
 * another: some of them stop what all of them use. Where it cannot be started there is
 * one test that is skipped and says what is missing.
 */
export function onRealStack(name: string, tests: (stack: Stack) => void): void {
	besideRealStack(name, (stack) => {
		let end: () => void = () => undefined
		beforeAll(async () => {
			end = await takeTurn(stack.data.directory)
		}, TURN_MS)
		afterAll(() => end())
		tests(stack)
	})
}

/** Like {@link onRealStack}, for tests that ask nothing of Kubernetes and Argo CD: they wait for nobody. */
export function besideRealStack(name: string, tests: (stack: Stack) => void): void {
	const provided = inject('real')
	if ('missing' in provided) {
		describe(name, () => {
			it.skip(`needs ${provided.missing}`)
		})
		return
	}
	describe.sequential(name, () => {
		tests(new Stack(provided.stack))
	})
}
