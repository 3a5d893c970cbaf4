import { describe, expect, it } from 'vitest'
import type { KubeObject } from '../../cluster/index.ts'
import { deletePolicies, isHook, isIgnoredHook, isSkipped, syncPhases } from './hooks.ts'
import { parseDuration, parseRetry } from './retry.ts'
import { createTask, objectOf, orderPruning, sortTasks, waveOf } from './sync-task.ts'
import { formatTrackingId, isSelfReferenced, trackingIdOf, withTrackingId } from './tracking.ts'

function object(
	type: string,
	name: string,
	more: { annotations?: Record<string, string>; namespace?: string; spec?: unknown } = {},
): KubeObject {
	const [, apiVersion = '', kind = ''] = /^(.*)\/([^/]+)$/.exec(type) ?? []
	const { spec, ...metadata } = more
	return { apiVersion, kind, metadata: { name, ...metadata }, ...(spec !== undefined && { spec }) }
}
const wave = (number: number) => ({ annotations: { 'argocd.argoproj.io/sync-wave': String(number) } })
const names = (objects: readonly KubeObject[]): readonly string[] =>
	sortTasks(objects.flatMap((each) => syncPhases(each).map((phase) => createTask(phase, each)))).map(
		(task) => objectOf(task).metadata.name,
	)

describe('sortTasks', () => {
	it('goes by phase, wave, kind and name', () => {
		const hook = object('batch/v1/Job', 'before', { annotations: { 'argocd.argoproj.io/hook': 'PreSync' } })
		expect(
			names([
				object('apps/v1/Deployment', 'deployment'),
				object('v1/ConfigMap', 'b'),
				object('v1/ConfigMap', 'a'),
				object('v1/ConfigMap', 'late', wave(1)),
				object('v1/ConfigMap', 'early', wave(-1)),
				object('x.y/v1/Custom', 'custom'),
				hook,
			]),
		).toEqual(['before', 'early', 'a', 'b', 'deployment', 'custom', 'late'])
	})

	it('makes namespaces before what stands in them, and definitions before their objects', () => {
		const definition = object('apiextensions.k8s.io/v1/CustomResourceDefinition', 'definition', {
			...wave(5),
			spec: { group: 'x.y', names: { kind: 'Custom' } },
		})
		const namespace = object('v1/Namespace', 'demo', wave(3))
		const inside = object('v1/ConfigMap', 'inside', { namespace: 'demo' })
		expect(names([object('x.y/v1/Custom', 'custom'), definition])).toEqual(['definition', 'custom'])
		expect(names([namespace, inside])).toEqual(['demo', 'inside'])
	})
})

describe('orderPruning', () => {
	it('goes backwards through the waves, or comes last', () => {
		const tasks = [0, 1, 2].map((number) =>
			createTask('Sync', undefined, object('v1/ConfigMap', 'x', wave(number))),
		)
		orderPruning(tasks, { pruneLast: false })
		expect(tasks.map(waveOf)).toEqual([2, 1, 0])
		const applied = createTask('Sync', object('v1/ConfigMap', 'y', wave(4)))
		orderPruning([...tasks, applied], { pruneLast: true })
		expect(tasks.map(waveOf)).toEqual([5, 5, 5])
	})
})

describe('hooks', () => {
	it.each([
		[{}, false, ['Sync']],
		[{ 'argocd.argoproj.io/hook': 'PreSync,PostSync' }, true, ['PreSync', 'PostSync']],
		[{ 'argocd.argoproj.io/hook': 'Skip' }, false, []],
		[{ 'argocd.argoproj.io/hook': 'Garbage' }, true, []],
		[{ 'helm.sh/hook': 'pre-install,pre-upgrade' }, true, ['PreSync']],
		[{ 'helm.sh/hook': 'crd-install' }, false, ['Sync']],
		[{ 'helm.sh/hook': 'test' }, true, []],
	])('%j', (annotations, hook, phases) => {
		const job = object('batch/v1/Job', 'x', { annotations })
		expect([isHook(job), syncPhases(job)]).toEqual([hook, phases])
		expect(isIgnoredHook(job)).toBe(hook && phases.length === 0)
		expect(isSkipped(job)).toBe(!hook && phases.length === 0)
	})
	it('is deleted before it is made anew unless it says otherwise', () => {
		const policy = (text: string): readonly string[] =>
			deletePolicies(
				object('v1/Pod', 'x', { annotations: { 'argocd.argoproj.io/hook-delete-policy': text } }),
			)
		expect(policy('garbage')).toEqual(['BeforeHookCreation'])
		expect(policy('HookSucceeded, HookFailed')).toEqual(['HookSucceeded', 'HookFailed'])
	})
})

describe('tracking', () => {
	it('reads what it writes', () => {
		const id = { application: 'a', group: 'apps', kind: 'Deployment', namespace: 'ns', name: 'x' }
		const tracked = object('apps/v1/Deployment', 'x', {
			namespace: 'ns',
			annotations: { 'argocd.argoproj.io/tracking-id': formatTrackingId(id) },
		})
		expect(trackingIdOf(tracked)).toEqual(id)
		expect(isSelfReferenced(tracked, undefined)).toBe(true)
		expect(isSelfReferenced({ ...tracked, kind: 'ReplicaSet' }, undefined)).toBe(false)
	})
	it('gives cluster-scoped objects the namespace of the destination', () => {
		const tracked = withTrackingId(object('v1/Namespace', 'x'), { application: 'a', namespace: 'demo' })
		expect(tracked.metadata.annotations?.['argocd.argoproj.io/tracking-id']).toBe('a:/Namespace:demo/x')
	})
})

describe('retry', () => {
	it('waits longer each time, up to a limit', () => {
		const retry = parseRetry({ limit: 3, backoff: { duration: '1s', factor: 3, maxDuration: '5s' } })
		expect([0, 1, 2].map((count) => retry.delay(count))).toEqual([1000, 3000, 5000])
		expect(parseRetry({ limit: 5 }).delay(1)).toBe(10_000)
		expect(parseRetry(undefined).limit).toBe(0)
	})
	it.each([
		['20', 20_000],
		['1m30s', 90_000],
		['0s', 0],
		['soon', undefined],
	])('%s', (text, ms) => {
		expect(parseDuration(text)).toBe(ms)
	})
})
