import type { Inspection, PullResult, PushResult, TagResult } from '../flows/index.ts'
import type { ResourceDiff } from '../manifests/index.ts'
import type {
	CheckOptions,
	CheckResult,
	DiffOptions,
	InspectOptions,
	PullOptions,
	PushOptions,
	Refreshed,
	TagOptions,
} from './run/artifacts.ts'

/**
 * Packs a directory, checks it by Argo CD's rules, and pushes it. The same content has the same
 * digest on every machine; what the registry has under these tags is not moved.
 *
 * @example
 * ```ts
 * const { reference } = await push({ directory: 'manifests', reference: 'registry.example.com/team/shop:v1.0.0' })
 * console.log(formatReference(reference)) // registry.example.com/team/shop:v1.0.0@sha256:…
 * ```
 * @throws UserError `ARTIFACT_REFUSED` with every fault in `details`, `TAG_EXISTS` for a version tag with other
 *   content, `DIRECTORY_INVALID`, `DIRECTORY_EMPTY`, `MANIFEST_UNPARSABLE`, `REFERENCE_INVALID`, `REGISTRY_UNKNOWN`
 * @throws RemoteError `UNAUTHENTICATED`, `FORBIDDEN`, `CONNECTION_FAILED`, `REGISTRY_FAILED`, those of TLS
 */
export async function push(options: PushOptions): Promise<PushResult & Refreshed> {
	return await (await import('./run/artifacts.ts')).push(options)
}

/**
 * Whether Argo CD takes a directory or an artifact, what it would deploy, and what an API server would say
 * to that. A no is an answer: `accepted` is false then, and nothing is thrown.
 * @throws UserError `DIRECTORY_INVALID`, `REFERENCE_INVALID`; RemoteError `NOT_FOUND`, those of a registry
 */
export async function check(options: CheckOptions): Promise<CheckResult> {
	return await (await import('./run/artifacts.ts')).check(options)
}

/**
 * What changes from one directory or artifact to another, by resource and field; empty when both
 * deploy the same. Values of Secrets are masked. Files that are
 * not compared, such as jsonnet, are a warning to `progress`.
 * @throws UserError `USAGE` for credentials that would go to two registries; as {@link check}
 */
export async function diff(options: DiffOptions): Promise<readonly ResourceDiff[]> {
	return await (await import('./run/artifacts.ts')).diff(options)
}

/**
 * Manifest, files and referrers of an artifact.
 * @throws RemoteError `NOT_FOUND`, `CONTENT_CORRUPT`, those of a registry
 */
export async function inspect(options: InspectOptions): Promise<Inspection> {
	return await (await import('./run/artifacts.ts')).inspect(options)
}

/**
 * Writes the files of an artifact into a directory that is absent or empty, whole or not at all; every byte is
 * verified. With `force` also into one that is not empty: files of the same name are replaced one by one after all
 * has been fetched and verified, other files stay.
 * @throws UserError `NAME_TAKEN` for a directory that is not empty, and with `force` for a link, or a directory
 *   in place of a file or the reverse: nothing is changed then. `DIRECTORY_INVALID`, `ARTIFACT_INVALID`, `DISK_FULL`,
 *   `FILE_UNWRITABLE`
 * @throws RemoteError `NOT_FOUND`, `CONTENT_CORRUPT`, those of a registry
 */
export async function pull(options: PullOptions): Promise<PullResult> {
	return await (await import('./run/artifacts.ts')).pull(options)
}

/**
 * Gives an artifact further tags in its repository.
 * @throws UserError `TAG_EXISTS` for a version tag with other content, `USAGE`
 * @throws RemoteError `NOT_FOUND`, those of a registry
 */
export async function tag(options: TagOptions): Promise<TagResult & Refreshed> {
	return await (await import('./run/artifacts.ts')).tag(options)
}
