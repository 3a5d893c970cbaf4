import { describe, inject, it } from 'vitest'
import { Stack } from './stack.ts'

export type { Stack, StackData, StackProcess } from './stack.ts'
export type { Registry, RegistryOptions } from './registries.ts'
export { caOf, REGISTRY_NAMES } from './registries.ts'
export { writeKubeconfig } from './kubernetes.ts'
export type { SampleOptions } from './sample.ts'
export { writeSample } from './sample.ts'

/**
 * `describe` of tests that run against the real stack, in sequence. Where it cannot be
 * started there is one test that is skipped and says what is missing.
 */
export function onRealStack(name: string, tests: (stack: Stack) => void): void {
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
