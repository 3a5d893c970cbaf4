import { isSystemError, LadingError } from '../../errors/index.ts'
import type { ServerRequest, ServerResponse } from '../../http/server/index.ts'
import { type Descriptor, type Digest, MediaType, parseManifest } from '../../oci/index.ts'
import type { RegistryContext } from './context.ts'
import { Described } from './described.ts'
import { artifactTypeOf } from './references.ts'
import type { StoredManifest } from './storage.ts'
import { fault } from './wire.ts'

/** Entries of one page, also where the client asks for more. */
const MAX_ENTRIES = 10_000
/** A page of referrers ends when it has more than this, in bytes. */
const REFERRERS_BYTES = 2 * 1024 * 1024
/** So it does when so much was read for it, in bytes. */
const REFERRERS_READ_BYTES = 16 * 1024 * 1024

/** @see https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#listing-tags */
export function listTags(
	{ storage }: RegistryContext,
	request: ServerRequest,
	repository: string,
): ServerResponse {
	const limit = pageSize(request)
	if (limit === 'invalid') return badPageSize()
	const after = request.query.get('last') ?? undefined
	const page = storage.listTags(repository, { after, limit })
	if (!page) return fault(404, 'NAME_UNKNOWN', 'there is no such repository')
	const last = page.more ? page.tags.at(-1) : undefined
	return {
		status: 200,
		headers: {
			'content-type': 'application/json',
			...(last !== undefined && next(request.path, { n: String(limit), last })),
		},
		body: JSON.stringify({ name: repository, tags: page.tags }),
	}
}

/** Of distribution, not of the specification: the names of all repositories. */
export function listRepositories({ storage }: RegistryContext, request: ServerRequest): ServerResponse {
	const limit = pageSize(request)
	if (limit === 'invalid') return badPageSize()
	const after = request.query.get('last') ?? ''
	const names = storage.repositories().filter((name) => name > after)
	const repositories = names.slice(0, limit)
	const last = names.length > limit ? repositories.at(-1) : undefined
	return {
		status: 200,
		headers: {
			'content-type': 'application/json',
			...(last !== undefined && next(request.path, { n: String(limit), last })),
		},
		body: JSON.stringify({ repositories }),
	}
}

const known = new Described()

/**
 * Reads what it lists and nothing else. One whose manifest is damaged is left out, as HEAD says no of it:
 * who looks for it shall push it again.
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#listing-referrers
 */
export function listReferrers(
	context: RegistryContext,
	request: ServerRequest,
	{ repository, digest }: { readonly repository: string; readonly digest: Digest },
): ServerResponse {
	const artifactType = request.query.get('artifactType')
	const all = context.storage.referrers(repository, digest)
	const after = request.query.get('last')
	const from = after === null ? 0 : all.findIndex((each) => each.digest === after) + 1
	const manifests: Descriptor[] = []
	let size = 0
	let read = 0
	let last: Digest | undefined
	for (const [index, manifest] of all.entries()) {
		if (index < from) continue
		if (artifactType !== null && (manifest.artifactType ?? artifactType) !== artifactType) continue
		let entry = known.get(manifest)
		if (entry && context.storage.isDamaged(manifest.digest)) continue
		if (!entry) {
			read += manifest.size
			const descriptor = describe(context, repository, manifest)
			entry = descriptor && known.add(manifest, descriptor)
		}
		if (entry && (artifactType === null || entry.descriptor.artifactType === artifactType)) {
			manifests.push(entry.descriptor)
			size += entry.bytes
		}
		if ((size <= REFERRERS_BYTES && read <= REFERRERS_READ_BYTES) || index === all.length - 1) continue
		last = manifest.digest
		break
	}
	return {
		status: 200,
		headers: {
			'content-type': MediaType.imageIndex,
			...(artifactType !== null && { 'oci-filters-applied': 'artifactType' }),
			...(last && next(request.path, { last, ...(artifactType !== null && { artifactType }) })),
		},
		body: JSON.stringify({ schemaVersion: 2, mediaType: MediaType.imageIndex, manifests }),
	}
}

/** The descriptor of a referrer; `undefined` where it is gone or cannot be read. */
function describe(
	{ storage, log }: RegistryContext,
	repository: string,
	{ digest, mediaType, size }: StoredManifest,
): Descriptor | undefined {
	let bytes: Uint8Array | undefined
	try {
		bytes = storage.readManifest(repository, digest)
	} catch (error) {
		const isDamage = error instanceof LadingError && error.code === 'CONTENT_CORRUPT'
		if (!isDamage && !isSystemError(error, 'EIO')) throw error
		log({ level: 'error', message: `${repository}: a referrer is not listed: ${error.message}` })
	}
	if (!bytes) return undefined
	const parsed = parseManifest(bytes, mediaType)
	const annotations = parsed.kind === 'other' ? undefined : parsed.manifest.annotations
	return { mediaType, digest, size, artifactType: artifactTypeOf(parsed), annotations }
}

function pageSize(request: ServerRequest): number | 'invalid' {
	const text = request.query.get('n')
	if (text === null) return MAX_ENTRIES
	return /^\d{1,9}$/.test(text) ? Math.min(Number(text), MAX_ENTRIES) : 'invalid'
}

function badPageSize(): ServerResponse {
	return fault(400, 'UNSUPPORTED', 'the query parameter "n" is not a number')
}

function next(path: string, query: Readonly<Record<string, string>>): { readonly link: string } {
	return { link: `<${path}?${new URLSearchParams(query).toString()}>; rel="next"` }
}
