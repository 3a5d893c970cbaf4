import type { KubeObject } from '../../../cluster/index.ts'
import { withAt, withMetadata } from '../fields.ts'
import { builtIn, keyOf } from './ownership.ts'
import type { Controller, ControllerContext } from './runtime.ts'

const NAMESPACES = '/namespaces'

/** A namespace gets its service account; one that is deleted takes all that is in it along. */
export function namespaceController({ api }: ControllerContext): Controller {
	return {
		affected: ({ key, object }) => {
			if (key === NAMESPACES) return [{ name: object.metadata.name }]
			const { namespace } = object.metadata
			const home = namespace === undefined ? undefined : api.store.get(NAMESPACES, { name: namespace })
			return home?.metadata.deletionTimestamp === undefined || namespace === undefined
				? []
				: [{ name: namespace }]
		},
		reconcile: (key) => {
			const namespace = api.store.get(NAMESPACES, key)
			if (namespace === undefined) return
			if (namespace.metadata.deletionTimestamp === undefined) furnish(namespace.metadata.name)
			else empty(namespace)
		},
	}

	function furnish(namespace: string): void {
		const account = { namespace, name: 'default' }
		if (api.store.get('/serviceaccounts', account)) return
		api.create(builtIn(api, '/serviceaccounts'), { metadata: account }, { namespace, unowned: true })
	}

	function empty(namespace: KubeObject): void {
		const { name } = namespace.metadata
		let left = 0
		for (const storageKey of api.store.keys()) {
			const resource = api.catalog.stored(storageKey)
			if (resource?.namespaced !== true) continue
			for (const object of api.store.list(storageKey, name)) {
				if (object.metadata.deletionTimestamp === undefined) {
					api.delete(
						resource,
						keyOf(object),
						storageKey === '/pods' ? { graceSeconds: 0 } : { propagation: 'Background' },
					)
				}
				if (api.store.get(storageKey, keyOf(object))) left++
			}
		}
		if (left > 0) return
		api.amend(
			builtIn(api, NAMESPACES),
			{ name },
			(live) => withAt(withMetadata(live, {}), ['spec', 'finalizers'], undefined) as KubeObject,
		)
	}
}
