import { describe, expect, it } from 'vitest'
import { schemaOf, type JsonObject, type JsonValue, UNTYPED } from '../../../schema/index.ts'
import { applyStrategicMergePatch } from './strategic-merge-patch.ts'

const POD = schemaOf('v1', 'Pod')
const pod = (spec: JsonObject, metadata: JsonObject = {}): JsonObject => ({ metadata, spec })
const merged = (object: JsonObject, patch: JsonObject): JsonObject =>
	applyStrategicMergePatch(object, patch, POD)

const specs: readonly (readonly [string, JsonObject, JsonObject, JsonObject])[] = [
	[
		'merges containers by name',
		{
			containers: [
				{ name: 'a', image: '1', env: [{ name: 'X', value: '1' }] },
				{ name: 'b', image: '1' },
			],
		},
		{
			containers: [
				{ name: 'b', image: '2' },
				{ name: 'a', env: [{ name: 'Y', value: '2' }] },
			],
		},
		{
			containers: [
				{ name: 'b', image: '2' },
				{
					name: 'a',
					image: '1',
					env: [
						{ name: 'Y', value: '2' },
						{ name: 'X', value: '1' },
					],
				},
			],
		},
	],
	[
		'merges ports by containerPort',
		{ containers: [{ name: 'a', ports: [{ containerPort: 80, protocol: 'TCP' }] }] },
		{ containers: [{ name: 'a', ports: [{ containerPort: 80, name: 'web' }, { containerPort: 81 }] }] },
		{
			containers: [
				{ name: 'a', ports: [{ containerPort: 80, protocol: 'TCP', name: 'web' }, { containerPort: 81 }] },
			],
		},
	],
	[
		'replaces atomic lists',
		{ tolerations: [{ key: 'a' }] },
		{ tolerations: [{ key: 'b' }] },
		{ tolerations: [{ key: 'b' }] },
	],
	[
		'replaces lists of plain values',
		{ containers: [{ name: 'a', args: ['x'] }] },
		{ containers: [{ name: 'a', args: ['y'] }] },
		{ containers: [{ name: 'a', args: ['y'] }] },
	],
	[
		'deletes an item',
		{ containers: [{ name: 'a' }, { name: 'b' }] },
		{ containers: [{ name: 'a', $patch: 'delete' }] },
		{ containers: [{ name: 'b' }] },
	],
	[
		'replaces a list',
		{ containers: [{ name: 'a' }] },
		{ containers: [{ $patch: 'replace' }, { name: 'b' }] },
		{ containers: [{ name: 'b' }] },
	],
	[
		'replaces a map',
		{ securityContext: { runAsUser: 1 } },
		{ securityContext: { $patch: 'replace', runAsGroup: 2 } },
		{ securityContext: { runAsGroup: 2 } },
	],
	[
		'empties a map',
		{ securityContext: { runAsUser: 1 } },
		{ securityContext: { $patch: 'delete' } },
		{ securityContext: {} },
	],
	[
		'retains keys of a volume',
		{ volumes: [{ name: 'v', emptyDir: {} }] },
		{ volumes: [{ name: 'v', $retainKeys: ['name', 'hostPath'], hostPath: { path: '/' } }] },
		{ volumes: [{ name: 'v', hostPath: { path: '/' } }] },
	],
	[
		'sets the order of items',
		{ containers: [{ name: 'a' }, { name: 'b' }, { name: 'server' }] },
		{
			'$setElementOrder/containers': [{ name: 'b' }, { name: 'a' }],
			containers: [{ name: 'a', image: '2' }],
		},
		{ containers: [{ name: 'b' }, { name: 'a', image: '2' }, { name: 'server' }] },
	],
	[
		'removes by null',
		{ nodeName: 'x', hostname: 'y' },
		{ nodeName: null, subdomain: null },
		{ hostname: 'y' },
	],
	[
		'drops nulls and directives of what is new',
		{},
		{ securityContext: { runAsUser: null, runAsGroup: 1, '$setElementOrder/supplementalGroups': [1] } },
		{ securityContext: { runAsGroup: 1 } },
	],
]

