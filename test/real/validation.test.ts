import { expect, it } from 'vitest'
import {
	causesOf,
	type Cluster,
	connectCluster,
	type KubeObject,
	messageOf,
} from '../../src/cluster/index.ts'
import { createLimiter } from '../../src/content/index.ts'
import { inspectFile, judgeTogether, parseKubernetesVersion } from '../../src/validation/index.ts'
import { onRealStack } from './stack/index.ts'
import { seeds } from './validation-seeds.ts'

type Json = Readonly<Record<string, unknown>>
type Path = readonly (string | number)[]

const isMap = (value: unknown): value is Json =>
	typeof value === 'object' && value !== null && !Array.isArray(value)

/** A copy with something else at a path; `undefined` takes the field away. */
function withAt(value: unknown, [step, ...rest]: Path, replacement: unknown): unknown {
	if (step === undefined) return replacement
	if (Array.isArray(value))
		return value.map((item, index) => (index === step ? withAt(item, rest, replacement) : item))
	if (!isMap(value)) return value
	const { [step]: before, ...others } = value
	const after = withAt(before, rest, replacement)
	return after === undefined ? others : { ...others, [step]: after }
}

/** Server-side apply wraps such numbers around; a server that is sent the object as JSON refuses them. */
const WRAPPED = 'does not fit into 32 bits'

interface Mutation {
	readonly what: string
	readonly object: Json
}

/** What stands instead of a text, a number or a boolean. */
const REPLACEMENTS: Readonly<Record<string, readonly unknown[]>> = {
	string: [{}, 7, true, 'Bogus-1', ''],
	number: ['Bogus-1', 1.5, 3e9, -1],
	boolean: ['true', 7],
}

/** Each field of an object taken away, of another type, with another value; each map with a field too many. */
function* mutationsOf(seed: Json): Generator<Mutation> {
	const change = (path: Path, replacement: unknown): Mutation => ({
		what: `${String(seed['kind'])} ${path.join('.')} = ${JSON.stringify(replacement)}`,
		object: withAt(seed, path, replacement) as Json,
	})
	function* visit(value: unknown, path: Path): Generator<Mutation> {
		if (path.length > 0 && typeof path.at(-1) === 'string') yield change(path, undefined)
		if (Array.isArray(value)) {
			yield change(path, 'text')
			for (const [index, item] of value.entries()) yield* visit(item, [...path, index])
		} else if (isMap(value)) {
			if (path.length > 0) yield change(path, [])
			yield change([...path, 'bogusField'], 'x')
			// One kind is enough for what they all have.
			if (path.at(-2) === 'template' && path.at(-1) === 'spec' && seed['kind'] !== 'StatefulSet') return
			for (const [key, child] of Object.entries(value)) yield* visit(child, [...path, key])
		} else {
			for (const replacement of REPLACEMENTS[typeof value] ?? []) yield change(path, replacement)
		}
	}
	for (const key of Object.keys(seed).filter((each) => each !== 'apiVersion' && each !== 'kind'))
		yield* visit(seed[key], [key])
	yield change(['bogusField'], 'x')
}

/** What lading says: the severities of its findings, and their texts. */
function judge(object: Json): { readonly severities: ReadonlySet<string>; readonly text: string } {
	const releases = parseKubernetesVersion('1.37')
	const inspection = inspectFile([{ value: object }], { releases })
	const faults = judgeTogether([inspection], { definitions: [], releases }).filter(
		({ rule }) => rule.code !== 'reference-missing',
	)
	return {
		severities: new Set(faults.map(({ rule }) => rule.severity)),
		text: faults.map(({ rule, message }) => `${rule.code}: ${message}`).join('; '),
	}
}

onRealStack('what a real API server says of an object', (stack) => {
	const limit = createLimiter(8)

	/** Its refusal; `undefined` where it takes the object. */
	async function ask(cluster: Cluster, object: Json): Promise<string | undefined> {
		return await limit(async () => {
			try {
				await cluster.apply(object as unknown as KubeObject, {
					fieldManager: 'test',
					force: true,
					dryRun: true,
					fieldValidation: 'Strict',
					namespace: 'default',
				})
				return undefined
			} catch (error) {
				const fields = causesOf(error).map(({ field }) => field)
				return `${messageOf(error) ?? String(error)} ${fields.join(' ')}`
			}
		})
	}

	const connect = (): Promise<Cluster> =>
		connectCluster({ kubeconfig: stack.kubernetes.kubeconfig, context: stack.kubernetes.context })

	it('takes what lading takes, and lading has nothing to say of it', async () => {
		const cluster = await connect()
		const answers = await Promise.all(
			seeds.map(async (seed) => `${String(seed['kind'])}: ${await ask(cluster, seed)}`),
		)
		expect(answers.filter((answer) => !answer.endsWith(': undefined'))).toEqual([])
		expect(seeds.map((seed) => judge(seed).text).filter((text) => text !== '')).toEqual([])
	})

	it('refuses every broken object that lading refuses', async () => {
		const cluster = await connect()
		const mutations = seeds.flatMap((seed) => [...mutationsOf(seed)])
		const wrong: string[] = []
		let both = 0
		await Promise.all(
			mutations.map(async ({ what, object }) => {
				const ours = judge(object)
				const isNo =
					(ours.severities.has('refuse') && !ours.text.includes(WRAPPED)) ||
					ours.text.includes('field-unknown')
				if (!isNo) return
				if ((await ask(cluster, object)) === undefined) wrong.push(`${what}\n    ${ours.text}`)
				else both++
			}),
		)
		expect(wrong).toEqual([])
		expect(both).toBeGreaterThan(mutations.length / 2)
	}, 600_000)
})
