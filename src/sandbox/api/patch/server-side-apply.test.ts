import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
	schemaOf,
	schemaOfCrd,
	isObject,
	property,
	type JsonObject,
	type JsonValue,
} from '../../../schema/index.ts'
import {
	applyConflictMessage,
	serverSideApply,
	type Applied,
	type ApplyConflict,
} from './server-side-apply.ts'
import { updateManagedFields } from './update-managed-fields.ts'

const DEPLOYMENT = schemaOf('apps/v1', 'Deployment')
const T1 = '2024-01-01T00:00:01Z'
const T2 = '2024-01-01T00:00:02Z'

interface Options {
	readonly manager?: string
	readonly force?: boolean
	readonly time?: string
}

function run(live: JsonObject | undefined, applied: JsonObject, options: Options = {}): Applied {
	const { manager = 'one', force = false, time = T1 } = options
	const apiVersion = 'apps/v1'
	return serverSideApply({
		...(live && { live }),
		applied,
		manager,
		force,
		schema: DEPLOYMENT,
		time,
		apiVersion,
	})
}

function apply(live: JsonObject | undefined, applied: JsonObject, options: Options = {}): JsonObject {
	const outcome = run(live, applied, options)
	if ('conflicts' in outcome) throw new Error(applyConflictMessage(outcome.conflicts))
	return outcome.object
}

function conflicts(live: JsonObject, applied: JsonObject, options: Options): readonly ApplyConflict[] {
	const outcome = run(live, applied, options)
	return 'conflicts' in outcome ? outcome.conflicts : []
}

function update(before: JsonObject | undefined, after: JsonObject, manager: string, time = T1): JsonObject {
	return updateManagedFields({
		...(before && { before }),
		after,
		manager,
		operation: 'Update',
		schema: DEPLOYMENT,
		time,
		apiVersion: 'apps/v1',
	})
}

const deployment = (spec: JsonObject, metadata: JsonObject = {}): JsonObject => ({
	apiVersion: 'apps/v1',
	kind: 'Deployment',
	metadata: { name: 'web', namespace: 'default', ...metadata },
	spec,
})

const BARE: JsonObject = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web' } }

const containers = (...list: readonly JsonObject[]): JsonObject =>
	deployment({ template: { spec: { containers: list } } })

function at(value: JsonValue | undefined, ...path: readonly string[]): JsonValue | undefined {
	return path.reduce<JsonValue | undefined>(
		(found, key) => (found !== undefined && isObject(found) ? property(found, key) : undefined),
		value,
	)
}

const entries = (object: JsonObject) =>
	(at(object, 'metadata', 'managedFields') ?? []) as readonly JsonObject[]
const fieldsBy = (object: JsonObject, manager: string) =>
	entries(object).find((entry) => entry['manager'] === manager)?.['fieldsV1']
const withoutEntries = (object: JsonObject): JsonObject => {
	const { managedFields: _, ...metadata } = at(object, 'metadata') as JsonObject
	return { ...object, metadata }
}