describe('applyStrategicMergePatch', () => {
	it.each(specs)('%s', (_, spec, patch, expected) => {
		const object = pod(spec)
		const before = structuredClone(object)
		expect(merged(object, { spec: patch })).toEqual(pod(expected))
		expect(object).toEqual(before)
	})

	it('merges finalizers as a set, and takes some away', () => {
		const object = pod({}, { finalizers: ['a', 'b'] })
		expect(merged(object, { metadata: { finalizers: ['c', 'a'] } })['metadata']).toEqual({
			finalizers: ['c', 'a', 'b'],
		})
		const patch = { metadata: { '$deleteFromPrimitiveList/finalizers': ['a'] } }
		expect(merged(object, patch)['metadata']).toEqual({ finalizers: ['b'] })
		expect(merged(pod({}), patch)).toEqual(pod({}))
	})

	it('merges ownerReferences by uid and conditions by type', () => {
		const owners = pod({}, { ownerReferences: [{ uid: '1', name: 'a' }] })
		expect(
			merged(owners, { metadata: { ownerReferences: [{ uid: '1', controller: true }, { uid: '2' }] } }),
		).toEqual(pod({}, { ownerReferences: [{ uid: '1', name: 'a', controller: true }, { uid: '2' }] }))
		const status = { status: { conditions: [{ type: 'Ready', status: 'False', reason: 'x' }] } }
		expect(
			merged(status, { status: { conditions: [{ type: 'Ready', status: 'True', reason: null }] } }),
		).toEqual({
			status: { conditions: [{ type: 'Ready', status: 'True' }] },
		})
	})

	it('retains the keys of a Deployment strategy', () => {
		const object = { spec: { strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1 } } } }
		const patch = { spec: { strategy: { $retainKeys: ['type'], type: 'Recreate' } } }
		expect(applyStrategicMergePatch(object, patch, schemaOf('apps/v1', 'Deployment'))).toEqual({
			spec: { strategy: { type: 'Recreate' } },
		})
	})

	it('replaces every list of an untyped object', () => {
		expect(applyStrategicMergePatch({ a: [{ name: 'x' }] }, { a: [{ name: 'y' }] }, UNTYPED)).toEqual({
			a: [{ name: 'y' }],
		})
	})

	it.each<readonly [string, JsonObject]>([
		['has no "name"', { containers: [{ image: 'x' }] }],
		['"$patch" of a map', { securityContext: { $patch: 'merge' } }],
		['"$patch" of an item', { containers: [{ name: 'a', $patch: 'merge' }] }],
		['"$retainKeys"', { securityContext: { $retainKeys: ['a'], runAsUser: 1 } }],
		[
			'order of the items',
			{
				'$setElementOrder/containers': [{ name: 'a' }, { name: 'b' }],
				containers: [{ name: 'b' }, { name: 'a' }],
			},
		],
		['is not a list', { '$setElementOrder/containers': 1 }],
	])('refuses a patch: %s', (message, patch) => {
		const object = pod({ containers: [{ name: 'a' }], securityContext: {} })
		expect(() => merged(object, { spec: patch })).toThrow(message)
	})

	it('treats __proto__ as a key like any other', () => {
		const patch = JSON.parse(
			'{"metadata":{"labels":{"__proto__":{"polluted":true},"constructor":"x"}}}',
		) as JsonObject
		const result = merged(pod({}, { labels: { a: 'b' } }), patch)
		expect(JSON.stringify(result)).toBe(
			'{"metadata":{"labels":{"a":"b","__proto__":{"polluted":true},"constructor":"x"}},"spec":{}}',
		)
		expect(({} as Record<string, JsonValue>)['polluted']).toBeUndefined()
	})
})
