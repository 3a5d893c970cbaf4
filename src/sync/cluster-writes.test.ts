import { describe, expect, it } from 'vitest'
import { RemoteError } from '../errors/index.ts'
import { buildApplication } from '../argocd/index.ts'
import type { Cluster, KubeObject, ObjectRef } from '../cluster/index.ts'
import { parseDigest } from '../oci/index.ts'
import {
	type ApplicationApi,
	applyApplication,
	applyRepositorySecret,
	createClusterApplicationApi,
	createClusterArgocd,
	isCaTrusted,
	isRefreshing,
	isStuck,
	moveRevision,
	refreshMatching,
	restartSync,
	secretField,
	trustCa,
} from './index.ts'

/** As much of a cluster as writing takes: a map, with merge patches. */
function fakeCluster(): Cluster & { readonly objects: Map<string, KubeObject> } {
	const objects = new Map<string, KubeObject>()
	const key = ({ kind, name, namespace }: ObjectRef): string => `${kind} ${namespace ?? ''}/${name}`
	const put = (object: KubeObject): Promise<KubeObject> => {
		objects.set(key({ ...object, ...object.metadata }), object)
		return Promise.resolve(object)
	}
	const merge = (into: unknown, patch: unknown): unknown => {
		if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch
		const result: Record<string, unknown> = { ...(into as object | undefined) }
		for (const [field, value] of Object.entries(patch)) result[field] = merge(result[field], value)
		return result
	}
	return {
		objects,
		server: 'https://fake/',
		version: () => Promise.resolve('v1.37.2'),
		get: (ref) => Promise.resolve(objects.get(key(ref))),
		list: ({ kind }) =>
			Promise.resolve({
				items: [...objects.values()].filter((each) => each.kind === kind),
				resourceVersion: '1',
			}),
		create: put,
		apply: put,
		async patch(ref, patch) {
			const present = objects.get(key(ref))
			return present && (await put(merge(present, patch) as KubeObject))
		},
		delete: (ref) => Promise.resolve(objects.delete(key(ref))),
		async *watch() {
			yield* []
		},
	}
}

const PEM = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'
const repoURL = 'oci://registry:5000/app'
const built = buildApplication({
	name: 'app',
	repoURL,
	targetRevision: 'v1',
	destination: { namespace: 'demo' },
})
const ref = { name: 'app', namespace: 'argocd' }

describe('trustCa', () => {
	it('adds a key and touches no other; the second time it changes nothing', async () => {
		const cluster = fakeCluster()
		const options = { host: 'registry:5000', pem: PEM }
		expect(await trustCa(cluster, options)).toBe('changed')
		expect(await trustCa(cluster, { ...options, host: 'other' })).toBe('changed')
		expect(await trustCa(cluster, options)).toBe('unchanged')
		const object = cluster.objects.get('ConfigMap argocd/argocd-tls-certs-cm')
		expect(object?.data).toEqual({ registry: PEM, other: PEM })
		expect(object?.metadata.labels).toMatchObject({ 'app.kubernetes.io/part-of': 'argocd' })
	})
})

describe('trustCa, and the kubelet', () => {
	const repoServer: KubeObject = {
		apiVersion: 'v1',
		kind: 'Pod',
		metadata: { name: 'argocd-repo-server-1', namespace: 'argocd' },
	}
	const annotationsOf = (cluster: ReturnType<typeof fakeCluster>): unknown =>
		cluster.objects.get('Pod argocd/argocd-repo-server-1')?.metadata.annotations

	it('changes the pod of the repo-server, so that the kubelet hands it the CA at once', async () => {
		const cluster = fakeCluster()
		await cluster.create(repoServer)
		await trustCa(cluster, { host: 'registry:5000', pem: PEM })
		expect(annotationsOf(cluster)).toHaveProperty(['lading/tls-certs-version'])
	})

	it('does without it where pods may not be changed', async () => {
		const cluster = fakeCluster()
		const refusing: Cluster = {
			...cluster,
			list: () => Promise.reject(new RemoteError('FORBIDDEN', 'you may not list pods')),
		}
		expect(await trustCa(refusing, { host: 'registry:5000', pem: PEM })).toBe('changed')
	})
})

describe('isCaTrusted', () => {
	it('wants the very CA where it is known, and any where it is not', async () => {
		const cluster = fakeCluster()
		const place = { host: 'registry:5000' }
		expect(await isCaTrusted(cluster, place)).toBe(false)
		await trustCa(cluster, { ...place, pem: PEM })
		const rotated = PEM.replace('AAAA', 'BBBB')
		expect(await isCaTrusted(cluster, place)).toBe(true)
		expect(await isCaTrusted(cluster, { ...place, pem: PEM })).toBe(true)
		expect(await isCaTrusted(cluster, { ...place, pem: rotated })).toBe(false)
		await trustCa(cluster, { ...place, pem: rotated })
		expect(await isCaTrusted(cluster, { ...place, pem: rotated })).toBe(true)
		expect(await isCaTrusted(cluster, { ...place, pem: PEM })).toBe(true)
	})
})

