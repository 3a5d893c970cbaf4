import { describe, expect, it } from 'vitest'
import type { Cluster, KubeObject } from '../cluster/index.ts'
import { RemoteError } from '../errors/index.ts'
import { readRegistryHosting, registryHostingConfigMap } from './registry-hosting.ts'

const clusterThat = (get: () => Promise<KubeObject | undefined>): Cluster => ({ get }) as unknown as Cluster

describe('readRegistryHosting', () => {
	it('reads what it wrote', async () => {
		const endpoint = { push: 'localhost:5001', cluster: 'kind-registry:5000' }
		const object = registryHostingConfigMap(endpoint)
		expect(await readRegistryHosting(clusterThat(() => Promise.resolve(object)))).toEqual(endpoint)
		expect(await readRegistryHosting(clusterThat(() => Promise.resolve(undefined)))).toBeUndefined()
	})

	it('does without it where the user may not read kube-public', async () => {
		const refusing = (code: 'FORBIDDEN' | 'CLUSTER_UNREACHABLE'): Cluster =>
			clusterThat(() => Promise.reject(new RemoteError(code, 'no')))
		expect(await readRegistryHosting(refusing('FORBIDDEN'))).toBeUndefined()
		await expect(readRegistryHosting(refusing('CLUSTER_UNREACHABLE'))).rejects.toThrow('no')
	})
})
