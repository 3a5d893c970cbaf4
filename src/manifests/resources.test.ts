import { expect, it } from 'vitest'
import { parseManifests } from './parse-manifests.ts'
import { plainSecrets, toResources } from './resources.ts'

function resourcesOf(text: string): ReturnType<typeof toResources> {
	return toResources(parseManifests(Buffer.from(text), 'a.yaml'))
}

it('tells objects from the rest, with a reason', () => {
	const { resources, others } = resourcesOf(
		[
			'apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: null}',
			'kind: Service\nmetadata: {name: x}',
			'apiVersion: v1\nmetadata: {name: x}',
			'apiVersion: v1\nkind: Service',
			'apiVersion: v1\nkind: Service\nmetadata: {}',
			'apiVersion: v1\nkind: Service\nmetadata: {name: 12}',
			'apiVersion: v1\nkind: Service\nmetadata: {name: x, labels: {a: yes}}',
			'apiVersion: batch/v1\nkind: Job\nmetadata: {generateName: run-}',
			'[1]',
		].join('\n---\n'),
	)
	expect(resources.map(({ object, line }) => [object.kind, object.metadata, line])).toEqual([
		['Service', { name: 'web' }, 1],
		['Job', { name: '', generateName: 'run-' }, 26],
	])
	expect(others.map((each) => each.reason)).toEqual([
		'no-apiVersion',
		'no-kind',
		'no-metadata',
		'no-name',
		'bad-metadata',
		'bad-metadata',
		'not-a-map',
	])
	expect(others[2]).toEqual({
		path: 'a.yaml',
		line: 11,
		reason: 'no-metadata',
		apiVersion: 'v1',
		kind: 'Service',
	})
})

it('takes lists apart', () => {
	const { resources, others } = resourcesOf(`
apiVersion: v1
kind: List
items:
  - {apiVersion: v1, kind: Service, metadata: {name: a}}
  - {apiVersion: v1}
---
apiVersion: v1
kind: ConfigMapList
items: [{metadata: {name: b}}]
---
apiVersion: example.com/v1
kind: PlayList
metadata: {name: not-a-list}
`)
	expect(
		resources.map(({ object, item }) => [object.apiVersion, object.kind, object.metadata.name, item]),
	).toEqual([
		['v1', 'Service', 'a', 0],
		['v1', 'ConfigMap', 'b', 0],
		['example.com/v1', 'PlayList', 'not-a-list', undefined],
	])
	expect(others).toMatchObject([{ line: 2, item: 1, reason: 'no-kind' }])
})

it('finds Secrets with data anybody can read', () => {
	const { resources } = resourcesOf(`
{apiVersion: v1, kind: Secret, metadata: {name: plain}, data: {a: Yg==}}
---
{apiVersion: v1, kind: Secret, metadata: {name: string}, stringData: {a: b}}
---
{apiVersion: v1, kind: Secret, metadata: {name: empty}, data: {}}
---
{apiVersion: bitnami.com/v1alpha1, kind: SealedSecret, metadata: {name: sealed}, data: {a: b}}
`)
	expect(plainSecrets(resources).map(({ object }) => object.metadata.name)).toEqual(['plain', 'string'])
})
