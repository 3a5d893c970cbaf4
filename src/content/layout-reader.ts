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
	/** Every manifest that its index leads to. */
	reach(options?: StoreOptions): AsyncIterable<Descriptor>
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

	/** What is listed, and what the indexes among that list: each once, the nearest first. */
	async function* reach(options?: StoreOptions): AsyncGenerator<Descriptor, void, undefined> {
		const seen = new Set<Digest>()
		let level: readonly Descriptor[] = ((await entries()) ?? []).map(({ descriptor }) => descriptor)
		for (let depth = 0; depth <= MAX_DEPTH && level.length > 0; depth++) {
			const fresh = [...new Map(level.map((each) => [each.digest, each])).values()].filter(
				({ digest }) => !seen.has(digest),
			)
			for (const { digest } of fresh) seen.add(digest)
			yield* fresh
			const below: Descriptor[] = []
			for (const each of fresh) below.push(...((await inspect(each, options))?.lists ?? []))
			level = below
		}
	}

	const reader: LayoutReader = {
		entries,
		inspect,
		fetch: (target, options) => files.fetch(target, options),
		reach,
		async resolve(reference, options) {
			if (isDigest(reference)) {
				for await (const each of reach(options)) if (each.digest === reference) return each
				return undefined
			}
			const listed = (await entries()) ?? []
			const found =
				listed.find(({ name }) => name === reference) ?? listed.find((each) => each.reference === reference)
			return found?.descriptor
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