describe('applyRepositorySecret', () => {
	it('leaves the Secret that someone else made', async () => {
		const cluster = fakeCluster()
		expect((await applyRepositorySecret(cluster, { repoURL })).outcome).toBe('applied')
		expect((await applyRepositorySecret(cluster, { repoURL, username: 'u', password: 'p' })).outcome).toBe(
			'applied',
		)
		const [mine] = cluster.objects.values()
		expect(mine && secretField(mine, 'password')).toBe('p')
		cluster.objects.clear()
		const data = { url: Buffer.from(repoURL).toString('base64'), type: Buffer.from('git').toString('base64') }
		await cluster.create({
			apiVersion: 'v1',
			kind: 'Secret',
			metadata: { name: 'theirs', namespace: 'argocd' },
			data,
		})
		expect(await applyRepositorySecret(cluster, { repoURL })).toEqual({
			outcome: 'kept',
			name: 'theirs',
			type: 'git',
		})
		expect(cluster.objects.size).toBe(1)
	})

	it('keeps the credentials that it holds where no others are given', async () => {
		const cluster = fakeCluster()
		await applyRepositorySecret(cluster, { repoURL, username: 'u', password: 'p', plainHttp: true })
		await applyRepositorySecret(cluster, { repoURL })
		const [mine] = cluster.objects.values()
		expect(mine?.stringData).toEqual({ type: 'oci', url: repoURL, username: 'u', password: 'p' })
		await applyRepositorySecret(cluster, { repoURL, username: 'u', password: 'new' })
		const [changed] = cluster.objects.values()
		expect(changed?.stringData).toMatchObject({ password: 'new' })
	})
})

describe('who may do less', () => {
	const forbidden = (): Promise<never> => Promise.reject(new RemoteError('FORBIDDEN', 'secrets is forbidden'))
	const cluster: Cluster = { ...fakeCluster(), list: forbidden, get: forbidden }

	it('makes no repository, and is told so only where credentials would be lost', async () => {
		expect((await applyRepositorySecret(cluster, { repoURL })).outcome).toBe('forbidden')
		const given = { repoURL, username: 'u', password: 'p' }
		await expect(applyRepositorySecret(cluster, given)).rejects.toMatchObject({ code: 'FORBIDDEN' })
	})

	it('removes none, and knows of no CA', async () => {
		expect(await createClusterArgocd(cluster).repositories.remove(repoURL)).toBe(false)
		expect(await isCaTrusted(cluster, { host: 'registry:5000' })).toBe(false)
	})
})

describe('Applications', () => {
	it('are created, moved and compared again', async () => {
		const cluster = fakeCluster()
		const api = createClusterApplicationApi(cluster)
		expect((await applyApplication(api, built)).outcome).toBe('created')
		const { application, from } = await moveRevision(api, ref, { revision: 'v2' })
		expect([from, application.spec.source?.targetRevision, isRefreshing(application)]).toEqual([
			'v1',
			'v2',
			true,
		])
		expect(application.spec.source?.path).toBe('.')
		await expect(moveRevision(api, { ...ref, name: 'none' }, { revision: 'v2' })).rejects.toMatchObject({
			code: 'NOT_FOUND',
		})
	})

	it('are synced on request, but not while a sync is running', async () => {
		const cluster = fakeCluster()
		const api = createClusterApplicationApi(cluster)
		await applyApplication(api, built)
		const asked = await api.requestSync(ref, { prune: true })
		expect(asked?.operation).toMatchObject({
			initiatedBy: { username: 'lading' },
			sync: { prune: true, syncOptions: ['CreateNamespace=true'] },
		})
		expect((await api.requestSync(ref))?.operation).toEqual(asked?.operation)
		await cluster.create({ ...built, status: { operationState: { phase: 'Running' } } })
		expect((await api.requestSync(ref))?.operation).toBeUndefined()
	})

	it('are synced anew where the last sync stands in the way', async () => {
		const cluster = fakeCluster()
		// As the controller does, at the next look.
		const ended = (): void => {
			const key = 'Application argocd/app'
			const object = cluster.objects.get(key)
			if (object) cluster.objects.set(key, { ...object, status: { operationState: { phase: 'Failed' } } })
		}
		const api: ApplicationApi = {
			...createClusterApplicationApi(cluster),
			async *watch() {
				yield await api.get(ref)
				ended()
				yield await api.get(ref)
			},
		}
		const { application: made } = await applyApplication(api, built)
		expect(isStuck(made)).toBe(false)
		const operationState = { phase: 'Running', retryCount: 1 } as const
		await cluster.create({ ...built, status: { operationState } })
		const retrying = await api.get(ref)
		expect(retrying && isStuck(retrying)).toBe(true)
		await restartSync(api, ref, { application: { ...built, status: { operationState } } })
		const restarted = await api.get(ref)
		expect(restarted?.operation).toMatchObject({ sync: { prune: true } })
		expect(restarted && isStuck(restarted)).toBe(true)
	})

	it('are refreshed only where they can see the push', async () => {
		const api = createClusterApplicationApi(fakeCluster())
		await applyApplication(api, built)
		const pushed = {
			registries: ['localhost:5001', 'registry:5000'],
			repository: 'app',
			digest: parseDigest(`sha256:${'1'.repeat(64)}`),
		}
		const seen = await refreshMatching(api, { ...pushed, tag: 'v1' }, { namespace: 'argocd' })
		expect(seen).toEqual({ refreshed: [ref], failed: [] })
		const other = await refreshMatching(api, { ...pushed, tag: 'v3' }, { namespace: 'argocd' })
		expect(other.refreshed).toEqual([])
	})

	it('are not moved when they belong to someone, or have several sources', async () => {
		const cluster = fakeCluster()
		const api = createClusterApplicationApi(cluster)
		const ownerReferences = [
			{ apiVersion: 'argoproj.io/v1alpha1', kind: 'ApplicationSet', name: 'set', uid: 'u' },
		]
		await cluster.create({ ...built, metadata: { ...built.metadata, ownerReferences } })
		await expect(moveRevision(api, ref, { revision: 'v2' })).rejects.toMatchObject({
			code: 'APPLICATION_OWNED',
		})
		await cluster.create({
			...built,
			spec: { ...built.spec, source: undefined, sources: [built.spec.source] },
		})
		await expect(moveRevision(api, ref, { revision: 'v2' })).rejects.toMatchObject({ code: 'OBJECT_INVALID' })
	})
})
