import type { TagsDescription } from '../flows/index.ts'
import type { DeleteOptions, RemovalResult, TagsOptions, UntagOptions } from './run/removal.ts'

/**
 * The tags of a repository, versions first and newest first: digest, size, age, type, and which
 * Applications run them where a cluster is known.
 * @throws UserError `USAGE`; RemoteError `NOT_FOUND`, those of a registry
 */
export async function tags(options: TagsOptions): Promise<TagsDescription> {
	return await (await import('./run/removal.ts')).tags(options)
}

/**
 * Takes tags away, and leaves what they name.
 * @throws UserError `IN_USE` without `force`; RemoteError `NOT_FOUND`, `DELETE_UNSUPPORTED`, those of a registry
 */
export async function untag(options: UntagOptions): Promise<RemovalResult> {
	return await (await import('./run/removal.ts')).untag(options)
}

/**
 * Deletes an artifact with every tag that names it: the command `delete`. `plan` says what that orphans.
 * @throws UserError `IN_USE` without `force`; RemoteError `NOT_FOUND`, `DELETE_UNSUPPORTED`, those of a registry
 */
export async function deleteArtifact(options: DeleteOptions): Promise<RemovalResult> {
	return await (await import('./run/removal.ts')).deleteArtifact(options)
}