describe('serverSideApply', () => {
	it('creates an object and names its owner', () => {
		const applied = deployment(
			{
				replicas: 2,
				template: { spec: { containers: [{ name: 'a', image: 'x', ports: [{ containerPort: 80 }] }] } },
			},
			{ labels: { app: 'web' }, finalizers: ['f'] },
		)
		const object = apply(undefined, applied)
		expect(withoutEntries(object)).toEqual(applied)
		expect(entries(object)).toEqual([
			{
				manager: 'one',
				operation: 'Apply',
				apiVersion: 'apps/v1',
				time: T1,
				fieldsType: 'FieldsV1',
				fieldsV1: {
					'f:metadata': { 'f:finalizers': { 'v:"f"': {} }, 'f:labels': { 'f:app': {} } },
					'f:spec': {
						'f:replicas': {},
						'f:template': {
							'f:spec': {
								'f:containers': {
									'k:{"name":"a"}': {
										'.': {},
										'f:image': {},
										'f:name': {},
										'f:ports': {
											'k:{"containerPort":80,"protocol":"TCP"}': { '.': {}, 'f:containerPort': {} },
										},
									},
								},
							},
						},
					},
				},
			},
		])
	})

	it('applied again changes nothing, the time included', () => {
		const applied = containers({ name: 'a', image: 'x' })
		const first = apply(undefined, applied)
		expect(apply(first, applied, { time: T2 })).toEqual(first)
		expect(apply(first, containers({ name: 'a', image: 'y' }), { time: T2 })).not.toEqual(first)
	})

	it('removes what the manager applies no more', () => {
		const first = apply(undefined, deployment({ replicas: 2, paused: true }, { labels: { a: '1', b: '2' } }))
		const second = apply(first, deployment({ replicas: 2 }, { labels: { b: '2' } }))
		expect(withoutEntries(second)).toEqual(deployment({ replicas: 2 }, { labels: { b: '2' } }))
	})

	it('keeps what another manager owns too, and what nobody applied', () => {
		const live = { ...apply(undefined, deployment({ replicas: 2, paused: true })), status: { replicas: 2 } }
		const shared = apply(live, deployment({ replicas: 2 }), { manager: 'two' })
		const object = apply(shared, BARE)
		expect(at(object, 'spec')).toEqual({ replicas: 2 })
		expect(at(object, 'status')).toEqual({ replicas: 2 })
		expect(entries(object).map((entry) => entry['manager'])).toEqual(['two'])
	})

	it("removes an item of a list map, and keeps the others' in place", () => {
		const first = apply(undefined, containers({ name: 'a', image: 'x' }, { name: 'b', image: 'x' }))
		const second = apply(first, containers({ name: 'side', image: 'y' }), { manager: 'two' })
		const third = apply(second, containers({ name: 'b', image: 'x' }))
		expect(at(third, 'spec', 'template', 'spec', 'containers')).toEqual([
			{ name: 'b', image: 'x' },
			{ name: 'side', image: 'y' },
		])
	})

	it('keeps the item, without its fields, when another manager owns a field of it', () => {
		const first = apply(undefined, containers({ name: 'a', image: 'x', tty: true }))
		const second = apply(first, containers({ name: 'a', stdin: true }), { manager: 'two' })
		const third = apply(second, deployment({}))
		expect(at(third, 'spec', 'template', 'spec', 'containers')).toEqual([{ name: 'a', stdin: true }])
	})

	it('fills in the default of a list-map key', () => {
		const tcp = (extra: JsonObject): JsonObject =>
			containers({ name: 'a', ports: [{ containerPort: 80, ...extra }] })
		const live = apply(undefined, tcp({ protocol: 'TCP' }))
		const object = apply(live, tcp({ name: 'web' }), { manager: 'two' })
		expect(at(object, 'spec')).toEqual(at(tcp({ protocol: 'TCP', name: 'web' }), 'spec'))
		const both = apply(live, tcp({ protocol: 'UDP' }), { manager: 'two' })
		expect(
			(at(both, 'spec', 'template', 'spec', 'containers') as readonly JsonObject[])[0]?.['ports'],
		).toHaveLength(2)
	})

	it('takes atomic lists and maps whole', () => {
		const selector = (labels: JsonObject): JsonObject => deployment({ selector: { matchLabels: labels } })
		const live = apply(undefined, selector({ a: '1' }))
		expect(fieldsBy(live, 'one')).toEqual({ 'f:spec': { 'f:selector': {} } })
		expect(conflicts(live, selector({ b: '2' }), { manager: 'two' }).map(({ field }) => field)).toEqual([
			'.spec.selector',
		])
		const forced = apply(live, selector({ b: '2' }), { manager: 'two', force: true })
		expect(at(forced, 'spec', 'selector', 'matchLabels')).toEqual({ b: '2' })
	})

	it('refuses another value of an owned field, and takes it over by force', () => {
		const live = update(undefined, deployment({ replicas: 2 }), 'kubectl-client-side-apply')
		const found = conflicts(live, deployment({ replicas: 3 }), {})
		expect(found).toEqual([
			{
				manager: 'kubectl-client-side-apply',
				field: '.spec.replicas',
				message: 'conflict with "kubectl-client-side-apply" using apps/v1',
			},
		])
		expect(applyConflictMessage(found)).toBe(
			'Apply failed with 1 conflict: conflict with "kubectl-client-side-apply" using apps/v1: .spec.replicas',
		)
		const forced = apply(live, deployment({ replicas: 3 }), { force: true })
		expect(at(forced, 'spec')).toEqual({ replicas: 3 })
		expect(entries(forced).map((entry) => entry['manager'])).toEqual(['one'])
	})

	it('words several conflicts by manager', () => {
		const first = apply(undefined, containers({ name: 'a', image: 'x' }), { manager: 'b' })
		const live = update(first, { ...first, spec: { ...(at(first, 'spec') as JsonObject), replicas: 2 } }, 'a')
		const wanted = deployment({
			replicas: 3,
			template: { spec: { containers: [{ name: 'a', image: 'y' }] } },
		})
		expect(applyConflictMessage(conflicts(live, wanted, { manager: 'c' }))).toBe(
			[
				'Apply failed with 2 conflicts: conflicts with "a" using apps/v1:',
				'- .spec.replicas',
				'conflicts with "b":',
				'- .spec.template.spec.containers[name="a"].image',
			].join('\n'),
		)
	})

	it('shares a field that two apply with the same value', () => {
		const live = apply(undefined, deployment({ replicas: 2 }))
		const shared = apply(live, deployment({ replicas: 2 }), { manager: 'two', time: T2 })
		expect(fieldsBy(shared, 'one')).toEqual(fieldsBy(shared, 'two'))
		expect(entries(shared).map((entry) => entry['time'])).toEqual([T1, T2])
	})

	it('lets an update take a field from its applier', () => {
		const live = apply(undefined, deployment({ replicas: 2, paused: true }))
		const scaled = update(live, { ...live, spec: { replicas: 5, paused: true } }, 'kubectl-scale', T2)
		expect(fieldsBy(scaled, 'one')).toEqual({ 'f:spec': { 'f:paused': {} } })
		expect(fieldsBy(scaled, 'kubectl-scale')).toEqual({ 'f:spec': { 'f:replicas': {} } })
		expect(conflicts(scaled, deployment({ replicas: 2 }), {}).map(({ field }) => field)).toEqual([
			'.spec.replicas',
		])
	})

	it('names an owner of what was there before any bookkeeping', () => {
		const live = deployment({ replicas: 2 }, { uid: 'u' })
		expect(conflicts(live, deployment({ replicas: 3 }), {})).toMatchObject([
			{ manager: 'before-first-apply' },
		])
		const object = apply(live, deployment({ paused: true }))
		expect(entries(object).map((entry) => entry['manager'])).toEqual(['one', 'before-first-apply'])
	})

	it('lets kubectl take over what its last-applied annotation shows as its own', () => {
		const configuration = deployment({ replicas: 2 })
		const annotations = { 'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify(configuration) }
		const live = update(undefined, deployment({ replicas: 2 }, { annotations }), 'kubectl-client-side-apply')
		const object = apply(live, deployment({ replicas: 3 }), { manager: 'kubectl' })
		expect(at(object, 'spec')).toEqual({ replicas: 3 })
		const again = apply(object, deployment({ replicas: 4 }), { manager: 'kubectl' })
		const text = at(again, 'metadata', 'annotations', 'kubectl.kubernetes.io/last-applied-configuration')
		expect(JSON.parse(typeof text === 'string' ? text : 'null')).toEqual(deployment({ replicas: 4 }))
		expect(conflicts(live, deployment({ replicas: 3 }), { manager: 'other' })).toHaveLength(1)
	})

	it.each<readonly [string, JsonObject]>([
		['.spec.replica: field not declared in schema', deployment({ replica: 1 })],
		['.spec.template: expected map, got list', deployment({ template: [] })],
		['.spec.replicas: expected integer, got "1"', deployment({ replicas: '1' })],
		['duplicate entries for key [name="a"]', containers({ name: 'a' }, { name: 'a' })],
		['metadata.managedFields must be nil', deployment({}, { managedFields: [{}] })],
	])('refuses: %s', (message, applied) => {
		expect(() => run(undefined, applied)).toThrow(message)
	})

	it('obeys the list types of a custom resource', () => {
		const schema = schemaOfCrd({
			type: 'object',
			properties: {
				spec: {
					type: 'object',
					properties: {
						tags: { type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'set' },
						plain: { type: 'array', items: { type: 'string' } },
						rules: {
							type: 'array',
							'x-kubernetes-list-type': 'map',
							'x-kubernetes-list-map-keys': ['id'],
							items: { type: 'object', properties: { id: { type: 'string' }, on: { type: 'boolean' } } },
						},
						any: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
					},
				},
			},
		})
		const one = (live: JsonObject | undefined, spec: JsonObject, manager: string): JsonObject => {
			const applied = { apiVersion: 'x.io/v1', kind: 'X', metadata: { name: 'x' }, spec }
			const shared = { manager, force: false, schema, time: T1, apiVersion: 'x.io/v1' }
			const outcome = serverSideApply({ ...(live && { live }), applied, ...shared })
			if ('conflicts' in outcome) throw new Error(applyConflictMessage(outcome.conflicts))
			return outcome.object
		}
		const first = one(
			undefined,
			{ tags: ['a'], rules: [{ id: '1', on: true }], any: { x: { y: [1] } } },
			'one',
		)
		const second = one(
			first,
			{ tags: ['b'], rules: [{ id: '2' }], plain: ['p'], any: { x: { z: 1 } } },
			'two',
		)
		expect(second['spec']).toEqual({
			tags: ['a', 'b'],
			rules: [{ id: '1', on: true }, { id: '2' }],
			any: { x: { y: [1], z: 1 } },
			plain: ['p'],
		})
		expect(at(one(second, {}, 'one'), 'spec')).toEqual({
			tags: ['b'],
			rules: [{ id: '2' }],
			any: { x: { z: 1 } },
			plain: ['p'],
		})
	})

	it('treats __proto__ and constructor as keys like any other', () => {
		const text =
			'{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"labels":{"__proto__":"x","constructor":"y"}}}'
		const applied = JSON.parse(text) as JsonObject
		const object = apply(undefined, applied)
		expect(JSON.stringify(withoutEntries(object))).toBe(text)
		expect(JSON.stringify(fieldsBy(object, 'one'))).toContain('"f:__proto__":{}')
		expect(apply(object, applied, { time: T2 })).toEqual(object)
		const gone = apply(object, { apiVersion: 'apps/v1', kind: 'Deployment' }, { manager: 'one' })
		expect(at(gone, 'metadata', 'labels')).toBeUndefined()
	})
})

const name = fc.constantFrom('a', 'b', 'c', '__proto__', 'constructor')
const value = fc.constantFrom('1', '2')
const labels = fc.dictionary(name, value, { maxKeys: 3 })
const container = fc.record(
	{
		name: fc.constantFrom('a', 'b', 'c'),
		image: value,
		args: fc.array(value, { maxLength: 2 }),
		env: fc.uniqueArray(fc.record({ name: fc.constantFrom('X', 'Y'), value }), {
			selector: (item) => item.name,
		}),
	},
	{ requiredKeys: ['name'] },
)
const config: fc.Arbitrary<JsonObject> = fc
	.record(
		{
			replicas: fc.integer({ min: 0, max: 2 }),
			selector: fc.record({ matchLabels: labels }),
			template: fc.record({
				metadata: fc.record({ labels }),
				spec: fc.record({
					containers: fc.uniqueArray(container, { selector: (item) => item.name, maxLength: 3 }),
				}),
			}),
		},
		{ requiredKeys: [] },
	)
	.map((spec) => deployment(JSON.parse(JSON.stringify(spec)) as JsonObject))

describe('serverSideApply, for any configuration', () => {
	it('applied twice is applied once', () => {
		fc.assert(
			fc.property(config, config, (first, second) => {
				const live = apply(undefined, first)
				const once = apply(live, second)
				expect(apply(once, second, { time: T2 })).toEqual(once)
			}),
			{ numRuns: 200 },
		)
	})

	it('force leaves no conflict, and everything applied stands there', () => {
		fc.assert(
			fc.property(config, config, config, (first, second, third) => {
				const live = apply(apply(undefined, first), second, { manager: 'two', force: true })
				const object = apply(live, third, { manager: 'three', force: true })
				expect(conflicts(object, third, { manager: 'three' })).toEqual([])
				expect(conflicts(object, third, { manager: 'four' })).toEqual([])
				const replicas = at(third, 'spec', 'replicas')
				expect(at(object, 'spec', 'replicas')).toBe(replicas ?? at(live, 'spec', 'replicas'))
			}),
			{ numRuns: 200 },
		)
	})

	it('takes away what only this manager owned, and nothing that another owns', () => {
		fc.assert(
			fc.property(config, config, (first, second) => {
				const live = apply(apply(undefined, first), second, { manager: 'two', force: true })
				const object = apply(live, BARE, { manager: 'one' })
				expect(fieldsBy(object, 'one')).toBeUndefined()
				expect(fieldsBy(object, 'two')).toEqual(fieldsBy(live, 'two'))
				expect(conflicts(object, second, { manager: 'two' })).toEqual([])
				const alone = apply(apply(undefined, first), BARE)
				expect(entries(alone)).toEqual([])
				expect(alone['spec']).toBeUndefined()
			}),
			{ numRuns: 200 },
		)
	})
})
