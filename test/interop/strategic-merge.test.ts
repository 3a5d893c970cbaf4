import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
	applyJsonPatch,
	applyMergePatch,
	applyStrategicMergePatch,
} from '../../src/sandbox/api/patch/index.ts'
import { schemaOf, type JsonObject, type JsonValue } from '../../src/schema/index.ts'

/**
 * Our patches against those of the real kubectl, which patches a local file with the API server's
 * own library (`kubectl patch --local`). Fails where kubectl is missing.
 */

const run = promisify(execFile)
let directory = ''

beforeAll(async () => {
	directory = await mkdtemp(join(tmpdir(), 'lading-'))
	await run('kubectl', ['version', '--client'])
})

afterAll(async () => {
	await rm(directory, { recursive: true, force: true })
})

type PatchKind = 'strategic' | 'merge' | 'json'

let files = 0

async function kubectlPatch(object: JsonObject, kind: PatchKind, patch: JsonValue): Promise<JsonValue> {
	files += 1
	const file = join(directory, `object-${files}.json`)
	await writeFile(file, JSON.stringify(object))
	const { stdout } = await run('kubectl', [
		'patch',
		'--local',
		`--filename=${file}`,
		`--type=${kind}`,
		`--patch=${JSON.stringify(patch)}`,
		'--output=json',
	])
	return settled(JSON.parse(stdout) as JsonValue)
}

function textAt(object: JsonObject, key: string): string {
	const value = object[key]
	return typeof value === 'string' ? value : ''
}

/**
 * In an item that is new to a list, kubectl leaves nulls and directives as they stand in the
 * patch; no object that a server keeps has them.
 */
function settled(value: JsonValue): JsonValue {
	if (Array.isArray(value)) return value.filter((item) => !isDirective(item)).map(settled)
	if (typeof value !== 'object' || value === null) return value
	const entries = Object.entries(value).filter(([, item]) => item !== null)
	return Object.fromEntries(entries.map(([key, item]) => [key, settled(item)]))
}

function isDirective(item: JsonValue): boolean {
	return typeof item === 'object' && item !== null && Object.hasOwn(item, '$patch')
}

function ours(object: JsonObject, kind: PatchKind, patch: JsonValue): JsonValue {
	switch (kind) {
		case 'json':
			return applyJsonPatch(object, patch)
		case 'merge':
			return applyMergePatch(object, patch)
		case 'strategic':
			return applyStrategicMergePatch(
				object,
				patch as JsonObject,
				schemaOf(textAt(object, 'apiVersion'), textAt(object, 'kind')),
			)
		default:
			throw new Error(`unknown kind ${String(kind)}`)
	}
}

const DEPLOYMENT: JsonObject = {
	apiVersion: 'apps/v1',
	kind: 'Deployment',
	metadata: { name: 'web', labels: { app: 'web', tier: 'front' }, finalizers: ['x.io/a', 'x.io/b'] },
	spec: {
		replicas: 1,
		selector: { matchLabels: { app: 'web' } },
		strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
		template: {
			metadata: { labels: { app: 'web' } },
			spec: {
				containers: [
					{
						name: 'web',
						image: 'web:1',
						args: ['--a', '--b'],
						env: [
							{ name: 'A', value: '1' },
							{ name: 'B', value: '2' },
						],
						ports: [
							{ containerPort: 80, protocol: 'TCP' },
							{ containerPort: 53, protocol: 'UDP' },
						],
						resources: { limits: { cpu: '1', memory: '1Gi' } },
					},
					{ name: 'side', image: 'side:1' },
				],
				volumes: [
					{ name: 'data', emptyDir: {} },
					{ name: 'config', configMap: { name: 'config' } },
				],
				tolerations: [{ key: 'a', operator: 'Exists' }],
				imagePullSecrets: [{ name: 'one' }],
			},
		},
	},
}

const SERVICE: JsonObject = {
	apiVersion: 'v1',
	kind: 'Service',
	metadata: { name: 'web', ownerReferences: [{ apiVersion: 'v1', kind: 'X', name: 'x', uid: '1' }] },
	spec: {
		selector: { app: 'web' },
		ports: [
			{ name: 'http', port: 80, targetPort: 8080 },
			{ name: 'https', port: 443, targetPort: 8443 },
		],
		externalIPs: ['10.0.0.1'],
	},
}

