import { describe, expect, it } from 'vitest'
import { builtInSchema, schemaOf } from './built-in-schema.ts'
import { checkFields, type FieldFault } from './check-fields.ts'
import { schemaOfCrd } from './custom-schema.ts'
import { defaultKeyValues, schemaAt, UNTYPED, type TypeSchema } from './type-schema.ts'

function down(schema: TypeSchema, path: string): TypeSchema {
	return path.split('.').reduce<TypeSchema>((at, key) => {
		if (key === '*') return at.kind === 'list' ? at.items : UNTYPED
		return schemaAt(at, key) ?? UNTYPED
	}, schema)
}

describe('schemaOf', () => {
	it.each([
		['apps/v1', 'Deployment', 'spec.replicas', { kind: 'scalar', type: 'integer', format: 'int32' }],
		['apps/v1', 'Deployment', 'spec.selector', { kind: 'map', mapType: 'atomic' }],
		['apps/v1', 'Deployment', 'spec.template.spec.containers', { listType: 'map', keys: ['name'] }],
		[
			'apps/v1',
			'Deployment',
			'spec.template.spec.containers.*.ports',
			{ listType: 'map', keys: ['containerPort', 'protocol'] },
		],
		['apps/v1', 'Deployment', 'spec.template.spec.containers.*.args', { kind: 'list', listType: 'atomic' }],
		['apps/v1', 'Deployment', 'spec.strategy.rollingUpdate.maxSurge', { type: 'int-or-string' }],
		['v1', 'Pod', 'spec.tolerations', { kind: 'list', listType: 'atomic' }],
		['v1', 'Pod', 'metadata.finalizers', { kind: 'list', listType: 'set' }],
		['v1', 'Pod', 'metadata.ownerReferences', { listType: 'map', keys: ['uid'] }],
		['v1', 'Pod', 'metadata.labels.any', { kind: 'scalar', type: 'string' }],
		['v1', 'Pod', 'spec.containers.*.resources.limits.cpu', { kind: 'scalar', type: 'quantity' }],
		['v1', 'Service', 'spec.ports', { listType: 'map', keys: ['port', 'protocol'] }],
		['v1', 'ConfigMap', 'data.key', { kind: 'scalar', type: 'string' }],
		['networking.k8s.io/v1', 'Ingress', 'spec.rules', { kind: 'list', listType: 'atomic' }],
		[
			'apiextensions.k8s.io/v1',
			'CustomResourceDefinition',
			'spec.versions.*.schema.openAPIV3Schema.properties.a.properties.b.type',
			{ type: 'string' },
		],
	])('%s %s: %s', (apiVersion, kind, path, expected) => {
		expect(down(schemaOf(apiVersion, kind), path)).toMatchObject(expected)
	})

	it('knows the patch strategy and the defaults of keys', () => {
		const pod = down(schemaOf('v1', 'Pod'), 'spec')
		expect(pod.kind === 'map' && pod.fields.get('volumes')).toMatchObject({
			patchStrategies: ['merge', 'retainKeys'],
			patchMergeKey: 'name',
		})
		const ports = down(pod, 'containers.*.ports')
		expect(ports.kind === 'list' && [...defaultKeyValues(ports)]).toEqual([
			['containerPort', 0],
			['protocol', 'TCP'],
		])
	})

	it('knows of other kinds only the metadata', () => {
		expect(builtInSchema('argoproj.io/v1alpha1', 'Application')).toBeUndefined()
		expect(builtInSchema('constructor', 'name')).toBeUndefined()
		expect(builtInSchema('v1', 'constructor')).toBeUndefined()
		const schema = schemaOf('argoproj.io/v1alpha1', 'Application')
		expect(down(schema, 'spec.source')).toEqual(UNTYPED)
		expect(down(schema, 'metadata.finalizers')).toMatchObject({ listType: 'set' })
	})
})

