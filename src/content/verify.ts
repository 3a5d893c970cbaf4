import { RemoteError } from '../errors/index.ts'
import { createDigester, type Descriptor, digestAlgorithm, digestOf } from '../oci/index.ts'
import type { ByteStream, ContentSource, ReadableStore, StoreOptions } from './store.ts'

/** Documents (manifests, configurations) larger than this are not read into memory, in bytes. */
export const MAX_DOCUMENT_BYTES: number = 4 * 1024 * 1024

function corrupt(target: Descriptor, what: string): RemoteError {
	return new RemoteError('CONTENT_CORRUPT', `content of ${target.digest} is corrupt: ${what}`, {
		hint: 'What was read is not what its digest promises. Push it again from a good source.',
	})
}

/**
 * Passes content on and checks size and digest. The last chunk is held back until
 * both are right, so that corrupt content never arrives whole.
 * @throws RemoteError `CONTENT_CORRUPT`
 */
export async function* verified(
	target: Descriptor,
	stream: ByteStream,
): AsyncGenerator<Uint8Array, void, undefined> {
	const digester = createDigester(digestAlgorithm(target.digest))
	let held: Uint8Array | undefined
	for await (const chunk of stream) {
		digester.update(chunk)
		if (digester.size > target.size) throw corrupt(target, `longer than its ${target.size} bytes`)
		if (held) yield held
		held = chunk
	}
	if (digester.size !== target.size) throw corrupt(target, `${digester.size} bytes instead of ${target.size}`)
	const actual = digester.digest()
	if (actual !== target.digest) throw corrupt(target, `its digest is ${actual}`)
	if (held) yield held
}

/**
 * Reads a document whole, verified.
 * @returns `undefined` when the store does not have it
 * @throws RemoteError `CONTENT_CORRUPT`, also for a document over `limit` bytes
 */
export async function readVerified(
	store: ReadableStore,
	target: Descriptor,
	options: StoreOptions & { readonly limit?: number } = {},
): Promise<Uint8Array | undefined> {
	const limit = options.limit ?? MAX_DOCUMENT_BYTES
	if (target.size > limit)
		throw corrupt(target, `${target.size} bytes are over the limit of ${limit} for a document`)
	const stream = await store.fetch(target, options)
	if (!stream) return undefined
	const chunks: Uint8Array[] = []
	for await (const chunk of verified(target, stream)) chunks.push(chunk)
	// A copy: a document that is kept must not keep the large piece it came in.
	return Buffer.concat(chunks)
}

/** Content that is in memory, with a descriptor made for it. */
export function bytesSource(
	mediaType: string,
	bytes: Uint8Array,
	extra: Partial<Descriptor> = {},
): ContentSource {
	return {
		descriptor: { ...extra, mediaType, digest: digestOf(bytes), size: bytes.byteLength },
		bytes,
		async *open() {
			yield bytes
		},
	}
}