const pod = (spec: JsonObject): JsonObject => ({ spec: { template: { spec } } })

const cases: readonly (readonly [string, JsonObject, PatchKind, JsonValue])[] = [
	[
		'image of one container',
		DEPLOYMENT,
		'strategic',
		pod({ containers: [{ name: 'side', image: 'side:2' }] }),
	],
	[
		'a new container',
		DEPLOYMENT,
		'strategic',
		pod({ containers: [{ name: 'new', image: 'n', stdin: null }] }),
	],
	[
		'containers in another order',
		DEPLOYMENT,
		'strategic',
		pod({
			containers: [
				{ name: 'side', tty: true },
				{ name: 'web', tty: true },
			],
		}),
	],
	[
		'environment',
		DEPLOYMENT,
		'strategic',
		pod({
			containers: [
				{
					name: 'web',
					env: [
						{ name: 'B', value: '3' },
						{ name: 'C', value: '4' },
					],
				},
			],
		}),
	],
	[
		'a variable deleted',
		DEPLOYMENT,
		'strategic',
		pod({ containers: [{ name: 'web', env: [{ name: 'A', $patch: 'delete' }] }] }),
	],
	[
		'ports',
		DEPLOYMENT,
		'strategic',
		pod({
			containers: [{ name: 'web', ports: [{ containerPort: 53, name: 'dns' }, { containerPort: 81 }] }],
		}),
	],
	['arguments', DEPLOYMENT, 'strategic', pod({ containers: [{ name: 'web', args: ['--c'] }] })],
	[
		'a limit removed',
		DEPLOYMENT,
		'strategic',
		pod({ containers: [{ name: 'web', resources: { limits: { cpu: null } } }] }),
	],
	['a container deleted', DEPLOYMENT, 'strategic', pod({ containers: [{ name: 'web', $patch: 'delete' }] })],
	[
		'all containers replaced',
		DEPLOYMENT,
		'strategic',
		pod({ containers: [{ $patch: 'replace' }, { name: 'only', image: 'o' }] }),
	],
	['tolerations', DEPLOYMENT, 'strategic', pod({ tolerations: [{ key: 'b' }] })],
	['pull secrets', DEPLOYMENT, 'strategic', pod({ imagePullSecrets: [{ name: 'two' }] })],
	[
		'a volume with other keys',
		DEPLOYMENT,
		'strategic',
		pod({ volumes: [{ name: 'data', $retainKeys: ['name', 'hostPath'], hostPath: { path: '/x' } }] }),
	],
	[
		'the order of volumes',
		DEPLOYMENT,
		'strategic',
		pod({
			'$setElementOrder/volumes': [{ name: 'config' }, { name: 'data' }],
			volumes: [{ name: 'data', emptyDir: { medium: 'Memory' } }],
		}),
	],
	[
		'the order of some',
		DEPLOYMENT,
		'strategic',
		pod({
			'$setElementOrder/containers': [{ name: 'new' }, { name: 'web' }],
			containers: [{ name: 'new', image: 'n' }],
		}),
	],
	['strategy', DEPLOYMENT, 'strategic', { spec: { strategy: { $retainKeys: ['type'], type: 'Recreate' } } }],
	[
		'strategy emptied',
		DEPLOYMENT,
		'strategic',
		{ spec: { strategy: { rollingUpdate: { $patch: 'delete' } } } },
	],
	['labels replaced', DEPLOYMENT, 'strategic', { metadata: { labels: { $patch: 'replace', only: 'this' } } }],
	['a label removed', DEPLOYMENT, 'strategic', { metadata: { labels: { tier: null, new: 'x' } } }],
	['finalizers added', DEPLOYMENT, 'strategic', { metadata: { finalizers: ['x.io/c', 'x.io/b'] } }],
	[
		'finalizers deleted',
		DEPLOYMENT,
		'strategic',
		{ metadata: { '$deleteFromPrimitiveList/finalizers': ['x.io/a'] } },
	],
	[
		'finalizers in order',
		DEPLOYMENT,
		'strategic',
		{ metadata: { '$setElementOrder/finalizers': ['x.io/b', 'x.io/a'] } },
	],
	[
		'service ports',
		SERVICE,
		'strategic',
		{
			spec: {
				ports: [
					{ port: 443, nodePort: 30000 },
					{ port: 81, name: 'more' },
				],
			},
		},
	],
	[
		'owners',
		SERVICE,
		'strategic',
		{
			metadata: {
				ownerReferences: [
					{ uid: '2', name: 'y', kind: 'Y', apiVersion: 'v1' },
					{ uid: '1', controller: true },
				],
			},
		},
	],
	['addresses', SERVICE, 'strategic', { spec: { externalIPs: ['10.0.0.2'] } }],
	[
		'a whole list by merge patch',
		SERVICE,
		'merge',
		{ spec: { ports: [{ port: 1 }], selector: { app: null, a: 'b' } } },
	],
	['a field by merge patch', DEPLOYMENT, 'merge', { spec: { replicas: 3, paused: true, strategy: null } }],
	[
		'operations',
		DEPLOYMENT,
		'json',
		[
			{ op: 'test', path: '/spec/replicas', value: 1 },
			{ op: 'replace', path: '/spec/replicas', value: 2 },
			{ op: 'add', path: '/metadata/labels/a~1b', value: 'c' },
			{ op: 'remove', path: '/spec/template/spec/containers/1' },
			{ op: 'copy', from: '/metadata/labels/app', path: '/metadata/labels/copy' },
			{ op: 'move', from: '/metadata/labels/tier', path: '/metadata/labels/moved' },
		],
	],
]

