import type { Descriptor } from '../oci/index.ts'

export interface StoreOptions {
	readonly signal?: AbortSignal | undefined
}

/** Bytes as a stream of chunks. A consumer that stops early ends the producer (`return()`). */
export type ByteStream = AsyncIterable<Uint8Array>

/** Content that can be read from its start more than once, so that a failed push can be repeated. */
export interface ContentSource {
	readonly descriptor: Descriptor
	open(options?: StoreOptions): ByteStream
	/**
	 * The whole content, where it is in memory anyway: lets a store send it in one
	 * piece. Absent for streamed content.
	 */
	readonly bytes?: Uint8Array | undefined
	/** `open` itself holds back the end until size and digest are right: nobody needs to look again. */
	readonly isVerified?: boolean | undefined
}

/** Content that may be sent while its digest is still being found out. */
export interface UnnamedContent {
	/** Number of bytes. */
	readonly size: number
	/**
	 * Holds back its end until the digest is known, and fails where this is something else. A piece may be written over when
	 * the next one is asked for.
	 */
	open(options?: StoreOptions): ByteStream
}

/**
 * Where content is read from: a registry, an OCI layout, memory. "Not found" is
 * `undefined`, every other failure throws.
 */
export interface ReadableStore {
	/** Where a remote store stands: lets a destination in the same registry mount instead of copying. */
	readonly origin?: { readonly registry: string; readonly repository: string } | undefined
	/** What a tag or a digest names. */
	resolve(reference: string, options?: StoreOptions): Promise<Descriptor | undefined>
	/**
	 * Opens content. The stream is NOT verified: read it through `verified()`,
	 * `readVerified()` or `copy()`.
	 */
	fetch(target: Descriptor, options?: StoreOptions): Promise<ByteStream | undefined>
	/** The content as a source with its bytes in memory, where the store has it so: saves a stream. */
	open?(target: Descriptor): ContentSource | undefined
	/** What points at `target` by its `subject`, newest specification first; without `artifactType` all of it. */
	referrers(
		target: Descriptor,
		options?: StoreOptions & { readonly artifactType?: string },
	): Promise<readonly Descriptor[]>
	/** All tags, in the specification's (lexical) order; `undefined` when the repository does not exist. */
	tags(options?: StoreOptions): Promise<readonly string[] | undefined>
}

/**
 * Where content goes. A manifest (by media type) may be pushed only after what it
 * refers to. Content that is there already may be pushed again.
 */
export interface ContentStore extends ReadableStore {
	exists(target: Descriptor, options?: StoreOptions): Promise<boolean>
	/** Blobs up to so many bytes are sent in the time of the question whether they are there; absent, none. */
	readonly unaskedBytes?: number | undefined
	/** Stores content, verified against its descriptor before it becomes visible. */
	push(source: ContentSource, options?: StoreOptions): Promise<void>
	/** Points a tag at a manifest that is there. `manifest` are its bytes: a registry takes tags only with them. */
	tag(target: Descriptor, tag: string, manifest: Uint8Array, options?: StoreOptions): Promise<void>
	/** Stores a manifest and points a tag at it in one step, where the store can. */
	pushTagged?(source: ContentSource, tag: string, options?: StoreOptions): Promise<void>
	/** Takes a blob over from another repository of the same registry; `false` when it must be pushed. */
	mount?(target: Descriptor, fromRepository: string, options?: StoreOptions): Promise<boolean>
}
