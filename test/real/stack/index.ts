import { join } from 'node:path'
import { afterAll, beforeAll, describe, inject, it } from 'vitest'
import { Stack, type StackData } from './stack.ts'
import { startStack } from './start.ts'
import { Supervisor } from './supervisor.ts'
import { takeTurn, type TurnOptions } from './turn.ts'

export type { Stack, StackData, StackProcess } from './stack.ts'
export type { Registry, RegistryOptions } from './registries.ts'
export { caOf, REGISTRY_NAMES } from './registries.ts'
export { writeKubeconfig } from './kubernetes.ts'
export type { SampleOptions } from './sample.ts'
export { writeSample } from './sample.ts'

/** The longest that the files before may take, in milliseconds. */
const TURN_MS = 30 * 60_000
/** The longest that a stack may take to start, in milliseconds. */
const START_MS = 5 * 60_000

/**
 * `describe` of tests that run against the real stack, in sequence, beside other files that keep to
 * names of their own. Where it cannot be started there is one test that is skipped and says what
 * is missing.
 */
export function onRealStack(name: string, tests: (stack: Stack) => void): void {
	inTurn(name, { tests, alone: false })
}

/** Like {@link onRealStack}, for tests that change what all of them use, or load it: nobody else has that stack meanwhile. */
export function onRealStackAlone(name: string, tests: (stack: Stack) => void): void {
	inTurn(name, { tests, alone: true })
}

function inTurn(
	name: string,
	{ tests, alone }: TurnOptions & { readonly tests: (stack: Stack) => void },
): void {
	besideRealStack(name, (stack) => {
		let end: () => void = () => undefined
		beforeAll(async () => {
			end = await takeTurn(stack.data.directory, { alone })
		}, TURN_MS)
		afterAll(() => end())
		tests(stack)
	})
}

/**
 * Like {@link onRealStack}, for tests that stop what the stack is made of, and wait for most of their time: they have
 * one that is theirs, and wait for nobody.
 * @param tests - is given what returns the stack once the tests run
 */
export function onRealStackOfItsOwn(name: string, tests: (own: () => Stack) => void): void {
	whereStackIs(name, ({ bin, judges, parent: { run } }) => {
		const parent = { run, scope: 'own' }
		let stack: Stack
		beforeAll(async () => {
			stack = new Stack(await startStack({ bin, judges, parent }))
		}, START_MS)
		afterAll(() => new Supervisor(run, parent.scope).stopAll())
		tests(() => stack)
	})
}

/** Like {@link onRealStack}, for tests that ask nothing of Kubernetes and Argo CD: they wait for nobody. */
export function besideRealStack(name: string, tests: (stack: Stack) => void): void {
	whereStackIs(name, (data) => tests(new Stack(data)))
}

function whereStackIs(name: string, tests: (data: StackData) => void): void {
	const provided = inject('real')
	if ('missing' in provided) {
		describe(name, () => {
			it.skip(`needs ${provided.missing}`)
		})
		return
	}
	// Temporary files too lie where the stack's lie, and end with it.
	process.env.TMPDIR = join(provided.stack.directory, 'tmp')
	describe.sequential(name, () => {
		tests(provided.stack)
	})
}
