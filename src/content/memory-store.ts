import { RemoteError } from '../errors/index.ts'
import { type Descriptor, type Digest, isDigest } from '../oci/index.ts'
import type { ContentStore } from './store.ts'
import { referrerTo } from './subject.ts'
import { verified } from './verify.ts'

/** A store that keeps everything in memory: for tests, and for content on its way. */
export function createMemoryStore(): ContentStore {
	const contents = new Map<Digest, { readonly descriptor: Descriptor; readonly bytes: Uint8Array }>()
	const tags = new Map<string, Descriptor>()
	return {
		async resolve(reference) {
			return isDigest(reference) ? contents.get(reference)?.descriptor : tags.get(reference)
		},
		async fetch(target) {
			const bytes = contents.get(target.digest)?.bytes
			return bytes && streamOf(bytes)
		},
		async exists(target) {
			return contents.has(target.digest)
		},
		async push(source, options) {
			const chunks: Uint8Array[] = []
			for await (const chunk of verified(source.descriptor, source.open(options))) chunks.push(chunk)
			contents.set(source.descriptor.digest, { descriptor: source.descriptor, bytes: Buffer.concat(chunks) })
		},
		async tag(target, tag) {
			if (!contents.has(target.digest)) {
				throw new RemoteError('NOT_FOUND', `${target.digest} is not in the store`, {
					hint: 'Push the manifest before a tag is pointed at it.',
				})
			}
			tags.set(tag, target)
		},
		async tags() {
			return [...tags.keys()].sort()
		},
		async referrers(target, options) {
			const found: Descriptor[] = []
			for (const { descriptor, bytes } of contents.values()) {
				const referrer = referrerTo(target.digest, descriptor, bytes)
				if (!referrer) continue
				if (options?.artifactType === undefined || referrer.artifactType === options.artifactType)
					found.push(referrer)
			}
			return found
		},
	}
}

async function* streamOf(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
	yield bytes
}
