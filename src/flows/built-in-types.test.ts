import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { diffResources, formatDiff, type ManifestObject } from '../manifests/index.ts'
import { builtInTypes } from './built-in-types.ts'
import { isSameQuantity } from './quantity.ts'

interface Container {
	readonly name: string
	readonly [field: string]: unknown
}

function deployment(
	containers: readonly Container[],
	more: Readonly<Record<string, unknown>> = {},
): ManifestObject {
	return {
		apiVersion: 'apps/v1',
		kind: 'Deployment',
		metadata: { name: 'web' },
		spec: { replicas: 1, template: { spec: { containers, ...more } } },
	}
}

function lines(before: ManifestObject, after: ManifestObject): readonly string[] {
	return formatDiff(diffResources([before], [after], { typesOf: builtInTypes }))
		.slice(1)
		.map(({ kind, text }) => `${kind} ${text.replace('spec.template.spec.', '')}`)
}

const pod = (container: Readonly<Record<string, unknown>>): ManifestObject =>
	deployment([{ name: 'app', image: 'a:1', ...container }])

describe('lists, matched as Kubernetes does', () => {
	it.each([
		[
			'containers by name',
			deployment([
				{ name: 'a', image: 'a:1' },
				{ name: 'b', image: 'b:1' },
			]),
			deployment([
				{ name: 'b', image: 'b:2' },
				{ name: 'a', image: 'a:1' },
			]),
			['changed containers[name=b].image: "b:1" → "b:2"'],
		],
		[
			'ports by number and protocol',
			pod({ ports: [{ containerPort: 53 }, { containerPort: 53, protocol: 'UDP', name: 'dns' }] }),
			pod({
				ports: [
					{ containerPort: 53, protocol: 'UDP', name: 'udp' },
					{ containerPort: 53, protocol: 'TCP' },
				],
			}),
			[
				'added containers[name=app].ports[containerPort=53].protocol: "TCP"',
				'changed containers[name=app].ports[containerPort=53,protocol=UDP].name: "dns" → "udp"',
			],
		],
		[
			'variables by name',
			pod({
				env: [
					{ name: 'A', value: '1' },
					{ name: 'B', value: '2' },
				],
			}),
			pod({
				env: [
					{ name: 'B', value: '3' },
					{ name: 'A', value: '1' },
				],
			}),
			['changed containers[name=app].env[name=B].value: "2" → "3"'],
		],
		[
			'variables that others refer to, in their order',
			pod({
				env: [
					{ name: 'A', value: '1' },
					{ name: 'B', value: '$(A)' },
				],
			}),
			pod({
				env: [
					{ name: 'B', value: '$(A)' },
					{ name: 'A', value: '1' },
				],
			}),
			['reordered containers[name=app].env: in another order'],
		],
		[
			'volumes by name',
			deployment([], {
				volumes: [
					{ name: 'a', emptyDir: {} },
					{ name: 'b', emptyDir: {} },
				],
			}),
			deployment([], {
				volumes: [
					{ name: 'b', emptyDir: {} },
					{ name: 'a', emptyDir: { medium: 'Memory' } },
				],
			}),
			['added volumes[name=a].emptyDir.medium: "Memory"'],
		],
		[
			'mounts by path',
			pod({
				volumeMounts: [
					{ mountPath: '/a', name: 'v' },
					{ mountPath: '/b', name: 'v' },
				],
			}),
			pod({
				volumeMounts: [
					{ mountPath: '/b', name: 'v' },
					{ mountPath: '/a', name: 'w' },
				],
			}),
			['changed containers[name=app].volumeMounts[mountPath=/a].name: "v" → "w"'],
		],
		[
			'initContainers by name, and in their order',
			deployment([], { initContainers: [{ name: 'a' }, { name: 'b' }] }),
			deployment([], { initContainers: [{ name: 'b' }, { name: 'a' }] }),
			['reordered initContainers: in another order'],
		],
		[
			'arguments by their place',
			pod({ args: ['a', 'b'] }),
			pod({ args: ['b', 'a'] }),
			['changed containers[name=app].args[0]: "a" → "b"', 'changed containers[name=app].args[1]: "b" → "a"'],
		],
		[
			'quantities by their amount',
			pod({ resources: { limits: { cpu: 1, memory: '1Gi' } } }),
			pod({ resources: { limits: { cpu: '1000m', memory: '1024Mi' } } }),
			[],
		],
		[
			'a list whose keys are there twice by its places',
			pod({
				env: [
					{ name: 'A', value: '1' },
					{ name: 'A', value: '2' },
				],
			}),
			pod({
				env: [
					{ name: 'A', value: '1' },
					{ name: 'A', value: '3' },
				],
			}),
			['changed containers[name=app].env[1].value: "2" → "3"'],
		],
	])('%s', (_, before, after, expected) => {
		expect(lines(before, after)).toEqual(expected)
	})

	it('finalizers as a set', () => {
		const object = (...finalizers: string[]): ManifestObject => ({
			apiVersion: 'v1',
			kind: 'ConfigMap',
			metadata: { name: 'a', finalizers } as ManifestObject['metadata'],
		})
		expect(lines(object('a', 'b'), object('b', 'a'))).toEqual([])
		expect(lines(object('a', 'b'), object('c', 'b'))).toEqual([
			'removed metadata.finalizers[=a]: "a"',
			'added metadata.finalizers[=c]: "c"',
		])
	})

	it('images and replicas come first', () => {
		const before = pod({ args: ['a'], env: [] })
		const after = {
			...pod({ args: ['b'], image: 'a:2' }),
			spec: { ...Object(pod({ args: ['b'], image: 'a:2' })['spec']), replicas: 3 },
		}
		const told = formatDiff(diffResources([before], [after], { typesOf: builtInTypes }))
		expect(told.map(({ isCalledOut }) => isCalledOut ?? false)).toEqual([false, true, true, false, false])
	})
})

