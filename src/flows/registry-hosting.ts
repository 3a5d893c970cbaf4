import { dump, load } from 'js-yaml'
import * as v from 'valibot'
import { type Cluster, isForbidden, type KubeObject, type ObjectRef, refOf } from '../cluster/index.ts'
import type { RegistryEndpoint } from './state.ts'

/**
 * The ConfigMap by which a local cluster tells the two names of its registry.
 * @see KEP-1755, "Communicating a local registry"
 */
const NAME = 'local-registry-hosting'
const NAMESPACE = 'kube-public'
const FIELD = 'localRegistryHosting.v1'

const hostingSchema = v.object({
	host: v.string(),
	hostFromClusterNetwork: v.optional(v.string()),
	hostFromContainerRuntime: v.optional(v.string()),
})

export function registryHostingConfigMap(endpoint: RegistryEndpoint): KubeObject {
	return {
		apiVersion: 'v1',
		kind: 'ConfigMap',
		metadata: { name: NAME, namespace: NAMESPACE, labels: { 'app.kubernetes.io/managed-by': 'lading' } },
		data: {
			[FIELD]: dump({
				host: endpoint.push,
				hostFromContainerRuntime: endpoint.cluster,
				hostFromClusterNetwork: endpoint.cluster,
				help: 'https://kind.sigs.k8s.io/docs/user/local-registry/',
			}),
		},
	}
}

/** The registry that a cluster says it has, under both its names. */
export async function readRegistryHosting(
	cluster: Cluster | undefined,
): Promise<RegistryEndpoint | undefined> {
	if (cluster === undefined) return undefined
	const ref = refOf(registryHostingConfigMap({ push: '', cluster: '' }))
	const data = (await hostingObject(cluster, ref))?.data
	const text = v.safeParse(v.object({ [FIELD]: v.string() }), data)
	if (!text.success) return undefined
	let value: unknown
	try {
		value = load(text.output[FIELD])
	} catch {
		return undefined
	}
	const parsed = v.safeParse(hostingSchema, value)
	if (!parsed.success) return undefined
	const { host, hostFromClusterNetwork } = parsed.output
	return { push: host, cluster: hostFromClusterNetwork ?? host }
}

/** It is a hint, in a namespace of the cluster's own: who may not read it does without. */
async function hostingObject(cluster: Cluster, ref: ObjectRef): Promise<KubeObject | undefined> {
	try {
		return await cluster.get(ref)
	} catch (error) {
		if (isForbidden(error)) return undefined
		throw error
	}
}

/** Where a process on this machine reaches a registry that the cluster knows by `registry`. */
export async function hostOfRegistry(cluster: Cluster, registry: string): Promise<string | undefined> {
	const hosting = await readRegistryHosting(cluster)
	return hosting?.cluster === registry ? hosting.push : undefined
}
