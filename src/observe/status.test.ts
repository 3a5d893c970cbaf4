import { describe, expect, it } from 'vitest'
import { buildApplication, parseApplication } from '../argocd/index.ts'
import type { Cluster, KubeObject, ObjectList } from '../cluster/index.ts'
import { RemoteError } from '../errors/index.ts'
import { createClusterApplicationApi } from '../sync/index.ts'
import { type ApplicationState, readHistory, readStatus, readUnhealthy, type StatusOptions } from './index.ts'

const DIGEST = `sha256:${'1'.repeat(64)}`
const built = buildApplication({
	name: 'web',
	repoURL: 'oci://r:5000/web',
	targetRevision: 'v1',
	destination: { namespace: 'shop' },
})

/** As Argo CD 3.6 writes it: no health beside a resource. */
const degraded = {
	...built,
	status: {
		sync: { status: 'Synced', revision: DIGEST },
		health: { status: 'Degraded', message: 'Caused by apps/Deployment:shop/web' },
		resources: [
			{ version: 'v1', kind: 'ConfigMap', namespace: 'shop', name: 'web', status: 'Synced' },
			{ group: 'apps', version: 'v1', kind: 'Deployment', namespace: 'shop', name: 'web', status: 'Synced' },
		],
	},
}
const deployment: KubeObject = {
	apiVersion: 'apps/v1',
	kind: 'Deployment',
	metadata: { name: 'web', namespace: 'shop' },
	spec: { selector: { matchLabels: { app: 'web' } } },
	status: {
		conditions: [
			{ type: 'Available', status: 'False', message: 'Deployment does not have minimum availability.' },
			{ type: 'Progressing', status: 'False', message: 'ReplicaSet "web-1" has timed out progressing.' },
		],
	},
}
const podOf = (status: unknown): KubeObject => ({
	apiVersion: 'v1',
	kind: 'Pod',
	metadata: { name: 'web-1-x', namespace: 'shop' },
	status,
})

function fakeCluster(objects: readonly KubeObject[]): Cluster {
	const none = (): Promise<never> => Promise.reject(new RemoteError('FORBIDDEN', 'no'))
	return {
		server: 'https://fake/',
		version: none,
		get: ({ kind, name }) =>
			Promise.resolve(objects.find((each) => each.kind === kind && each.metadata.name === name)),
		list: ({ kind }) =>
			Promise.resolve({ items: objects.filter((each) => each.kind === kind), resourceVersion: '1' }),
		create: none,
		apply: none,
		patch: none,
		delete: none,
		async *watch() {
			yield* []
		},
	}
}

const statusOf = async (
	cluster: Cluster,
	options: StatusOptions = {},
): Promise<readonly ApplicationState[]> =>
	await readStatus(createClusterApplicationApi(cluster), {
		readUnhealthy: async (application) => await readUnhealthy(cluster, application),
		...options,
	})

const healthOf = async (
	objects: readonly KubeObject[],
	application: KubeObject = degraded,
): Promise<unknown> => {
	const [state] = await statusOf(fakeCluster([application, ...objects]), { names: ['web'] })
	return state?.resourceStates.map(({ health }) => health?.message)
}

describe('readStatus', () => {
	it('asks the live objects why an Application is Degraded', async () => {
		expect(await healthOf([deployment])).toEqual([
			undefined,
			'Progressing: ReplicaSet "web-1" has timed out progressing.',
		])
		const pulling = podOf({ containerStatuses: [{ state: { waiting: { reason: 'ImagePullBackOff' } } }] })
		expect(await healthOf([deployment, pulling])).toEqual([undefined, 'Pod web-1-x: ImagePullBackOff'])
		const nowhere = podOf({
			conditions: [
				{
					type: 'PodScheduled',
					status: 'False',
					reason: 'Unschedulable',
					message: '0/1 nodes are available',
				},
			],
		})
		expect(await healthOf([deployment, nowhere])).toEqual([
			undefined,
			'Pod web-1-x: Unschedulable: 0/1 nodes are available',
		])
	})

	it('knows nothing of the objects of another cluster, and asks nothing of a healthy one', async () => {
		const elsewhere = { ...degraded, spec: { ...built.spec, destination: { server: 'https://other' } } }
		expect(await healthOf([deployment], elsewhere)).toEqual([undefined, undefined])
		const healthy = { ...degraded, status: { ...degraded.status, health: { status: 'Healthy' } } }
		expect(await healthOf([deployment], healthy)).toEqual([undefined, undefined])
	})

	it('says whether the tag has moved, and nothing where the registry does not answer', async () => {
		const moved = async (resolveTag: () => Promise<string | undefined>): Promise<unknown> =>
			(await statusOf(fakeCluster([degraded]), { names: ['web'], resolveTag }))[0]?.tagMoved
		expect(await moved(() => Promise.resolve(DIGEST))).toBe(false)
		expect(await moved(() => Promise.resolve('sha256:other'))).toBe(true)
		expect(await moved(() => Promise.reject(new RemoteError('CONNECTION_FAILED', 'x')))).toBeUndefined()
	})

	it('says nothing of the tag before a comparison has succeeded', async () => {
		const sync = { status: 'Unknown', revision: 'v1.0.0' }
		const never = { ...degraded, status: { ...degraded.status, sync } }
		const resolveTag = (): Promise<string> => Promise.resolve(DIGEST)
		const [state] = await statusOf(fakeCluster([never]), { names: ['web'], resolveTag })
		expect(state?.revision).toBe('v1.0.0')
		expect(state?.tagMoved).toBeUndefined()
	})

	it('does not call a cluster without Argo CD empty', async () => {
		const list = (): Promise<ObjectList> => Promise.resolve({ items: [], resourceVersion: '' })
		const version = (): Promise<string> => Promise.resolve('v1.37.2')
		await expect(statusOf({ ...fakeCluster([]), list, version })).rejects.toMatchObject({
			code: 'NOT_FOUND',
			message: expect.stringContaining('v1.37.2'),
		})
		expect(await statusOf(fakeCluster([]))).toEqual([])
	})

	it('refuses a name that is not there', async () => {
		await expect(statusOf(fakeCluster([]), { names: ['none'] })).rejects.toMatchObject({
			code: 'NOT_FOUND',
		})
	})
})

describe('readHistory', () => {
	it('tells the newest first, and who it was', () => {
		const history = [
			{
				id: 0,
				revision: DIGEST,
				deployedAt: '2026-01-01T00:00:00Z',
				source: { repoURL: 'oci://r/web', targetRevision: 'v1' },
				initiatedBy: { username: 'lading' },
			},
			{ id: 1, revision: DIGEST, deployedAt: '2026-01-02T00:00:00Z', initiatedBy: { automated: true } },
		]
		expect(readHistory(parseApplication({ ...built, status: { history } }))).toMatchObject([
			{ id: 1, initiator: 'automated', current: true },
			{ id: 0, initiator: 'lading', current: false, targetRevision: 'v1' },
		])
	})
})
