import { type Descriptor, type Digest, isDigest, isManifestType, parseManifest } from '../oci/index.ts'
import { entryOf, type LayoutEntry, type LayoutIndex } from './layout-index.ts'
import type { ByteStream, ReadableStore, StoreOptions } from './store.ts'
import { subjectOf } from './subject.ts'
import { MAX_DOCUMENT_BYTES, readVerified } from './verify.ts'

/** How deep indexes may stand in indexes. */
const MAX_DEPTH = 16

/** What an OCI image layout is kept in: a directory, a tar. */
export interface LayoutFiles {
	/** `undefined` where there is none. */
	readIndex(): Promise<LayoutIndex | undefined>
	fetch(target: Descriptor, options?: StoreOptions): Promise<ByteStream | undefined>
}

/** An OCI image layout as a store to read from. */
export interface LayoutReader extends ReadableStore {
	/** What its index lists; `undefined` when there is no index. */
	entries(): Promise<readonly LayoutEntry[] | undefined>
	/** What a manifest of the layout is; `undefined` when it is not there or too large to be one. */
	inspect(target: Descriptor, options?: StoreOptions): Promise<LayoutManifest | undefined>
}

export interface LayoutManifest {
	/** The manifests that an index lists. */
	readonly lists: readonly Descriptor[]
	/** The manifest that it points at, and what it is as a referrer of that. */
	readonly pointing?: { readonly subject: Digest; readonly referrer: Descriptor } | undefined
}

export function createLayoutReader(files: LayoutFiles): LayoutReader {
	// A digest says all about a manifest: it is read once.
	const known = new Map<Digest, LayoutManifest>()

	async function entries(): Promise<readonly LayoutEntry[] | undefined> {
		return (await files.readIndex())?.manifests.map(entryOf)
	}

	async function inspect(target: Descriptor, options?: StoreOptions): Promise<LayoutManifest | undefined> {
		const present = known.get(target.digest)
		if (present) return present
		if (!isManifestType(target.mediaType) || target.size > MAX_DOCUMENT_BYTES) return undefined
		const bytes = await readVerified(reader, target, options)
		if (!bytes) return undefined
		const parsed = parseManifest(bytes, target.mediaType)
		const pointed = subjectOf(target, bytes)
		const manifest: LayoutManifest = {
			lists: parsed.kind === 'index' ? parsed.manifest.manifests : [],
			pointing: pointed && { subject: pointed.subject.digest, referrer: pointed.referrer },
		}
		known.set(target.digest, manifest)
		return manifest
	}

	/** Looks for a digest among what is listed, and in the indexes among that. */
	async function find(
		digest: Digest,
		listed: readonly Descriptor[],
		{ depth, options }: { readonly depth: number; readonly options: StoreOptions | undefined },
	): Promise<Descriptor | undefined> {
		const here = listed.find((each) => each.digest === digest)
		if (here || depth >= MAX_DEPTH) return here
		for (const each of listed) {
			const lists = (await inspect(each, options))?.lists ?? []
			const found = lists.length > 0 ? await find(digest, lists, { depth: depth + 1, options }) : undefined
			if (found) return found
		}
		return undefined
	}

	const reader: LayoutReader = {
		entries,
		inspect,
		fetch: (target, options) => files.fetch(target, options),
		async resolve(reference, options) {
			const listed = (await entries()) ?? []
			if (!isDigest(reference))
				return (
					listed.find(({ name }) => name === reference) ?? listed.find((each) => each.reference === reference)
				)?.descriptor
			return find(
				reference,
				listed.map(({ descriptor }) => descriptor),
				{ depth: 0, options },
			)
		},
		async tags() {
			const names = (await entries())?.flatMap(({ name }) => name ?? [])
			return names && [...new Set(names)].sort()
		},
		async referrers(target, options) {
			const found = new Map<string, Descriptor>()
			for (const { descriptor } of (await entries()) ?? []) {
				const pointing = (await inspect(descriptor, options))?.pointing
				if (pointing?.subject !== target.digest) continue
				const { referrer } = pointing
				if (options?.artifactType === undefined || referrer.artifactType === options.artifactType)
					found.set(referrer.digest, referrer)
			}
			return [...found.values()]
		},
	}
	return reader
}
