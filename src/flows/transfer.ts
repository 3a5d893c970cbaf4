import {
	type ContentStore,
	copyAll,
	type CopyAllResult,
	type CopyCount,
	createDryRun,
	createLimiter,
	onSide,
	type ReadableStore,
} from '../content/index.ts'
import type { Descriptor, Digest } from '../oci/index.ts'
import { type TagMove, refuseMovedTags } from './moved-tags.ts'
import type { Step } from './progress.ts'
import type { Session } from './session.ts'

/** Requests for tags at once. */
const CONCURRENCY = 8

/** How artifacts are moved, whatever is moved. */
export interface TransferOptions {
	/** Take signatures, SBOMs and whatever else points at them along; default yes. */
	readonly referrers?: boolean | undefined
	/** Move version tags that have other content. */
	readonly force?: boolean | undefined
	/** Only say what would be done. */
	readonly dryRun?: boolean | undefined
	/** Requests and blobs on their way at once; default 4. */
	readonly concurrency?: number | undefined
}

/** Artifacts of one store on their way to another. */
export interface Transfer {
	readonly source: ReadableStore
	readonly destination: ContentStore
	readonly roots: readonly TransferRoot[]
}

export interface TransferRoot {
	readonly root: Descriptor
	readonly tags: readonly string[]
	/** What the tags name at the destination now, in their order. */
	readonly named: readonly (Descriptor | undefined)[]
}

/** What was moved. */
export interface Moved {
	readonly copied: CopyCount
	readonly mounted: CopyCount
	/** What was there already, and was looked at. */
	readonly skipped: CopyCount
}

export const NOTHING_MOVED: Moved = {
	copied: { count: 0, bytes: 0 },
	mounted: { count: 0, bytes: 0 },
	skipped: { count: 0, bytes: 0 },
}

export interface TransferWish {
	readonly source: ReadableStore
	readonly destination: ContentStore
	readonly artifacts: readonly { readonly root: Descriptor; readonly tag?: string | undefined }[]
	/** Where to, for a refusal. */
	readonly place: { readonly registry: string; readonly repository: string }
}

/**
 * Asks what the tags name at the destination, and refuses to move a version.
 * @throws UserError `TAG_EXISTS`
 */
export async function planTransfer(
	{ signal }: Session,
	{ source, destination, artifacts, place }: TransferWish,
	{ force }: TransferOptions,
): Promise<Transfer> {
	const tagsOf = new Map<Digest, { readonly root: Descriptor; readonly tags: string[] }>()
	for (const { root, tag } of artifacts) {
		const known = tagsOf.get(root.digest) ?? { root, tags: [] }
		tagsOf.set(root.digest, known)
		if (tag !== undefined && !known.tags.includes(tag)) known.tags.push(tag)
	}
	const limit = createLimiter(CONCURRENCY)
	const roots = await Promise.all(
		[...tagsOf.values()].map(async ({ root, tags }) => {
			const named = await Promise.all(
				tags.map((tag) => limit(() => onSide('destination', destination.resolve(tag, { signal })))),
			)
			return { root, tags, named }
		}),
	)
	const moves: readonly TagMove[] = roots.flatMap(({ root, tags, named }) =>
		tags.map((tag, index) => ({ tag, digest: root.digest, before: named[index]?.digest })),
	)
	if (force !== true) refuseMovedTags(moves, place)
	return { source, destination, roots }
}

/** Moves artifacts with all they are made of. @throws RemoteError with the side that failed */
export async function runTransfer(
	{ signal }: Session,
	transfer: Transfer,
	options: TransferOptions & { readonly step: Step },
): Promise<CopyAllResult> {
	const { source, destination, roots } = transfer
	const { step, dryRun, concurrency, referrers } = options
	let moved = 0
	let bytes = 0
	return await copyAll({
		source,
		destination: dryRun === true ? createDryRun(destination) : destination,
		roots,
		referrers: referrers ?? true,
		concurrency,
		signal,
		onContent({ action, descriptor }) {
			if (action === 'skipped') return
			moved++
			bytes += descriptor.size
			step.update(`${moved} moved, ${Math.round(bytes / 1e6)} MB`)
		},
	})
}

export function addMoved(left: Moved, right: Moved): Moved {
	const add = (a: CopyCount, b: CopyCount): CopyCount => ({
		count: a.count + b.count,
		bytes: a.bytes + b.bytes,
	})
	return {
		copied: add(left.copied, right.copied),
		mounted: add(left.mounted, right.mounted),
		skipped: add(left.skipped, right.skipped),
	}
}

/** `3 copied, 2 mounted, 1 there already`. */
export function describeMoved({ copied, mounted, skipped }: Moved): string {
	const parts = [
		...(copied.count > 0 ? [`${copied.count} copied`] : []),
		...(mounted.count > 0 ? [`${mounted.count} mounted`] : []),
		...(skipped.count > 0 ? [`${skipped.count} there already`] : []),
	]
	return parts.join(', ') || 'nothing'
}
