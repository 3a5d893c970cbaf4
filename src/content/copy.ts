import { RemoteError, unreachable, UserError } from '../errors/index.ts'
import { type Descriptor, isManifestType, parseManifest } from '../oci/index.ts'
import { allSettledOrThrow, createLimiter, type Limiter } from './concurrency.ts'
import { onSide, withSide } from './sides.ts'
import type { ByteStream, ContentSource, ContentStore, ReadableStore, StoreOptions } from './store.ts'
import { readVerified } from './verify.ts'

export interface ContentEvent {
	readonly action: 'copied' | 'mounted' | 'skipped'
	readonly descriptor: Descriptor
}

export interface CopyOptions {
	readonly source: ReadableStore
	readonly destination: ContentStore
	/** What to copy, with all it refers to. */
	readonly root: Descriptor
	/** Tags that shall name `root` at the destination. Set last: a tag never names half an artifact. */
	readonly tags?: readonly string[] | undefined
	/** What `tags` name at the destination now, in their order, where the caller has just asked; else it is asked. */
	readonly named?: readonly (Descriptor | undefined)[] | undefined
	/** Blobs on their way at once; default 4. */
	readonly concurrency?: number | undefined
	/** Whether to copy what points at `root` as well (signatures, SBOMs), to any depth; default no. */
	readonly referrers?: boolean | undefined
	readonly onContent?: ((event: ContentEvent) => void) | undefined
	readonly signal?: AbortSignal | undefined
}

export interface CopyCount {
	readonly count: number
	/** Number of bytes. */
	readonly bytes: number
}

export interface CopyResult {
	/** Whether the destination differs from before: content was moved or a tag was set. */
	readonly changed: boolean
	readonly copied: CopyCount
	readonly mounted: CopyCount
	/** What was there already and was looked at; below a manifest that is there nothing is looked at. */
	readonly skipped: CopyCount
	/** Tags that named something else, or nothing, before. */
	readonly tagged: readonly string[]
}

/** How deep indexes may stand in indexes, and referrers on referrers. */
const MAX_DEPTH = 16
const DEFAULT_CONCURRENCY = 4

interface Run {
	readonly options: CopyOptions
	readonly store: StoreOptions
	readonly limit: Limiter
	readonly seen: Map<string, Promise<void>>
	/** Referrers whose own referrers were looked for. */
	readonly walked: Set<string>
	readonly record: (event: ContentEvent) => void
	/** Tags of the root that still have to be set. */
	readonly pending: readonly string[]
}

/**
 * Copies an artifact: what a manifest refers to before the manifest, the tags
 * last. What the destination has is not moved; when every tag names the root
 * already, that is found with one question per tag and nothing else happens.
 * Both sides are verified. An error's `details` say on which side it happened.
 * @throws RemoteError `NOT_FOUND` when the source lacks something that it refers to; `CONTENT_CORRUPT`
 * @throws UserError `ARTIFACT_INVALID` for a manifest that is none
 */
export async function copy(options: CopyOptions): Promise<CopyResult> {
	const { destination, root, tags = [], signal } = options
	const store: StoreOptions = signal ? { signal } : {}
	const counts = { copied: emptyCount(), mounted: emptyCount(), skipped: emptyCount() }
	const record = (event: ContentEvent): void => {
		counts[event.action].count++
		counts[event.action].bytes += event.descriptor.size
		options.onContent?.(event)
	}
	const named =
		options.named ??
		(await onSide('destination', Promise.all(tags.map((tag) => destination.resolve(tag, store)))))
	const pending = tags.filter((_, index) => named[index]?.digest !== root.digest)
	const there = tags.length > pending.length
	const limit = createLimiter(options.concurrency ?? DEFAULT_CONCURRENCY)
	const run: Run = { options, store, limit, seen: new Map(), walked: new Set(), record, pending }

	// A tag that names the root proves that it is there, whole.
	if (there) record({ action: 'skipped', descriptor: root })
	if (pending.length > 0 || !there) await copyRoot(run, there)
	if (options.referrers === true) await copyReferrers(run, root, 0)
	const moved = counts.copied.count + counts.mounted.count
	return { changed: moved > 0 || pending.length > 0, ...counts, tagged: pending }
}

function emptyCount(): { count: number; bytes: number } {
	return { count: 0, bytes: 0 }
}

async function copyRoot(run: Run, there: boolean): Promise<void> {
	const { options, store, pending, record } = run
	const { destination, root } = options
	if (!isManifestType(root.mediaType)) {
		if (pending.length > 0) {
			throw new UserError('ARTIFACT_INVALID', `a tag cannot name content of type ${root.mediaType}`, {
				hint: 'Only manifests carry tags.',
			})
		}
		return copyBlob(run, root)
	}
	const [bytes, exists] = await Promise.all([
		readManifest(run, root),
		there || onSide('destination', destination.exists(root, store)),
	])
	if (!exists) await copyChildren(run, root, { bytes, depth: 0 })
	const source = sourceOf(root, bytes)
	const [first, ...others] = pending
	let rest: readonly string[] = pending
	if (!exists) {
		if (first !== undefined && destination.pushTagged) {
			await onSide('destination', destination.pushTagged(source, first, store))
			rest = others
		} else await onSide('destination', destination.push(source, store))
	}
	if (!there) record({ action: exists ? 'skipped' : 'copied', descriptor: root })
	await allSettledOrThrow(rest.map((tag) => onSide('destination', destination.tag(root, tag, bytes, store))))
}

