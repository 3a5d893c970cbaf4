import { describe, expect, it } from 'vitest'
import { isPodReady, isWorkloadReady, labelSelectorOf } from './workload-pods.ts'

const workload = (status: object, generation = 2): boolean =>
	isWorkloadReady({
		apiVersion: 'apps/v1',
		kind: 'Deployment',
		metadata: { name: 'a', generation },
		spec: { replicas: 2 },
		status,
	})
const ready = { observedGeneration: 2, replicas: 2, updatedReplicas: 2, readyReplicas: 2 }

describe('isWorkloadReady', () => {
	it('is as kubectl rollout status has it', () => expect(workload(ready)).toBe(true))
	it.each([
		['not seen yet', { ...ready, observedGeneration: 1 }],
		['not all updated', { ...ready, updatedReplicas: 1 }],
		['not all ready', { ...ready, readyReplicas: 1 }],
		['old pods that still serve', { ...ready, replicas: 3 }],
		['nothing known', {}],
	])('is not: %s', (_, status) => expect(workload(status)).toBe(false))
})

describe('isPodReady', () => {
	const pod = (metadata: object): boolean =>
		isPodReady({
			apiVersion: 'v1',
			kind: 'Pod',
			metadata: { name: 'p', ...metadata },
			status: { conditions: [{ type: 'Ready', status: 'True' }] },
		})
	it('does not count one that is about to go', () => {
		expect(pod({})).toBe(true)
		expect(pod({ deletionTimestamp: '2026-11-25T00:00:00Z' })).toBe(false)
	})
})

describe('labelSelectorOf', () => {
	it('selects nothing without labels', () => {
		expect(labelSelectorOf({ app: 'a', tier: 'web' })).toBe('app=a,tier=web')
		expect(labelSelectorOf({})).toBeUndefined()
		expect(labelSelectorOf(undefined)).toBeUndefined()
	})
})
