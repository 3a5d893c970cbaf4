import { UserError } from '../errors/index.ts'
import { type Descriptor, isManifestType } from '../oci/index.ts'
import { allSettledOrThrow, createLimiter } from './concurrency.ts'
import {
	copyChildren,
	copyNode,
	type CopyRun,
	type CopySettings,
	pushManifest,
	readManifest,
} from './copy-node.ts'
import { copyReferrers, hasReferrers } from './copy-referrers.ts'
import { onSide } from './sides.ts'

/** An artifact to copy, with all it refers to, and the tags that shall name it. */
export interface CopyRoot {
	readonly root: Descriptor
	/** Tags that shall name `root` at the destination. Set last: a tag never names half an artifact. */
	readonly tags?: readonly string[] | undefined
	/** What `tags` name at the destination now, in their order, where the caller has just asked; else it is asked. */
	readonly named?: readonly (Descriptor | undefined)[] | undefined
}

export interface CopyOptions extends CopySettings, CopyRoot {}

export interface CopyAllOptions extends CopySettings {
	readonly roots: readonly CopyRoot[]
}

export interface CopyCount {
	readonly count: number
	/** Number of bytes. */
	readonly bytes: number
}

interface CopyCounts {
	/** Whether the destination differs from before: content was moved or a tag was set. */
	readonly changed: boolean
	readonly copied: CopyCount
	readonly mounted: CopyCount
	/** What was there already and was looked at; below a manifest that is there nothing is looked at. */
	readonly skipped: CopyCount
}

export interface CopyResult extends CopyCounts {
	/** Tags that named something else, or nothing, before. */
	readonly tagged: readonly string[]
}

export interface RootResult {
	/** Whether its manifest, a referrer or a tag is new at the destination. */
	readonly changed: boolean
	/** Whether its manifest or a referrer is. */
	readonly moved: boolean
	readonly tagged: readonly string[]
}

export interface CopyAllResult extends CopyCounts {
	/** In the order of the roots. */
	readonly roots: readonly RootResult[]
}

const DEFAULT_CONCURRENCY = 4

/**
 * Copies an artifact: what a manifest refers to before the manifest, what points at
 * it before the tags, the tags last. What the destination has is not moved; when every
 * tag names the root already, that is found with one question per tag, and nothing else
 * happens but for referrers. Both sides are verified. An error's `details` say on which
 * side it happened.
 * @throws RemoteError `NOT_FOUND` when the source lacks something that it refers to; `CONTENT_CORRUPT`
 * @throws UserError `ARTIFACT_INVALID` for a manifest that is none
 */
export async function copy(options: CopyOptions): Promise<CopyResult> {
	const { root, tags, named, ...settings } = options
	const { roots, ...counts } = await copyAll({ ...settings, roots: [{ root, tags, named }] })
	return { ...counts, tagged: roots[0]?.tagged ?? [] }
}

/**
 * As {@link copy}, for many artifacts of one source: what they share is looked at once.
 * After a failure nothing new is begun, and it is thrown when what runs has ended; what
 * was copied whole stays, so that the same call again goes on from there.
 */
export async function copyAll(options: CopyAllOptions): Promise<CopyAllResult> {
	const { signal, onContent } = options
	const concurrency = options.concurrency ?? DEFAULT_CONCURRENCY
	const counts = { copied: emptyCount(), mounted: emptyCount(), skipped: emptyCount() }
	const run: CopyRun = {
		options,
		store: signal ? { signal } : {},
		limit: createLimiter(concurrency),
		seen: new Map(),
		documents: new Map(),
		referrers: new Map(),
		walked: new Map(),
		record(event) {
			counts[event.action].count++
			counts[event.action].bytes += event.descriptor.size
			onContent?.(event)
		},
	}
	const oneOfMany = createLimiter(concurrency)
	let failure: { readonly error: unknown } | undefined
	const results = await Promise.all(
		options.roots.map((each) =>
			oneOfMany(async () => {
				if (failure) return UNTOUCHED
				try {
					return await copyRoot(run, each)
				} catch (error) {
					failure ??= { error }
					return UNTOUCHED
				}
			}),
		),
	)
	// Asked for by a function, because the callbacks above have set it.
	const failed = ((): typeof failure => failure)()
	if (failed) throw failed.error
	const moved = counts.copied.count + counts.mounted.count
	return { changed: moved > 0 || results.some(({ changed }) => changed), ...counts, roots: results }
}

