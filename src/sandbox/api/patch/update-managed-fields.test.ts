import { describe, expect, it } from 'vitest'
import { schemaOf, type JsonObject } from '../../../schema/index.ts'
import { updateManagedFields } from './update-managed-fields.ts'

const T1 = '2024-01-01T00:00:01Z'
const T2 = '2024-01-01T00:00:02Z'

function update(
	before: JsonObject | undefined,
	after: JsonObject,
	options: { manager?: string; time?: string; subresource?: string } = {},
) {
	const { manager = 'kubectl-create', time = T1, subresource } = options
	return updateManagedFields({
		...(before && { before }),
		after,
		manager,
		operation: 'Update',
		schema: schemaOf('apps/v1', 'Deployment'),
		time,
		apiVersion: 'apps/v1',
		...(subresource !== undefined && { subresource }),
	})
}

const deployment = (spec: JsonObject, metadata: JsonObject = {}): JsonObject => ({
	apiVersion: 'apps/v1',
	kind: 'Deployment',
	metadata: { name: 'web', uid: 'u', resourceVersion: '1', ...metadata },
	spec,
})

const entriesOf = (object: JsonObject) =>
	((object['metadata'] as JsonObject)['managedFields'] ?? []) as readonly JsonObject[]

describe('updateManagedFields', () => {
	it('gives what was created to its creator, as the API server does', () => {
		const created = update(
			undefined,
			deployment(
				{
					replicas: 1,
					selector: { matchLabels: { app: 'web' } },
					strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%' } },
					template: {
						metadata: { labels: { app: 'web' } },
						spec: {
							containers: [
								{ name: 'a', image: 'x', resources: {}, ports: [{ containerPort: 80, protocol: 'TCP' }] },
							],
						},
					},
				},
				{ labels: { app: 'web' } },
			),
		)
		expect(entriesOf(created)).toEqual([
			{
				manager: 'kubectl-create',
				operation: 'Update',
				apiVersion: 'apps/v1',
				time: T1,
				fieldsType: 'FieldsV1',
				fieldsV1: {
					'f:metadata': { 'f:labels': { '.': {}, 'f:app': {} } },
					'f:spec': {
						'f:replicas': {},
						'f:selector': {},
						'f:strategy': { 'f:rollingUpdate': { '.': {}, 'f:maxSurge': {} }, 'f:type': {} },
						'f:template': {
							'f:metadata': { 'f:labels': { '.': {}, 'f:app': {} } },
							'f:spec': {
								'f:containers': {
									'k:{"name":"a"}': {
										'.': {},
										'f:image': {},
										'f:name': {},
										'f:ports': {
											'.': {},
											'k:{"containerPort":80,"protocol":"TCP"}': {
												'.': {},
												'f:containerPort': {},
												'f:protocol': {},
											},
										},
										'f:resources': {},
									},
								},
							},
						},
					},
				},
			},
		])
	})

	it('moves what changed, and leaves the rest', () => {
		const created = update(undefined, deployment({ replicas: 1, paused: true }))
		const scaled = update(
			created,
			{ ...created, spec: { replicas: 2, paused: true } },
			{ manager: 'scaler', time: T2, subresource: 'scale' },
		)
		expect(entriesOf(scaled)).toMatchObject([
			{ manager: 'kubectl-create', time: T1, fieldsV1: { 'f:spec': { 'f:paused': {} } } },
			{ manager: 'scaler', time: T2, subresource: 'scale', fieldsV1: { 'f:spec': { 'f:replicas': {} } } },
		])
		expect(entriesOf(scaled)[0]?.['fieldsV1']).toEqual({ 'f:spec': { 'f:paused': {} } })
	})

	it('changes nothing when nothing changed but what nobody owns', () => {
		const created = update(undefined, deployment({ replicas: 1 }))
		const metadata = { ...(created['metadata'] as JsonObject), resourceVersion: '2', generation: 2 }
		const after = { ...created, metadata }
		expect(update(created, after, { manager: 'other', time: T2 })).toEqual(after)
	})

	it('drops who owns nothing any more', () => {
		const created = update(undefined, deployment({ replicas: 1 }))
		const { spec: _, ...emptied } = created
		expect(entriesOf(update(created, emptied, { manager: 'other' }))).toEqual([])
	})

	it('takes the entries that a client sends, and ends the bookkeeping for an empty list', () => {
		const created = update(undefined, deployment({ replicas: 1 }))
		const renamed = entriesOf(created).map((entry) => ({ ...entry, manager: 'kubectl', operation: 'Apply' }))
		const metadata = created['metadata'] as JsonObject
		expect(
			entriesOf(update(created, { ...created, metadata: { ...metadata, managedFields: renamed } })),
		).toEqual(renamed)
		const reset = update(created, { ...created, metadata: { ...metadata, managedFields: [{}] } })
		expect(entriesOf(reset)).toEqual([])
		expect(entriesOf(update(reset, { ...reset, spec: { replicas: 4 } }))).toEqual([])
		const broken = { ...created, metadata: { ...metadata, managedFields: [{ operation: 'Other' }] } }
		expect(entriesOf(update(created, broken))).toEqual(entriesOf(created))
	})

	it('joins the oldest of more than ten updaters', () => {
		let live = update(undefined, deployment({}, { labels: { l0: 'x' } }), {
			manager: 'm0',
			time: '2024-01-01T00:00:00Z',
		})
		for (let index = 1; index <= 12; index++) {
			const metadata = live['metadata'] as JsonObject
			const labels = { ...(metadata['labels'] as JsonObject), [`l${index}`]: 'x' }
			const time = `2024-01-01T00:00:${String(index).padStart(2, '0')}Z`
			live = update(live, { ...live, metadata: { ...metadata, labels } }, { manager: `m${index}`, time })
		}
		expect(entriesOf(live)).toHaveLength(10)
		const joined = entriesOf(live).find((entry) => entry['manager'] === 'ancient-changes')
		expect(JSON.stringify(joined?.['fieldsV1'])).toContain('"f:l0":{},"f:l1":{}')
	})
})
