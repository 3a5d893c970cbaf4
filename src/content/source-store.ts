import type { Descriptor } from '../oci/index.ts'
import type { ContentSource, ReadableStore } from './store.ts'
import { referrerTo } from './subject.ts'

/** Content that was just built, as something to copy from: nothing is read until it is needed. */
export function createSourceStore(sources: readonly ContentSource[]): ReadableStore {
	const contents = new Map<string, ContentSource>(sources.map((source) => [source.descriptor.digest, source]))
	return {
		async resolve(reference) {
			return contents.get(reference)?.descriptor
		},
		async fetch(target, options) {
			return contents.get(target.digest)?.open(options)
		},
		open: (target) => contents.get(target.digest),
		async referrers(target, options) {
			const found: Descriptor[] = []
			for (const { descriptor, bytes } of sources) {
				const referrer = bytes && referrerTo(target.digest, descriptor, bytes)
				if (!referrer) continue
				if (options?.artifactType === undefined || referrer.artifactType === options.artifactType)
					found.push(referrer)
			}
			return found
		},
		async tags() {
			return []
		},
	}
}