const UNTOUCHED: RootResult = { changed: false, moved: false, tagged: [] }

function emptyCount(): { count: number; bytes: number } {
	return { count: 0, bytes: 0 }
}

async function copyRoot(run: CopyRun, { root, tags = [], named }: CopyRoot): Promise<RootResult> {
	const { options, store } = run
	const { destination } = options
	const now =
		named ?? (await onSide('destination', Promise.all(tags.map((tag) => destination.resolve(tag, store)))))
	const pending = tags.filter((_, index) => now[index]?.digest !== root.digest)
	if (!isManifestType(root.mediaType)) return copyPlain(run, root, pending)

	// A tag that names the root proves that it is there, whole.
	const there = tags.length > pending.length
	if (there) run.record({ action: 'skipped', descriptor: root })
	try {
		const [first] = pending
		if (!there && first !== undefined && destination.pushTagged) {
			const moved = await copyTagged(run, root, pending)
			if (moved !== undefined) return { changed: true, moved, tagged: pending }
		}
		const isNew = !there && (await copyNode(run, root, 0))
		const isJoined = options.referrers === true && (await copyReferrers(run, root, 0))
		const moved = isNew || isJoined
		if (pending.length > 0) await setTags(run, { root, tags: pending, bytes: await readManifest(run, root) })
		return { changed: moved || pending.length > 0, moved, tagged: pending }
	} finally {
		run.documents.delete(root.digest)
	}
}

/**
 * Pushes the manifest by its first tag: one request less.
 * @returns whether it was not there; `undefined`, and nothing was done, when something points at it, which must come before the tag
 */
async function copyTagged(
	run: CopyRun,
	root: Descriptor,
	tags: readonly string[],
): Promise<boolean | undefined> {
	const { destination } = run.options
	run.documents.set(root.digest, undefined)
	// Each side is asked one thing at a time: to open a connection takes longer than to wait for an answer.
	const [{ bytes, isFollowed }, exists] = await Promise.all([
		readFollowed(run, root),
		run.limit(() => onSide('destination', destination.exists(root, run.store))),
	])
	if (isFollowed) return undefined
	if (exists) {
		run.record({ action: 'skipped', descriptor: root })
		await setTags(run, { root, tags, bytes })
		return false
	}
	await copyChildren(run, root, { bytes, depth: 0 })
	const [first = '', ...others] = tags
	await pushManifest(run, { node: root, bytes, tag: first })
	await setTags(run, { root, tags: others, bytes })
	return true
}

/** A manifest, and whether its referrers are wanted and anything may point at it. */
async function readFollowed(
	run: CopyRun,
	root: Descriptor,
): Promise<{ readonly bytes: Uint8Array; readonly isFollowed: boolean }> {
	const bytes = await readManifest(run, root)
	return { bytes, isFollowed: run.options.referrers === true && (await hasReferrers(run, root)) }
}

interface Tagging {
	readonly root: Descriptor
	readonly tags: readonly string[]
	readonly bytes: Uint8Array
}

async function setTags(run: CopyRun, { root, tags, bytes }: Tagging): Promise<void> {
	const { destination } = run.options
	await allSettledOrThrow(
		tags.map((tag) => run.limit(() => onSide('destination', destination.tag(root, tag, bytes, run.store)))),
	)
}

async function copyPlain(run: CopyRun, root: Descriptor, pending: readonly string[]): Promise<RootResult> {
	if (pending.length > 0) {
		throw new UserError('ARTIFACT_INVALID', `a tag cannot name content of type ${root.mediaType}`, {
			hint: 'Only manifests carry tags.',
		})
	}
	const moved = await copyNode(run, root, 0)
	return { changed: moved, moved, tagged: [] }
}
