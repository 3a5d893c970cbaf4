import { UserError } from '../errors/index.ts'
import { type Digest, formatReference, type Reference } from '../oci/index.ts'

const VERSION_TAG = /^v?\d+\.\d+\.\d+(?:[-_+].*)?$/

/** Whether people take a tag for a version, which never changes its content. */
export function isVersionTag(tag: string): boolean {
	return VERSION_TAG.test(tag)
}

/** A tag that is about to be set. */
export interface TagMove {
	readonly tag: string
	/** What it will name. */
	readonly digest: Digest
	/** What it names now. */
	readonly before: Digest | undefined
}

const MAX_LISTED = 10

/** Refuses to move a version to other content. @throws UserError `TAG_EXISTS` */
export function refuseMovedTags(
	moves: readonly TagMove[],
	{ registry, repository }: Pick<Reference, 'registry' | 'repository'>,
): void {
	const moved = moves.filter(
		({ tag, digest, before }) => before !== undefined && before !== digest && isVersionTag(tag),
	)
	const [first] = moved
	if (!first) return
	const others = moved.length > 1 ? `, and ${moved.length - 1} more` : ''
	throw new UserError('TAG_EXISTS', `${repository}:${first.tag} exists with other content${others}`, {
		details: [
			...moved
				.slice(0, MAX_LISTED)
				.map(({ tag, digest, before }) => `${tag} is ${before}, this would be ${digest}`),
			...(moved.length > MAX_LISTED ? [`and ${moved.length - MAX_LISTED} more`] : []),
		],
		hint: `Push a new version, such as ${formatReference({ registry, repository, tag: nextVersion(first.tag) })}, or move the tag with --force.`,
	})
}

/** The next patch version: `v1.0.0` → `v1.0.1`. */
export function nextVersion(tag: string): string {
	const match = /^(v?\d+\.\d+\.)(\d+)/.exec(tag)
	return match ? `${match[1]}${Number(match[2]) + 1}` : tag
}
