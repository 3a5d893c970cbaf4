import { checkResource, type ResourceOptions } from './check-resources.ts'
import type { Breach } from './manifest-facts.ts'
import {
	type FileOutcome,
	type ManifestFile,
	type ParseDocuments,
	readManifestFile,
} from './manifest-file.ts'
import type { DeployedResource, ResourceIdentity } from './resource.ts'

/** What a file is by itself: plain values, which one thread can send to another. */
export interface JudgedFile<R extends ResourceIdentity = DeployedResource> {
	readonly outcome: FileOutcome<R>
	/** Of each of its objects. */
	readonly breaches: readonly Breach[]
}

export type Judge<R extends ResourceIdentity = DeployedResource> = (file: ManifestFile) => JudgedFile<R>

/** Judges one file of a directory source. */
export function judgeFile(
	file: ManifestFile,
	{ parse, ...options }: ResourceOptions & { readonly parse: ParseDocuments },
): JudgedFile {
	const outcome = readManifestFile(file, parse)
	if (outcome.kind !== 'resources') return { outcome, breaches: [] }
	return { outcome, breaches: outcome.resources.flatMap((resource) => checkResource(resource, options)) }
}

/** The same without the objects, which are nearly all of it. */
export function withoutObjects({ outcome, breaches }: JudgedFile): JudgedFile<ResourceIdentity> {
	if (outcome.kind !== 'resources') return { outcome, breaches }
	const resources = outcome.resources.map(({ object: _, ...identity }) => identity)
	return { outcome: { kind: 'resources', resources }, breaches }
}
