import * as v from 'valibot'
import { RemoteError } from '../errors/index.ts'
import type { ResourceType } from './objects.ts'
import { reasonOf } from './api-failure.ts'
import type { Transport } from './transport.ts'

export interface ServedType {
	readonly plural: string
	readonly namespaced: boolean
}

/** What lading asks for all the time: no round trip to learn how it is spelt. */
const KNOWN: Readonly<Record<string, ServedType>> = {
	'v1 ConfigMap': { plural: 'configmaps', namespaced: true },
	'v1 Secret': { plural: 'secrets', namespaced: true },
	'v1 Namespace': { plural: 'namespaces', namespaced: false },
	'v1 Pod': { plural: 'pods', namespaced: true },
	'v1 Service': { plural: 'services', namespaced: true },
	'v1 Node': { plural: 'nodes', namespaced: false },
	'v1 Event': { plural: 'events', namespaced: true },
	'apps/v1 Deployment': { plural: 'deployments', namespaced: true },
	'apps/v1 StatefulSet': { plural: 'statefulsets', namespaced: true },
	'argoproj.io/v1alpha1 Application': { plural: 'applications', namespaced: true },
	'argoproj.io/v1alpha1 AppProject': { plural: 'appprojects', namespaced: true },
}

const resourceList = v.looseObject({
	resources: v.array(v.looseObject({ name: v.string(), kind: v.string(), namespaced: v.boolean() })),
})

export interface Discovery {
	/** `undefined`: the API serves no such type. */
	find(type: ResourceType, signal?: AbortSignal): Promise<ServedType | undefined>
}

/** @see https://kubernetes.io/docs/concepts/overview/kubernetes-api/#discovery-api */
export function createDiscovery(transport: Transport): Discovery {
	const found = new Map<string, ServedType>()
	return {
		async find({ apiVersion, kind }, signal) {
			const key = `${apiVersion} ${kind}`
			const known = KNOWN[key] ?? found.get(key)
			if (known !== undefined) return known
			let answer: unknown
			try {
				answer = await transport.json({ method: 'GET', path: basePath(apiVersion), signal })
			} catch (error) {
				if (error instanceof RemoteError && (error.wire?.status === 404 || reasonOf(error) === 'NotFound'))
					return undefined
				throw error
			}
			const parsed = v.safeParse(resourceList, answer)
			// What is not there is asked for again next time: a CRD may have come.
			for (const { name, kind, namespaced } of parsed.success ? parsed.output.resources : []) {
				if (!name.includes('/')) found.set(`${apiVersion} ${kind}`, { plural: name, namespaced })
			}
			return found.get(key)
		},
	}
}

/** `api/v1`, `apis/apps/v1`. */
export function basePath(apiVersion: string): string {
	const parts = apiVersion.split('/').map(encodeURIComponent).join('/')
	return apiVersion.includes('/') ? `apis/${parts}` : `api/${parts}`
}