function copyNode(run: Run, node: Descriptor, depth: number): Promise<void> {
	let done = run.seen.get(node.digest)
	if (!done) {
		done = isManifestType(node.mediaType) ? copyManifest(run, node, depth) : copyBlob(run, node)
		run.seen.set(node.digest, done)
	}
	return done
}

async function copyManifest(run: Run, node: Descriptor, depth: number): Promise<void> {
	const { destination } = run.options
	if (depth > MAX_DEPTH) {
		throw new UserError('ARTIFACT_INVALID', `manifests are nested more than ${MAX_DEPTH} deep`)
	}
	if (await onSide('destination', destination.exists(node, run.store))) {
		run.record({ action: 'skipped', descriptor: node })
		return
	}
	const bytes = await readManifest(run, node)
	await copyChildren(run, node, { bytes, depth })
	await onSide('destination', destination.push(sourceOf(node, bytes), run.store))
	run.record({ action: 'copied', descriptor: node })
}

async function copyChildren(
	run: Run,
	node: Descriptor,
	{ bytes, depth }: { readonly bytes: Uint8Array; readonly depth: number },
): Promise<void> {
	const children = childrenOf(node, bytes)
	const small = children.filter((child) => smallContent(run, child) !== undefined)
	const others = children.filter((child) => !small.includes(child))
	await allSettledOrThrow([
		oneByOne(small, (child) => copyNode(run, child, depth + 1)),
		...others.map((child) => copyNode(run, child, depth + 1)),
	])
}

/** A connection more costs more than what is small. */
async function oneByOne<T>(all: readonly T[], task: (each: T) => Promise<void>): Promise<void> {
	for (const each of all) await task(each)
}

/** A blob in memory that the destination would rather have than be asked about. */
function smallContent({ options }: Run, node: Descriptor): ContentSource | undefined {
	if (isManifestType(node.mediaType) || node.size > (options.destination.unaskedBytes ?? -1)) return undefined
	const content = options.source.open?.(node)
	return content?.bytes && content
}

/** What must be at the destination before this manifest. A `subject` need not: it may come later. */
function childrenOf(node: Descriptor, bytes: Uint8Array): readonly Descriptor[] {
	const parsed = parseManifest(bytes, node.mediaType)
	switch (parsed.kind) {
		case 'image':
			return [parsed.manifest.config, ...parsed.manifest.layers.filter((layer) => !isForeign(layer))]
		case 'index':
			return parsed.manifest.manifests
		case 'other':
			return []
		default:
			return unreachable(parsed)
	}
}

/** Layers that their licence keeps out of registries. @see image-spec layer.md "Non-Distributable Layers" */
function isForeign(layer: Descriptor): boolean {
	return /\.nondistributable\.|\.foreign\./.test(layer.mediaType) && layer.urls !== undefined
}

async function copyBlob(run: Run, node: Descriptor): Promise<void> {
	const { options, store, limit, record } = run
	const { source, destination } = options
	await limit(async () => {
		options.signal?.throwIfAborted()
		const small = smallContent(run, node)
		if (small) {
			await onSide('destination', destination.push(small, store))
			record({ action: 'copied', descriptor: node })
			return
		}
		if (await onSide('destination', destination.exists(node, store))) {
			record({ action: 'skipped', descriptor: node })
			return
		}
		const from = mountableFrom(source, destination)
		if (from !== undefined && destination.mount) {
			if (await onSide('destination', destination.mount(node, from, store))) {
				record({ action: 'mounted', descriptor: node })
				return
			}
		}
		const content = source.open?.(node) ?? streamedFrom(source, node)
		await onSide('destination', destination.push(content, store))
		record({ action: 'copied', descriptor: node })
	})
}

function mountableFrom(source: ReadableStore, destination: ContentStore): string | undefined {
	const [from, to] = [source.origin, destination.origin]
	if (!from || !to || from.registry !== to.registry || from.repository === to.repository) return undefined
	return from.repository
}

function streamedFrom(source: ReadableStore, node: Descriptor): ContentSource {
	async function* open(options?: StoreOptions): ByteStream & AsyncGenerator<Uint8Array, void, undefined> {
		try {
			const stream = await source.fetch(node, options)
			if (!stream) throw missing(node)
			yield* stream
		} catch (error) {
			throw withSide('source', error)
		}
	}
	return { descriptor: node, open }
}

async function readManifest(run: Run, node: Descriptor): Promise<Uint8Array> {
	const { source } = run.options
	const known = source.open?.(node)?.bytes
	if (known) return known
	const bytes = await onSide('source', readVerified(source, node, run.store))
	if (!bytes) throw withSide('source', missing(node))
	return bytes
}

function missing(node: Descriptor): RemoteError {
	return new RemoteError('NOT_FOUND', `${node.digest} (${node.mediaType}) is missing`, {
		hint: 'The artifact is incomplete there: push it again.',
	})
}

function sourceOf(descriptor: Descriptor, bytes: Uint8Array): ContentSource {
	return {
		descriptor,
		bytes,
		async *open() {
			yield bytes
		},
	}
}

async function copyReferrers(run: Run, node: Descriptor, depth: number): Promise<void> {
	if (depth > MAX_DEPTH) {
		throw new UserError('ARTIFACT_INVALID', `referrers are nested more than ${MAX_DEPTH} deep`)
	}
	const found = await onSide('source', run.options.source.referrers(node, run.store))
	for (const referrer of found) {
		// A registry's list is its word only: one that names itself must not go round for ever.
		if (run.walked.has(referrer.digest)) continue
		run.walked.add(referrer.digest)
		await copyNode(run, referrer, 0)
		await copyReferrers(run, referrer, depth + 1)
	}
}
