import { UserError } from '../errors/index.ts'
import { formatReference, isTag, type PinnedReference, type Reference } from '../oci/index.ts'
import { refuseMovedTags } from './moved-tags.ts'
import { connectRegistry, type RegistryAccess } from './registries.ts'
import type { Session } from './session.ts'
import { readManifestOf } from './subject.ts'

export interface TagOptions {
	/** What shall be named: by tag or by digest. */
	readonly reference: Reference
	/** One or more. */
	readonly tags: readonly string[]
	/** Move version tags that have other content. */
	readonly force?: boolean | undefined
	readonly access?: RegistryAccess | undefined
}

export interface TagResult {
	/** With the first of the tags. */
	readonly reference: PinnedReference
	/** All that were asked for. */
	readonly tags: readonly string[]
	/** Those that named something else, or nothing, before. */
	readonly tagged: readonly string[]
	readonly outcome: 'tagged' | 'unchanged'
}

/**
 * Points tags at an artifact that is in the repository: its manifest is sent again, byte by byte, and nothing else.
 * @throws UserError `NOT_FOUND`, `TAG_EXISTS`, `REFERENCE_INVALID`
 */
export async function tagArtifact(session: Session, options: TagOptions): Promise<TagResult> {
	const { signal, progress } = session
	const { reference, access } = options
	const tags = tagsOf(options)
	const step = progress.step('tag')
	const connection = connectRegistry(session, reference.registry, access)
	try {
		const repository = connection.repository(reference, { writes: true })
		const [{ descriptor, bytes }, named] = await Promise.all([
			readManifestOf(repository, reference, signal),
			Promise.all(tags.map((tag) => repository.resolve(tag, { signal }))),
		])
		const moves = tags.map((tag, index) => ({
			tag,
			digest: descriptor.digest,
			before: named[index]?.digest,
		}))
		if (options.force !== true) refuseMovedTags(moves, reference)
		const pending = moves.filter(({ digest, before }) => digest !== before).map(({ tag }) => tag)
		for (const tag of pending) await repository.tag(descriptor, tag, bytes, { signal })
		const { registry, repository: name } = reference
		const place = { registry, repository: name }
		if (pending.length > 0) step.done(formatReference({ ...place, tag: pending.join(',') }))
		else step.unchanged(`unchanged: ${formatReference({ ...place, tag: tags.join(',') })} names it already`)
		return {
			reference: { ...place, tag: tags[0], digest: descriptor.digest },
			tags,
			tagged: pending,
			outcome: pending.length > 0 ? 'tagged' : 'unchanged',
		}
	} finally {
		connection.close()
	}
}

function tagsOf({ tags, reference }: TagOptions): readonly string[] {
	const wrong = tags.find((tag) => !isTag(tag))
	if (wrong === undefined && tags.length > 0) return [...new Set(tags)]
	const isReference = wrong !== undefined && /[/:]/.test(wrong)
	throw new UserError(
		isReference || wrong === undefined ? 'USAGE' : 'REFERENCE_INVALID',
		wrong === undefined ? 'no tag is given' : `"${wrong}" is not a tag`,
		{
			hint: isReference
				? `A tag stays in its repository: lading tag ${formatReference(reference)} NEWTAG. To another repository: lading copy`
				: 'A tag has 1 to 128 letters, digits, "_", "." and "-" and starts with none of the last two.',
		},
	)
}
