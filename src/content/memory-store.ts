import { UserError } from '../errors/index.ts'
import { type Descriptor, type Digest, isDigest, isManifestType, parseManifest } from '../oci/index.ts'
import type { ContentStore } from './store.ts'
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
		async push(source) {
			const chunks: Uint8Array[] = []
			for await (const chunk of verified(source.descriptor, source.open())) chunks.push(chunk)
			contents.set(source.descriptor.digest, { descriptor: source.descriptor, bytes: Buffer.concat(chunks) })
		},
		async tag(target, tag) {
			if (!contents.has(target.digest))
				throw new UserError('NOT_FOUND', `${target.digest} is not in the store`)
			tags.set(tag, target)
		},
		async tags() {
			return [...tags.keys()].sort()
		},
		async referrers(target, options) {
			const found: Descriptor[] = []
			for (const { descriptor, bytes } of contents.values()) {
				if (!isManifestType(descriptor.mediaType)) continue
				const parsed = parseManifest(bytes, descriptor.mediaType)
				const subject = parsed.kind === 'other' ? parsed.subject : parsed.manifest.subject
				if (subject?.digest !== target.digest) continue
				if (options?.artifactType === undefined || descriptor.artifactType === options.artifactType)
					found.push(descriptor)
			}
			return found
		},
	}
}

async function* streamOf(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
	yield bytes
}