const refused: readonly (readonly [string, PatchKind, JsonValue])[] = [
	['an item without its key', 'strategic', pod({ containers: [{ image: 'x' }] })],
	['a directive that is none', 'strategic', { metadata: { labels: { $patch: 'other' } } }],
	[
		'a key that is not retained',
		'strategic',
		{ spec: { strategy: { $retainKeys: ['type'], rollingUpdate: {} } } },
	],
	['a test that fails', 'json', [{ op: 'test', path: '/spec/replicas', value: 7 }]],
	['a path that is not there', 'json', [{ op: 'remove', path: '/spec/none' }]],
]

const named = (names: readonly string[], extra: fc.Arbitrary<JsonObject>): fc.Arbitrary<JsonValue[]> =>
	fc.uniqueArray(
		fc.tuple(fc.constantFrom(...names), extra).map(([name, rest]): JsonObject => ({ name, ...rest })),
		{ selector: (item) => item['name'], maxLength: 3 },
	)

const variable = fc.oneof(
	fc.constantFrom('1', '2').map((value): JsonObject => ({ value })),
	fc.constant<JsonObject>({ $patch: 'delete' }),
)
const generated: fc.Arbitrary<JsonObject> = fc
	.record({
		containers: named(
			['web', 'side', 'new'],
			fc.oneof(
				fc.constant<JsonObject>({ $patch: 'delete' }),
				fc.record({ image: fc.constantFrom('x', 'y', null), env: named(['A', 'B', 'C'], variable) }),
			),
		),
		tolerations: fc.subarray<JsonValue>([{ key: 'x' }, { key: 'y' }]),
		finalizers: fc.shuffledSubarray(['x.io/a', 'x.io/b', 'x.io/c']),
	})
	.map(({ containers, tolerations, finalizers }) => ({
		metadata: { finalizers },
		...pod({ containers, tolerations }),
	}))

describe('a patch is what kubectl makes of it', () => {
	it.each(cases)('%s', async (_, object, kind, patch) => {
		expect(ours(object, kind, patch)).toEqual(await kubectlPatch(object, kind, patch))
	})

	it.each(refused)('refuses %s', async (_, kind, patch) => {
		await expect(kubectlPatch(DEPLOYMENT, kind, patch)).rejects.toThrow('Command failed')
		expect(() => ours(DEPLOYMENT, kind, patch)).toThrow(/patch/)
	})

	it('for generated patches', async () => {
		await fc.assert(
			fc.asyncProperty(generated, async (patch) => {
				expect(ours(DEPLOYMENT, 'strategic', patch)).toEqual(
					await kubectlPatch(DEPLOYMENT, 'strategic', patch),
				)
			}),
			{ numRuns: 60 },
		)
	})
})
