import { onSide } from '../content/index.ts'
import { UserError } from '../errors/index.ts'
import { type Digest, formatReference } from '../oci/index.ts'
import { type Choice, chooseArtifacts, type Chosen } from './choose-artifacts.ts'
import {
	type Destination,
	openConnections,
	openDestination,
	openSource,
	refuseSharedCredentials,
	type SideAccess,
} from './copy-ends.ts'
import { formatArtifact, formatPlace, type Place, readPlaceOf } from './places.ts'
import type { Session } from './session.ts'
import {
	describeMoved,
	type Moved,
	planTransfer,
	runTransfer,
	type Transfer,
	type TransferOptions,
} from './transfer.ts'

export interface CopyArtifactsOptions extends TransferOptions, Choice {
	/** A reference, `oci:DIR[:NAME]` or `oci-archive:FILE[:NAME]`. */
	readonly from: string
	/** As `from`; without a tag, the artifact keeps its own. */
	readonly to: string
	readonly access?: SideAccess | undefined
}

/** One artifact that was copied. */
export interface CopiedArtifact {
	/** Where it is now, with its digest. */
	readonly reference: string
	readonly digest: Digest
	readonly tag?: string | undefined
	/** `unchanged` when it was there, under this tag and with all that points at it. */
	readonly outcome: 'copied' | 'unchanged'
}

export interface CopyArtifactsResult extends Moved {
	readonly outcome: 'copied' | 'unchanged'
	readonly artifacts: readonly CopiedArtifact[]
	readonly dryRun: boolean
}

/**
 * Copies one artifact, or many of a repository, between registries, OCI layouts and tars
 * of layouts: as they are, byte by byte, with what points at them. What the destination has is
 * not sent again; inside one registry, blobs are mounted. A tag is set when all its content is there.
 * @throws UserError `USAGE`, `NOT_FOUND`, `TAG_EXISTS`, `NAME_TAKEN`
 * @throws RemoteError those of a registry, with the side that failed in `details`
 */
export async function copyArtifacts(
	session: Session,
	options: CopyArtifactsOptions,
): Promise<CopyArtifactsResult> {
	const { progress, signal } = session
	const [from, to] = [readPlaceOf(session, options.from), readPlaceOf(session, options.to)]
	refuseCredentialsForTwo(options, [from, to])
	const connections = openConnections(session)
	const step = progress.step('copy')
	let target: Destination | undefined
	try {
		const source = await onSide('source', openSource(from, { connections, access: options.access?.from }))
		const chosen = await chooseArtifacts(source, { ...options, place: from, signal })
		const artifacts = tagsFor(chosen, { ...options, to })
		target = openDestination(to, {
			...options,
			connections,
			access: options.access?.to,
			signal,
			progress,
		})
		const place =
			to.kind === 'registry' ? to.reference : { registry: formatPlace(to), repository: formatPlace(to) }
		const transfer = await planTransfer(
			session,
			{ source, destination: target.store, artifacts, place },
			options,
		)
		const result = await runTransfer(session, transfer, { ...options, step })
		if (options.dryRun !== true) await target.finish(entriesOf(transfer, from))
		const copied = describe(transfer, { to, moved: result.roots.map(({ moved }) => moved) })
		const outcome = result.changed ? 'copied' : 'unchanged'
		if (result.changed) step.done(`${options.dryRun === true ? 'would be: ' : ''}${describeMoved(result)}`)
		else step.unchanged(`unchanged: ${formatPlace(to)} has it already`)
		const { copied: sent, mounted, skipped } = result
		return { outcome, artifacts: copied, copied: sent, mounted, skipped, dryRun: options.dryRun === true }
	} finally {
		target?.discard()
		connections.close()
	}
}

function refuseCredentialsForTwo({ access }: CopyArtifactsOptions, places: readonly Place[]): void {
	// Given for one side only, they are that side's.
	if (access?.from?.credentials !== access?.to?.credentials) return
	refuseSharedCredentials(
		access?.from,
		places.flatMap((place) => (place.kind === 'registry' ? [place.reference] : [])),
	)
}

/** The tags that the artifacts get: the one that is asked for, else their own. */
function tagsFor(
	chosen: readonly Chosen[],
	{ to, allTags, range }: Choice & { readonly to: Place },
): readonly Chosen[] {
	const tag = to.kind === 'registry' ? to.reference.tag : to.name
	const digest = to.kind === 'registry' ? to.reference.digest : to.digest
	const isMany = allTags === true || range !== undefined
	if (isMany && (tag !== undefined || digest !== undefined)) {
		throw new UserError('USAGE', `many artifacts cannot all be ${formatArtifact(to, { tag, digest })}`, {
			hint: `Each keeps its tag: copy to ${formatPlace(to)}`,
		})
	}
	return chosen.map(({ root, tag: own }) => {
		if (digest !== undefined && digest !== root.digest) {
			throw new UserError('USAGE', `the artifact is ${root.digest}, and copying does not change that`, {
				hint: 'Leave the digest of the destination out.',
			})
		}
		// A place that is named by digest alone is to have no tag.
		const wanted = tag ?? (digest === undefined ? own : undefined)
		return { root, ...(wanted !== undefined && { tag: wanted }) }
	})
}

/** How a layout lists what it got: by its tag, and with the place that it comes from. */
function entriesOf({ roots }: Transfer, from: Place): Parameters<Destination['finish']>[0] {
	return roots.flatMap(({ root, tags }) =>
		(tags.length > 0 ? tags : [undefined]).map((tag) => ({
			descriptor: root,
			...(tag !== undefined && { name: tag }),
			...(from.kind === 'registry' && {
				reference: formatReference({
					registry: from.reference.registry,
					repository: from.reference.repository,
					...(tag === undefined ? { digest: root.digest } : { tag }),
				}),
			}),
		})),
	)
}

function describe(
	{ roots }: Transfer,
	{ to, moved }: { readonly to: Place; readonly moved: readonly boolean[] },
): readonly CopiedArtifact[] {
	return roots.flatMap(({ root, tags, named }, index) =>
		(tags.length > 0 ? tags : [undefined]).map((tag, at): CopiedArtifact => {
			const isNew = tag !== undefined && named[at]?.digest !== root.digest
			return {
				reference: formatArtifact(to, { tag, digest: root.digest }),
				digest: root.digest,
				...(tag !== undefined && { tag }),
				outcome: isNew || moved[index] === true ? 'copied' : 'unchanged',
			}
		}),
	)
}
