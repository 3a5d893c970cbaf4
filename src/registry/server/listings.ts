import type { ServerRequest, ServerResponse } from '../../http/server/index.ts'
import { type Descriptor, type Digest, MediaType, parseManifest } from '../../oci/index.ts'
import type { RegistryContext } from './context.ts'
import type { StoredManifest } from './storage.ts'
import { fault } from './wire.ts'

/** Entries of one page, also where the client asks for more. */
const MAX_ENTRIES = 10_000
/** A page of referrers ends when it has more than this, in bytes. */
const REFERRERS_BYTES = 2 * 1024 * 1024

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

/** @see https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#listing-referrers */
export function listReferrers(
	{ storage }: RegistryContext,
	request: ServerRequest,
	{ repository, digest }: { readonly repository: string; readonly digest: Digest },
): ServerResponse {
	const artifactType = request.query.get('artifactType')
	const all = storage.referrers(repository, digest)
	const after = request.query.get('last')
	const from = after === null ? 0 : all.findIndex((each) => each.digest === after) + 1
	const manifests: Descriptor[] = []
	let size = 0
	let last: Digest | undefined
	for (const [index, manifest] of all.entries()) {
		if (index < from) continue
		const bytes = storage.readManifest(repository, manifest.digest)
		if (!bytes) continue
		const descriptor = describe(manifest, bytes)
		if (artifactType !== null && descriptor.artifactType !== artifactType) continue
		manifests.push(descriptor)
		size += JSON.stringify(descriptor).length
		if (size <= REFERRERS_BYTES || index === all.length - 1) continue
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

/** The descriptor of a referrer: an image without an artifact type has that of its config. */
function describe({ digest, mediaType, size }: StoredManifest, bytes: Uint8Array): Descriptor {
	const parsed = parseManifest(bytes, mediaType)
	if (parsed.kind === 'other') return { mediaType, digest, size }
	const { artifactType, annotations } = parsed.manifest
	const fallback = parsed.kind === 'image' ? parsed.manifest.config.mediaType : undefined
	return {
		mediaType,
		digest,
		size,
		artifactType: artifactType === undefined || artifactType === '' ? fallback : artifactType,
		annotations,
	}
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
