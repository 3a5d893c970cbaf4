import type { CopyArtifactsResult, LoadResult, SaveResult } from '../flows/index.ts'
import type { Refreshed } from './run/artifacts.ts'
import type { CopyOptions, LoadOptions, SaveOptions } from './run/moving.ts'

/**
 * Copies artifacts with all that points at them between registries, OCI layouts and tar files. What the
 * destination has is not sent; within one registry nothing is uploaded. To a registry or an `oci:` directory,
 * the same call again goes on where another was interrupted; a tar is written anew.
 * @throws UserError `TAG_EXISTS`, `USAGE`, `REFERENCE_INVALID`
 * @throws RemoteError `NOT_FOUND`, `CONTENT_CORRUPT`, those of a registry; `details` say on which side
 */
export async function copy(options: CopyOptions): Promise<CopyArtifactsResult & Refreshed> {
	return await (await import('./run/moving.ts')).copy(options)
}

/**
 * Writes artifacts of any registries into one OCI layout: a tar or a directory, for an air gap. It appears whole
 * or not at all, and a call after one that was interrupted starts anew.
 * @throws UserError `NAME_TAKEN` for a target that is there, `FILE_UNWRITABLE`, `DISK_FULL`, `USAGE`; RemoteError as {@link copy}
 */
export async function save(options: SaveOptions): Promise<SaveResult> {
	return await (await import('./run/moving.ts')).save(options)
}

/**
 * Pushes what an OCI layout holds, to where it came from or below another prefix.
 * @throws UserError `NOT_FOUND`, `ARTIFACT_INVALID` for a layout that is none, `TAG_EXISTS`, `USAGE`; RemoteError as {@link copy}
 */
export async function load(options: LoadOptions): Promise<LoadResult> {
	return await (await import('./run/moving.ts')).load(options)
}