const name = fc.constantFrom('a', 'b', 'c', 'd')
const byName = { selector: (each: { readonly name: string }) => each.name, maxLength: 4 } as const
const container = fc.record({
	name,
	image: fc.constantFrom('x:1', 'x:2'),
	env: fc.uniqueArray(
		fc.record({ name, value: fc.string({ unit: 'grapheme-ascii' }).filter((text) => !text.includes('$(')) }),
		byName,
	),
	ports: fc.uniqueArray(
		fc.record({ containerPort: fc.integer({ min: 1, max: 3 }), protocol: fc.constantFrom('TCP', 'UDP') }),
		{ selector: ({ containerPort, protocol }) => `${containerPort}/${protocol}`, maxLength: 4 },
	),
	args: fc.array(fc.string(), { maxLength: 3 }),
})
const anyDeployment = fc.record({
	containers: fc.uniqueArray(container, byName),
	volumes: fc.uniqueArray(fc.record({ name, emptyDir: fc.constant({}) }), byName),
})

/** Every list whose items have keys in another order. */
function shuffled(value: unknown, next: () => number): unknown {
	if (Array.isArray(value)) {
		const items = value.map((each) => shuffled(each, next))
		return value.every((each) => typeof each === 'object')
			? items
					.map((item) => ({ item, at: next() }))
					.toSorted((a, b) => a.at - b.at)
					.map(({ item }) => item)
			: items
	}
	if (typeof value !== 'object' || value === null) return value
	return Object.fromEntries(
		Object.entries(value)
			.toReversed()
			.map(([key, each]) => [key, shuffled(each, next)]),
	)
}

describe('a difference', () => {
	it('is none between an object and itself, in whatever order its keyed lists are', () => {
		fc.assert(
			fc.property(
				anyDeployment,
				fc.infiniteStream(fc.double({ noNaN: true, min: 0, max: 1 })),
				({ containers, ...more }, stream) => {
					const object = deployment(containers, more)
					const other = shuffled(object, () => stream.next().value ?? 0) as ManifestObject
					expect(diffResources([object], [object], { typesOf: builtInTypes })).toEqual([])
					expect(diffResources([object], [other], { typesOf: builtInTypes })).toEqual([])
				},
			),
		)
	})

	it('is there both ways, or neither', () => {
		fc.assert(
			fc.property(anyDeployment, anyDeployment, (left, right) => {
				const [a, b] = [left, right].map(({ containers, ...more }) => deployment(containers, more)) as [
					ManifestObject,
					ManifestObject,
				]
				const there = diffResources([a], [b], { typesOf: builtInTypes })
				const back = diffResources([b], [a], { typesOf: builtInTypes })
				expect(there.length).toBe(back.length)
			}),
		)
	})
})

describe('null', () => {
	it('is nothing to a kind of Kubernetes, and a value to others', () => {
		const of = (apiVersion: string, spec: Readonly<Record<string, unknown>>): ManifestObject => ({
			apiVersion,
			kind: 'Deployment',
			metadata: { name: 'web' },
			spec,
		})
		expect(lines(of('apps/v1', { paused: null }), of('apps/v1', {}))).toEqual([])
		expect(lines(of('apps/v1', { paused: null }), of('apps/v1', { paused: true }))).not.toEqual([])
		expect(lines(of('x.test/v1', { paused: null }), of('x.test/v1', {}))).toEqual([
			'removed spec.paused: null',
		])
	})
})

describe('isSameQuantity', () => {
	it.each([
		['1', '1000m', true],
		[1, '1', true],
		['0.5', '500m', true],
		['1Gi', '1024Mi', true],
		['1Gi', '1G', false],
		['1e3', '1k', true],
		['1E', '1000P', true],
		['100n', '0.1u', true],
		['', '0', false],
		['a', 'a', false],
		['-1', '1', false],
		[null, null, false],
	])('%s and %s: %s', (left, right, expected) => {
		expect(isSameQuantity(left, right)).toBe(expected)
	})
})
