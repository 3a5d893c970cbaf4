import type {
	Cluster,
	KubeObject,
	ListOptions,
	ObjectRef,
	ResourceType,
	WatchEvent,
} from '../../cluster/index.ts'
import { PatchType } from '../../cluster/index.ts'
import type { ObjectApi } from './object-api.ts'
import type { ServedResource } from './resource.ts'
import { StatusError } from './status-error.ts'
import type { ObjectKey } from './store.ts'
import { SANDBOX_VERSION } from './version.ts'
import { openWatch } from './watch.ts'

const WATCH_MS = 2 ** 31 - 1
const MANAGER = 'lading-sandbox'

/** The sandbox's API as a {@link Cluster}, without a socket. */
export function inProcessCluster(api: ObjectApi): Cluster {
	const find = (type: ResourceType): ServedResource | undefined =>
		api.catalog.ofKind(type.apiVersion, type.kind)
	const served = (type: ResourceType): ServedResource => {
		const resource = find(type)
		if (resource) return resource
		throw new StatusError('NotFound', `no matches for kind "${type.kind}" in version "${type.apiVersion}"`)
	}
	const keyOf = (resource: ServedResource, ref: ObjectRef): ObjectKey => ({
		name: ref.name,
		namespace: resource.namespaced ? (ref.namespace ?? 'default') : undefined,
	})
	const orUndefined = <T>(run: () => T): T | undefined => {
		try {
			return run()
		} catch (error) {
			if (error instanceof StatusError && error.reason === 'NotFound') return undefined
			throw error
		}
	}
	return {
		server: 'https://lading-sandbox/',
		version: async () => SANDBOX_VERSION.gitVersion,
		get: async (ref) => {
			const resource = find(ref)
			return resource && orUndefined(() => api.get(resource, keyOf(resource, ref)))
		},
		list: async (type, options = {}) => {
			const resource = find(type)
			if (resource === undefined) return { items: [], resourceVersion: String(api.store.revision) }
			const { items, resourceVersion } = api.list(resource, selection(resource, options))
			return { items, resourceVersion }
		},
		create: async (object) => {
			const resource = served(object)
			return api.create(resource, object, { namespace: object.metadata.namespace, manager: MANAGER })
		},
		apply: async (object, { fieldManager, force, dryRun, fieldValidation = 'Ignore', namespace }) => {
			const resource = served(object)
			const key = keyOf(resource, { namespace, ...object, ...object.metadata })
			return api.apply(resource, object, {
				key,
				manager: fieldManager,
				force,
				dryRun,
				fieldValidation,
			}).object
		},
		patch: async (ref, patch, { type, fieldManager = MANAGER }) => {
			const resource = served(ref)
			const kind = type === PatchType.json ? 'json' : type === PatchType.merge ? 'merge' : 'strategic'
			return orUndefined(() =>
				api.patch(resource, patch, { key: keyOf(resource, ref), kind, manager: fieldManager }),
			)
		},
		delete: async (ref, { propagation } = {}) => {
			const resource = find(ref)
			if (resource === undefined) return false
			return orUndefined(() => api.delete(resource, keyOf(resource, ref), { propagation })) !== undefined
		},
		watch: (type, options) => watched(api, { type, find, options: options ?? {} }),
	}
}

function selection(
	resource: ServedResource,
	{ namespace, labelSelector, fieldSelector }: ListOptions,
): ListOptions {
	return { namespace: resource.namespaced ? namespace : undefined, labelSelector, fieldSelector }
}

async function* watched(
	api: ObjectApi,
	{
		type,
		find,
		options,
	}: {
		readonly type: ResourceType
		readonly find: (type: ResourceType) => ServedResource | undefined
		readonly options: ListOptions
	},
): AsyncGenerator<WatchEvent> {
	const { signal = new AbortController().signal } = options
	const resource = find(type)
	if (resource === undefined) {
		throw new StatusError('NotFound', `no matches for kind "${type.kind}" in version "${type.apiVersion}"`)
	}
	while (!signal.aborted) {
		const request = selection(resource, options)
		const { items, resourceVersion } = api.list(resource, request)
		const frames = openWatch(api, resource, {
			...request,
			resourceVersion,
			bookmarks: false,
			timeoutMs: WATCH_MS,
			signal,
		})
		yield { type: 'RESYNCED', items }
		for await (const frame of frames) {
			if (frame.type === 'ERROR' || frame.type === 'BOOKMARK') break
			yield { type: frame.type, object: frame.object satisfies KubeObject }
		}
	}
}
