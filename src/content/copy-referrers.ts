import { UserError } from '../errors/index.ts'
import { type Descriptor, isManifestType, MediaType } from '../oci/index.ts'
import { allSettledOrThrow } from './concurrency.ts'
import { childrenOf, copyNode, type CopyRun, MAX_DEPTH, readManifest } from './copy-node.ts'
import { onSide } from './sides.ts'

function listReferrers(run: CopyRun, node: Descriptor): Promise<readonly Descriptor[]> {
	const known = run.referrers.get(node.digest)
	if (known) return known
	const asked = run.limit(() => onSide('source', run.options.source.referrers(node, run.store)))
	run.referrers.set(node.digest, asked)
	return asked
}

function isIndex({ mediaType }: Descriptor): boolean {
	return mediaType === MediaType.imageIndex || mediaType === MediaType.dockerManifestList
}

/** Whether anything may point at it, or at what it lists. */
export async function hasReferrers(run: CopyRun, node: Descriptor): Promise<boolean> {
	return isIndex(node) || (await listReferrers(run, node)).length > 0
}

/**
 * Copies what points at a manifest, at what it lists, and at what points at them.
 * @returns whether any of it was not there
 */
export function copyReferrers(run: CopyRun, node: Descriptor, depth: number): Promise<boolean> {
	// A registry's list is its word only: one that names itself must not go round for ever.
	const known = run.walked.get(node.digest)
	if (known) return depth === 0 ? known : Promise.resolve(false)
	const walk = walkReferrers(run, node, depth)
	run.walked.set(node.digest, walk)
	return walk
}

async function walkReferrers(run: CopyRun, node: Descriptor, depth: number): Promise<boolean> {
	if (depth > MAX_DEPTH) {
		throw new UserError('ARTIFACT_INVALID', `referrers are nested more than ${MAX_DEPTH} deep`)
	}
	let moved = false
	// One by one: where a tag stands in for the referrers API, each changes the same list.
	for (const referrer of await listReferrers(run, node)) {
		moved = (await copyNode(run, referrer, 0)) || moved
		moved = (await copyReferrers(run, referrer, depth + 1)) || moved
	}
	if (!isIndex(node)) return moved
	const listed = childrenOf(node, await readManifest(run, node)).filter(({ mediaType }) =>
		isManifestType(mediaType),
	)
	await allSettledOrThrow(
		listed.map(async (child) => {
			if (await copyReferrers(run, child, depth + 1)) moved = true
		}),
	)
	return moved
}
