import { describe, expect, it } from 'vitest'
import type { Cluster, KubeObject, WatchEvent } from '../cluster/index.ts'
import { type ReadyProgress, waitUntilReady } from './wait-until-ready.ts'

const deployment = (name: string, readyReplicas: number): KubeObject => ({
	apiVersion: 'apps/v1',
	kind: 'Deployment',
	metadata: { name, generation: 1 },
	spec: { replicas: 1 },
	status: { observedGeneration: 1, updatedReplicas: 1, readyReplicas },
})
const pod = (name: string, reason: string): KubeObject => ({
	apiVersion: 'v1',
	kind: 'Pod',
	metadata: { name },
	status: { containerStatuses: [{ state: { waiting: { reason, message: 'back-off' } } }] },
})

/** A cluster whose watches give these events, and then nothing until they are ended. */
function clusterOf(events: Readonly<Record<string, readonly WatchEvent[]>>): Cluster {
	const watch: Cluster['watch'] = async function* ({ kind }, options = {}) {
		for (const event of events[kind] ?? [{ type: 'RESYNCED', items: [] }]) {
			if (options.signal?.aborted === true) return
			yield event
		}
		await new Promise<void>((resolve) => {
			if (options.signal?.aborted === true) resolve()
			options.signal?.addEventListener('abort', () => resolve(), { once: true })
		})
	}
	return { watch } as Partial<Cluster> as Cluster
}

describe('waitUntilReady', () => {
	it('waits for every workload, and tells what keeps one', async () => {
		const told: ReadyProgress[] = []
		const cluster = clusterOf({
			Pod: [{ type: 'RESYNCED', items: [pod('dex-1', 'ImagePullBackOff')] }],
			Deployment: [
				{ type: 'RESYNCED', items: [deployment('repo', 1), deployment('dex', 0)] },
				{ type: 'MODIFIED', object: deployment('dex', 1) },
			],
		})
		await waitUntilReady(cluster, {
			namespace: 'argocd',
			timeoutMs: 60_000,
			onProgress: (progress) => told.push(progress),
		})
		expect(told.at(-1)).toEqual({ ready: 2, of: 2, waiting: [], troubles: [] })
		expect(told).toContainEqual(expect.objectContaining({ ready: 1, of: 2, waiting: ['dex'] }))
	})

	it('says what was not ready when time is up', async () => {
		const cluster = clusterOf({
			Deployment: [{ type: 'RESYNCED', items: [deployment('dex', 0)] }],
			Pod: [{ type: 'RESYNCED', items: [pod('dex-1', 'ImagePullBackOff')] }],
		})
		await expect(waitUntilReady(cluster, { namespace: 'argocd', timeoutMs: 50 })).rejects.toMatchObject({
			code: 'ARGOCD_NOT_READY',
			message: expect.stringContaining('0 of 1 are ready, and not dex'),
			details: ['dex-1: ImagePullBackOff: back-off'],
		})
	})

	it('does not call it ready while one that is named is missing, or nothing is there', async () => {
		const cluster = clusterOf({ Deployment: [{ type: 'RESYNCED', items: [deployment('repo', 1)] }] })
		const needs = (name: string): boolean => name === 'coredns'
		const options = { namespace: 'kube-system', needs, timeoutMs: 50 }
		await expect(waitUntilReady(cluster, options)).rejects.toMatchObject({ code: 'ARGOCD_NOT_READY' })
		await expect(waitUntilReady(clusterOf({}), { namespace: 'argocd', timeoutMs: 50 })).rejects.toMatchObject(
			{ message: expect.stringContaining('nothing is there') },
		)
	})

	it('ends when it is interrupted', async () => {
		const stop = new AbortController()
		const waiting = waitUntilReady(clusterOf({}), { namespace: 'a', timeoutMs: 60_000, signal: stop.signal })
		stop.abort()
		await expect(waiting).rejects.toMatchObject({ name: 'AbortError' })
	})
})
