import type { ContentStore } from './store.ts'

/**
 * A store that answers as `store` and takes nothing: `copy()` to it finds out what would
 * be moved. What was "pushed" counts as there from then on.
 */
export function createDryRun(store: ContentStore): ContentStore {
	const pushed = new Set<string>()
	return {
		...(store.origin && { origin: store.origin }),
		resolve: (reference, options) => store.resolve(reference, options),
		fetch: (target, options) => store.fetch(target, options),
		referrers: (target, options) => store.referrers(target, options),
		tags: (options) => store.tags(options),
		async exists(target, options) {
			return pushed.has(target.digest) || (await store.exists(target, options))
		},
		async push({ descriptor }) {
			pushed.add(descriptor.digest)
		},
		async tag() {},
		async mount(target, _from, options) {
			if (!store.mount || (await store.exists(target, options))) return false
			pushed.add(target.digest)
			return true
		},
	}
}
