import { RemoteError, unreachable, UserError } from '../errors/index.ts'
import { type Descriptor, isManifestType, parseManifest } from '../oci/index.ts'
import { allSettledOrThrow, type Limiter } from './concurrency.ts'
import { onSide, withSide } from './sides.ts'
import type { ByteStream, ContentSource, ContentStore, ReadableStore, StoreOptions } from './store.ts'
import { readVerified, verified } from './verify.ts'

/** How deep indexes may stand in indexes, and referrers on referrers. */
export const MAX_DEPTH = 16

export interface ContentEvent {
	readonly action: 'copied' | 'mounted' | 'skipped'
	readonly descriptor: Descriptor
}

export interface CopySettings {
	readonly source: ReadableStore
	readonly destination: ContentStore
	/** Requests and blobs on their way at once; default 4. */
	readonly concurrency?: number | undefined
	/**
	 * Whether to copy what points at a manifest as well (signatures, SBOMs), to any depth; also what
	 * points at the manifests that an index lists. Default no.
	 */
	readonly referrers?: boolean | undefined
	readonly onContent?: ((event: ContentEvent) => void) | undefined
	readonly signal?: AbortSignal | undefined
}

/** One call of `copyAll`, and what it has seen. */
export interface CopyRun {
	readonly options: CopySettings
	readonly store: StoreOptions
	/** For what asks or moves, never around what waits for others: it would wait for itself. */
	readonly limit: Limiter
	/** By {@link keyOf}: whether it had to be moved. */
	readonly seen: Map<string, Promise<boolean>>
	/** By digest: manifests that are needed more than once. One that is not yet read is `undefined`. */
	readonly documents: Map<string, Uint8Array | undefined>
	/** By digest: what the source says points at it. */
	readonly referrers: Map<string, Promise<readonly Descriptor[]>>
	/** By digest: whether something that points at it had to be moved. */
	readonly walked: Map<string, Promise<boolean>>
	readonly record: (event: ContentEvent) => void
}

/** A manifest's bytes may be a blob of another artifact as well: registries keep the two apart. */
function keyOf({ digest, mediaType }: Descriptor): string {
	return `${isManifestType(mediaType) ? 'manifest' : 'blob'} ${digest}`
}

/** Copies content and what it refers to, once. @returns whether it was not there */
export function copyNode(run: CopyRun, node: Descriptor, depth: number): Promise<boolean> {
	const key = keyOf(node)
	let done = run.seen.get(key)
	if (!done) {
		done = isManifestType(node.mediaType) ? copyManifest(run, node, depth) : copyBlob(run, node)
		run.seen.set(key, done)
	}
	return done
}

async function copyManifest(run: CopyRun, node: Descriptor, depth: number): Promise<boolean> {
	const { destination, signal } = run.options
	if (depth > MAX_DEPTH) {
		throw new UserError('ARTIFACT_INVALID', `manifests are nested more than ${MAX_DEPTH} deep`)
	}
	signal?.throwIfAborted()
	if (await run.limit(() => onSide('destination', destination.exists(node, run.store)))) {
		run.record({ action: 'skipped', descriptor: node })
		return false
	}
	const bytes = await readManifest(run, node)
	await copyChildren(run, node, { bytes, depth })
	await pushManifest(run, { node, bytes })
	return true
}

interface Push {
	readonly node: Descriptor
	readonly bytes: Uint8Array
	/** Names it in the same step. */
	readonly tag?: string | undefined
}

export async function pushManifest(run: CopyRun, { node, bytes, tag }: Push): Promise<void> {
	const { destination } = run.options
	const source = sourceOf(node, bytes)
	await run.limit(() =>
		onSide(
			'destination',
			tag !== undefined && destination.pushTagged
				? destination.pushTagged(source, tag, run.store)
				: destination.push(source, run.store),
		),
	)
	run.record({ action: 'copied', descriptor: node })
}

export async function copyChildren(
	run: CopyRun,
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
async function oneByOne<T>(all: readonly T[], task: (each: T) => Promise<unknown>): Promise<void> {
	for (const each of all) await task(each)
}

/** A blob in memory that the destination would rather have than be asked about. */
function smallContent({ options }: CopyRun, node: Descriptor): ContentSource | undefined {
	if (isManifestType(node.mediaType) || node.size > (options.destination.unaskedBytes ?? -1)) return undefined
	const content = options.source.open?.(node)
	return content?.bytes && content
}

/** What must be at the destination before this manifest. A `subject` need not: it may come later. */
export function childrenOf(node: Descriptor, bytes: Uint8Array): readonly Descriptor[] {
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

function copyBlob(run: CopyRun, node: Descriptor): Promise<boolean> {
	return run.limit(async () => {
		const { options, record } = run
		options.signal?.throwIfAborted()
		const action = await moveBlob(run, node)
		record({ action, descriptor: node })
		return action !== 'skipped'
	})
}

async function moveBlob(run: CopyRun, node: Descriptor): Promise<ContentEvent['action']> {
	const { options, store } = run
	const { source, destination } = options
	const small = smallContent(run, node)
	if (small) {
		await onSide('destination', destination.push(small, store))
		return 'copied'
	}
	const from = mountableFrom(source, destination)
	if (from !== undefined && destination.mount) {
		// A mount is the quicker question: it finds what is there, too. What it says is looked at.
		const isMounted = await onSide('destination', destination.mount(node, from, store))
		if (await onSide('destination', destination.exists(node, store))) return isMounted ? 'mounted' : 'skipped'
	} else if (await onSide('destination', destination.exists(node, store))) return 'skipped'
	const content = source.open?.(node) ?? streamedFrom(source, node)
	await onSide('destination', destination.push(content, store))
	return 'copied'
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
			yield* verified(node, stream)
		} catch (error) {
			throw withSide('source', error)
		}
	}
	return { descriptor: node, open, isVerified: true }
}

export function readManifest(run: CopyRun, node: Descriptor): Promise<Uint8Array> {
	return run.limit(async () => {
		const { source } = run.options
		const known = run.documents.get(node.digest) ?? source.open?.(node)?.bytes
		if (known) return known
		const bytes = await onSide('source', readVerified(source, node, run.store))
		if (!bytes) throw withSide('source', missing(node))
		if (run.documents.has(node.digest)) run.documents.set(node.digest, bytes)
		return bytes
	})
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
