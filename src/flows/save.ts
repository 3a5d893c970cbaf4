import { resolve } from 'node:path'
import type { LayoutEntry } from '../content/index.ts'
import { UserError } from '../errors/index.ts'
import { type Digest, formatReference, type Reference } from '../oci/index.ts'
import { type Choice, chooseArtifacts, type Chosen } from './choose-artifacts.ts'
import { type Connections, openConnections, refuseSharedCredentials } from './copy-ends.ts'
import { createLayoutTarget, type LayoutTarget } from './layout-target.ts'
import type { Step } from './progress.ts'
import { readReference, type RegistryAccess } from './registries.ts'
import type { Session } from './session.ts'
import {
	addMoved,
	describeMoved,
	type Moved,
	NOTHING_MOVED,
	runTransfer,
	type TransferOptions,
} from './transfer.ts'

export interface SaveOptions extends Pick<TransferOptions, 'referrers' | 'force' | 'concurrency'>, Choice {
	/** One or more. */
	readonly references: readonly string[]
	/** A tar when it ends in `.tar`, else a directory. */
	readonly target: string
	readonly access?: RegistryAccess | undefined
}

export interface SavedArtifact {
	/** Where it comes from; `load` puts it there again. */
	readonly reference: string
	readonly digest: Digest
	/** What skopeo and oras find it by in the layout; absent for one that was named by its digest. */
	readonly name?: string | undefined
}

export interface SaveResult extends Moved {
	/** As it was given. */
	readonly target: string
	readonly kind: 'tar' | 'directory'
	readonly artifacts: readonly SavedArtifact[]
}

/** An artifact, and the reference that it came by. */
interface Origin extends Chosen {
	readonly reference: string
}

/**
 * Writes artifacts, with what points at them, as one OCI image layout: a directory, or a tar whose
 * bytes depend on the artifacts and their references only. It appears whole or not at all, and so one
 * that was interrupted starts anew.
 * @throws UserError `NAME_TAKEN`, `NOT_FOUND`, `USAGE`, `DISK_FULL`
 */
export async function save(session: Session, options: SaveOptions): Promise<SaveResult> {
	const { workspace, progress, signal } = session
	const references = options.references.map((text) => readReference(session, text))
	if (references.length === 0) throw new UserError('USAGE', 'no artifact is named')
	refuseSharedCredentials(options.access, references)
	const isTar = options.target.endsWith('.tar')
	const step = progress.step('save')
	const target = createLayoutTarget(resolve(workspace.root, options.target), {
		kind: isTar ? 'archive' : 'layout',
		shown: options.target,
		force: options.force,
		signal,
		progress,
	})
	const connections = openConnections(session)
	try {
		const work = { ...options, references, connections, target, step }
		const { origins, moved } = await fetchAll(session, work)
		const entries = entriesOf(origins)
		await target.finish(entries)
		step.done(`${options.target}: ${describeMoved(moved)}`)
		const artifacts = entries.map(({ descriptor, name, reference = '' }): SavedArtifact => ({
			reference,
			digest: descriptor.digest,
			...(name !== undefined && { name }),
		}))
		return { target: options.target, kind: isTar ? 'tar' : 'directory', artifacts, ...moved }
	} finally {
		target.discard()
		connections.close()
	}
}

interface Fetching extends Omit<SaveOptions, 'references' | 'target'> {
	readonly references: readonly Reference[]
	readonly connections: Connections
	readonly target: LayoutTarget
	readonly step: Step
}

async function fetchAll(
	session: Session,
	options: Fetching,
): Promise<{ readonly origins: readonly Origin[]; readonly moved: Moved }> {
	const { references, connections, target, access } = options
	const origins = new Map<string, Origin>()
	let moved = NOTHING_MOVED
	for (const reference of references) {
		const { registry, repository } = reference
		const source = connections.connect(registry, access).repository(reference)
		const place = { kind: 'registry', reference } as const
		const chosen = await chooseArtifacts(source, { ...options, place, signal: session.signal })
		const roots = chosen.map(({ root }) => ({ root, tags: [], named: [] }))
		const transfer = { source, destination: target.store, roots }
		moved = addMoved(moved, await runTransfer(session, transfer, options))
		for (const { root, tag } of chosen) {
			const pinned = tag === undefined ? { digest: root.digest } : { tag }
			const text = formatReference({ registry, repository, ...pinned })
			const origin = { root, tag, reference: text }
			refuseTwoMeanings(origins.get(text), origin)
			origins.set(text, origin)
		}
	}
	return { origins: [...origins.values()], moved }
}

/** A tag that was given with two digests, or has moved between two references that name it. */
function refuseTwoMeanings(known: Origin | undefined, { root, reference }: Omit<Origin, 'tag'>): void {
	if (!known || known.root.digest === root.digest) return
	throw new UserError('USAGE', `${reference} is asked for as ${known.root.digest} and as ${root.digest}`, {
		hint: 'Name it once, or save the two apart.',
	})
}

/** An artifact goes by its tag; where two have the same one, both go by their whole reference. */
function entriesOf(origins: readonly Origin[]): readonly LayoutEntry[] {
	const counts = new Map<string, number>()
	for (const { tag } of origins) if (tag !== undefined) counts.set(tag, (counts.get(tag) ?? 0) + 1)
	return origins.map(({ root, tag, reference }) => ({
		descriptor: root,
		reference,
		...(tag !== undefined && { name: counts.get(tag) === 1 ? tag : reference }),
	}))
}
