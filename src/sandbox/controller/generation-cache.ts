import type { KubeObject } from '../../cluster/index.ts'

export interface Generation {
	readonly sourceType: 'Directory' | 'Helm' | 'Kustomize'
	readonly manifests: readonly KubeObject[]
}

/** What was generated from an artifact, by its digest and the options; the least used goes first. */
export interface GenerationCache {
	get(key: string): Generation | undefined
	/** @param size of the layer it came from, in bytes */
	set(key: string, generation: Generation, size: number): void
	delete(key: string): void
}

export function createGenerationCache(maxBytes: number): GenerationCache {
	const entries = new Map<string, { readonly generation: Generation; readonly size: number }>()
	let total = 0
	const remove = (key: string): void => {
		total -= entries.get(key)?.size ?? 0
		entries.delete(key)
	}
	return {
		get(key) {
			const entry = entries.get(key)
			if (entry === undefined) return undefined
			entries.delete(key)
			entries.set(key, entry)
			return entry.generation
		},
		// oxlint-disable-next-line max-params -- a map's `set` with the weight of the value
		set(key, generation, size) {
			remove(key)
			if (size > maxBytes) return
			entries.set(key, { generation, size })
			total += size
			for (const oldest of entries.keys()) {
				if (total <= maxBytes) break
				remove(oldest)
			}
		},
		delete: remove,
	}
}
