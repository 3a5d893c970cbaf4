import { describe, expect, it } from 'vitest'
import { asDefined, diffResources, formatDiff, type ManifestObject } from '../manifests/index.ts'
import { builtInTypes } from './built-in-types.ts'

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration'

type Fields = Readonly<Record<string, unknown>>

function deployment(spec: Fields, metadata: Fields = {}): ManifestObject {
	return { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web', ...metadata }, spec }
}

/** What the comparison says of a live object against what is wanted. */
function lines(live: ManifestObject, wanted: ManifestObject): readonly string[] {
	const sides = asDefined(live, wanted, builtInTypes(wanted))
	return formatDiff(diffResources([sides.live], [sides.wanted], { typesOf: builtInTypes }))
		.slice(1)
		.map(({ kind, text }) => `${kind} ${text}`)
}

const wanted = deployment({
	replicas: 2,
	template: { spec: { containers: [{ name: 'app', image: 'a:1', ports: [{ containerPort: 80 }] }] } },
})

/** As a server keeps it. */
function live(
	change: { readonly image?: string; readonly containers?: readonly Fields[] } = {},
): ManifestObject {
	return {
		...deployment(
			{
				replicas: 2,
				progressDeadlineSeconds: 600,
				strategy: { type: 'RollingUpdate' },
				template: {
					metadata: { creationTimestamp: null },
					spec: {
						restartPolicy: 'Always',
						containers: [
							...(change.containers ?? []),
							{
								name: 'app',
								image: change.image ?? 'a:1',
								imagePullPolicy: 'IfNotPresent',
								ports: [{ containerPort: 80, protocol: 'TCP' }],
							},
						],
					},
				},
			},
			{
				uid: '1',
				resourceVersion: '7',
				generation: 2,
				annotations: { 'argocd.argoproj.io/tracking-id': 'web:apps/Deployment:shop/web' },
				labels: { 'added-by': 'somebody' },
				managedFields: [],
			},
		),
		status: { replicas: 2 },
	}
}

describe('what runs, against what a manifest defines', () => {
	it('is the same in what the server has filled in, and what others have set', () => {
		expect(lines(live({ containers: [{ name: 'sidecar', image: 's:1' }] }), wanted)).toEqual([])
	})

	it('tells what the manifest has otherwise', () => {
		expect(lines(live({ image: 'a:2' }), wanted)).toEqual([
			'changed spec.template.spec.containers[name=app].image: "a:2" → "a:1"',
		])
		expect(lines(live(), deployment({ ...Object(wanted['spec']), paused: true }))).toEqual([
			'added spec.paused: true',
		])
	})

	it.each([
		['null', null],
		['no text', ''],
		['an empty list', []],
		['an empty map', {}],
		['false', false],
	])('asks for nothing with %s', (_, value) => {
		expect(lines(live(), deployment({ ...Object(wanted['spec']), more: value }))).toEqual([])
	})

	it.each([
		[
			'client-side',
			{
				annotations: {
					[LAST_APPLIED]: JSON.stringify(deployment({ replicas: 2, paused: true, gone: [{ a: 1 }] })),
				},
			},
		],
		[
			'server-side',
			{
				managedFields: [
					{
						manager: 'argocd-controller',
						operation: 'Apply',
						fieldsV1: { 'f:spec': { 'f:replicas': {}, 'f:paused': {}, 'f:gone': {} } },
					},
				],
			},
		],
	])('tells what was deployed %s and is not wanted any more', (_, metadata) => {
		const present = deployment({ replicas: 2, paused: true, gone: [{ a: 1 }], other: 1 }, metadata)
		expect(lines(present, deployment({ replicas: 2 }))).toEqual([
			'removed spec.gone: [{"a":1}]',
			'removed spec.paused: true',
		])
	})

	it('tells of an item of a list that was deployed and is not wanted any more', () => {
		const env = (...names: string[]): Fields => ({
			template: { spec: { containers: [{ name: 'app', env: names.map((name) => ({ name, value: 'x' })) }] } },
		})
		const owned = {
			'f:spec': {
				'f:template': {
					'f:spec': {
						'f:containers': {
							'k:{"name":"app"}': {
								'.': {},
								'f:name': {},
								'f:env': { 'k:{"name":"A"}': { '.': {} }, 'k:{"name":"B"}': { '.': {} } },
							},
						},
					},
				},
			},
		}
		const managedFields = [{ manager: 'argocd-controller', operation: 'Apply', fieldsV1: owned }]
		expect(lines(deployment(env('A', 'B', 'INJECTED'), { managedFields }), deployment(env('A')))).toEqual([
			'removed spec.template.spec.containers[name=app].env[name=B]: {"name":"B","value":"x"}',
		])
	})

	it('takes the plain text of a Secret for what it becomes, and shows none of it', () => {
		const secret = (fields: Fields): ManifestObject => ({
			apiVersion: 'v1',
			kind: 'Secret',
			metadata: { name: 's' },
			...fields,
		})
		const present = secret({
			type: 'Opaque',
			data: { password: Buffer.from('TOPSECRET').toString('base64') },
		})
		expect(lines(present, secret({ stringData: { password: 'TOPSECRET' } }))).toEqual([])
		const told = lines(present, secret({ stringData: { password: 'TOPSECRET2' } }))
		expect(told).toEqual(['changed data.password: "***" → "***"'])
	})
})
