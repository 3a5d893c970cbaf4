import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Digest } from '../../oci/index.ts'
import type { Catalog, RepositoryView } from './catalog.ts'
import type { Holds } from './holds.ts'
import type { RecordLog } from './journal.ts'
import type { Needs } from './needs.ts'
import { planRepository } from './prune-plan.ts'
import type { PruneOptions, PruneReport, RepositoryPlan } from './pruning.ts'
import type { RemovedRecord } from './record.ts'
import type { Uploads } from './uploads.ts'

export const DEFAULT_GRACE_MS: number = 60 * 60 * 1000

/** Files that are removed before others get a turn. */
const FILES_A_TURN = 50

export interface PruneParts {
	readonly catalog: Catalog
	readonly needs: Needs
	readonly journal: RecordLog
	readonly uploads: Uploads
	/** Digests that requests under way write or refer to. */
	readonly isHeld: (digest: Digest) => boolean
	/** Removes the file of content that nothing has any more, and nobody is about to have. */
	readonly removeFile: (digest: Digest) => void
	/** Content that must not be removed meanwhile. */
	readonly held: Holds<Digest>
	/** `REPOSITORY:TAG` of pushes under way. */
	readonly heldTags: Holds
	readonly now: () => number
}

/**
 * Prunes one repository after the other. Of each, what goes is decided and taken out of the catalog
 * without anything in between, and is one line of the journal: no push, and no crash, sees half of it.
 */
export async function prune(parts: PruneParts, options: PruneOptions): Promise<PruneReport> {
	const { catalog } = parts
	const dryRun = options.dryRun === true
	const plans: RepositoryPlan[] = []
	const gone = new Map<Digest, number>()
	let freedBytes = 0
	const names = catalog.names()
	for (const [done, name] of names.entries()) {
		options.signal?.throwIfAborted()
		options.onProgress?.({ done, of: names.length })
		const view = catalog.view(name)
		if (!view) continue
		const plan = planOne(parts, view, options)
		if (plan.removed.length > 0 || plan.kept.length > 0 || plan.skipped !== undefined) plans.push(plan)
		freedBytes += freedBy(catalog, plan, dryRun ? gone : new Map())
		if (!dryRun && plan.removed.length > 0) await remove(parts, plan)
		await nextTurn()
	}
	return { dryRun, repositories: plans, freedBytes }
}

function planOne(parts: PruneParts, view: RepositoryView, options: PruneOptions): RepositoryPlan {
	const { catalog, needs, uploads, isHeld, heldTags } = parts
	const now = parts.now()
	const grace = options.graceMs ?? DEFAULT_GRACE_MS
	// Who is still sending one part may have sent the others long ago.
	const since = Math.min(now, uploads.oldestActive(view.name, now - grace) ?? now)
	const { immutable } = options
	return planRepository(view, {
		rules: options.rules ?? [],
		inUse: options.inUse ?? [],
		now,
		freshSince: since - grace,
		freshAt: (digest) => catalog.freshAt(digest),
		isImmutable: (tag) => immutable?.(view.name, tag) === true,
		isHeld,
		isTagHeld: (tag) => heldTags.has(`${view.name}:${tag}`),
		references: (digest) => {
			const manifest = view.manifests.get(digest)
			return manifest && needs.references(manifest)
		},
	})
}

/** Bytes of what the plan takes from its last repository. `gone` counts what went before it. */
function freedBy(catalog: Catalog, plan: RepositoryPlan, gone: Map<Digest, number>): number {
	let bytes = 0
	for (const { kind, digest, size } of plan.removed) {
		if (kind === 'tag') continue
		const times = (gone.get(digest) ?? 0) + 1
		gone.set(digest, times)
		if (times === catalog.holders(digest)) bytes += size
	}
	return bytes
}

async function remove(
	{ catalog, journal, removeFile, held, now }: PruneParts,
	plan: RepositoryPlan,
): Promise<void> {
	const digestsOf = (kind: 'manifest' | 'blob'): Digest[] =>
		plan.removed.filter((item) => item.kind === kind).map(({ digest }) => digest)
	const record: RemovedRecord = {
		type: 'removed',
		repository: plan.repository,
		tags: plan.removed.flatMap(({ tag }) => tag ?? []),
		manifests: digestsOf('manifest'),
		blobs: digestsOf('blob'),
		at: now(),
	}
	const undo = catalog.undoOf(record)
	const digests = [...new Set([...record.manifests, ...record.blobs])]
	// Whatever looks for content that is nobody's must not find it before it is so on the disk.
	held.take(digests)
	// At once: whoever asks from now on hears that it is not there, and pushes it again.
	catalog.apply(record)
	try {
		await journal.append(record, () => undefined, { applied: true })
	} catch (error) {
		for (const each of undo) catalog.apply(each)
		throw error
	} finally {
		held.release(digests)
	}
	for (const [index, digest] of digests.entries()) {
		if (index % FILES_A_TURN === FILES_A_TURN - 1) await nextTurn()
		removeFile(digest)
	}
}