/** `unknown spec.replica`. */
const told = (faults: readonly FieldFault[]): readonly string[] =>
	faults.map((fault) => {
		const more = fault.kind === 'mistyped' ? `: ${fault.found}, not ${fault.wanted}` : ''
		return `${fault.kind} ${fault.path.join('.')}${more}`
	})

describe('checkFields', () => {
	it('name every field and every wrong type, and nothing of a good object', () => {
		const object = {
			apiVersion: 'apps/v1',
			kind: 'Deployment',
			metadata: { name: 'x', labels: { any: 'thing', n: 1 }, creationTimestamp: null },
			spec: {
				replica: 1,
				replicas: '1',
				strategy: { rollingUpdate: { maxSurge: '25%', maxUnavailable: 1 } },
				template: {
					spec: {
						containers: [{ name: 'a', imagee: 'x', resources: { limits: { cpu: 1, memory: '1Gi' } } }],
						volumes: {},
					},
				},
			},
		}
		const schema = schemaOf('apps/v1', 'Deployment')
		expect(told(checkFields(object, schema))).toEqual([
			'mistyped metadata.labels.n: number, not string',
			'unknown spec.replica',
			'mistyped spec.replicas: string, not integer',
			'unknown spec.template.spec.containers.0.imagee',
			'mistyped spec.template.spec.volumes: object, not array',
			'missing spec.selector',
		])
	})

	it.each([
		[
			'v1',
			'Secret',
			{ data: { a: 'YQ==', b: 'YQ=', c: 'Y Q==', d: 'YQ=\n=' } },
			['malformed data.b', 'malformed data.c'],
		],
		['v1', 'Service', { spec: { type: 'NodePorts' } }, ['unsupported spec.type']],
		['v1', 'Service', { spec: { type: '', ports: [{ port: 3e9 }] } }, ['malformed spec.ports.0.port']],
		[
			'v1',
			'Service',
			{ spec: { ports: [{ port: 80, targetPort: true }] } },
			['mistyped spec.ports.0.targetPort: bool, not integer or string'],
		],
		[
			'v1',
			'Pod',
			{
				spec: {
					containers: [
						{ name: 'a', resources: { limits: { cpu: 0.5, memory: '1 GB', a: '1e3', b: '-.5Ki' } } },
					],
				},
			},
			['malformed spec.containers.0.resources.limits.memory'],
		],
		['v1', 'Pod', { spec: { containers: null } }, ['missing spec.containers']],
		['v1', 'Pod', { metadata: { creationTimestamp: 'yesterday' } }, ['malformed metadata.creationTimestamp']],
		[
			'networking.k8s.io/v1',
			'NetworkPolicy',
			{ spec: { policyTypes: ['Ingress', 'In'] } },
			['unsupported spec.policyTypes.1'],
		],
	])('%s %s: %j', (apiVersion, kind, object, expected) => {
		expect(told(checkFields({ apiVersion, kind, ...object }, schemaOf(apiVersion, kind)))).toEqual(expected)
	})

	it('obey a custom schema', () => {
		const schema = schemaOfCrd({
			type: 'object',
			properties: {
				spec: {
					type: 'object',
					properties: {
						port: { 'x-kubernetes-int-or-string': true },
						size: { type: 'integer' },
						template: {
							type: 'object',
							'x-kubernetes-embedded-resource': true,
							'x-kubernetes-preserve-unknown-fields': true,
						},
						map: { type: 'object', additionalProperties: { type: 'string' } },
					},
				},
			},
		})
		const object = {
			apiVersion: 'x/v1',
			kind: 'X',
			metadata: { name: 'x', nam: 'y' },
			spec: {
				port: 1,
				size: 1.5,
				other: 1,
				map: { a: 'b' },
				template: { kind: 'Y', metadata: { name: 'z' }, free: [1] },
			},
		}
		expect(told(checkFields(object, schema))).toEqual([
			'unknown metadata.nam',
			'mistyped spec.size: number, not integer',
			'unknown spec.other',
		])
		expect(told(checkFields(object, schemaOfCrd(undefined)))).toEqual(['unknown metadata.nam'])
	})
})
