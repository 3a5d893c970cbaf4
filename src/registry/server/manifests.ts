import { LadingError } from '../../errors/index.ts'
import type { ServerRequest, ServerResponse } from '../../http/server/index.ts'
import { type Digest, digestAlgorithm, digestOf, isTag } from '../../oci/index.ts'
import type { BodyShare } from './body-memory.ts'
import type { RegistryContext } from './context.ts'
import { checkManifest } from './manifest-check.ts'
import type { InUse } from './pruning.ts'
import type { ManifestReference } from './route.ts'
import type { DeleteResult, StoredManifest } from './storage.ts'
import { fault, refuse, type WireHeaders } from './wire.ts'

export interface ManifestTarget {
	readonly repository: string
	readonly reference: ManifestReference
}

/** Tags one push may set by `?tag=`. */
const MAX_TAGS = 100

/** @see https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#pulling-manifests */
export function getManifest(
	{ storage }: RegistryContext,
	request: ServerRequest,
	{ repository, reference }: ManifestTarget,
): ServerResponse {
	const digest =
		reference.kind === 'digest' ? reference.digest : storage.resolveTag(repository, reference.tag)
	const manifest = digest && storage.manifest(repository, digest)
	if (!manifest) return unknown(storage.hasRepository(repository))
	// Whoever asks may be about to push it: who hears that it is there sends none of it, and heals nothing.
	if (request.method === 'HEAD' && !storage.isWhole(repository, manifest.digest)) return unknown(true)
	// Who asks, by tag or by digest, is about to fetch it, or to push what refers to it.
	if (request.method === 'HEAD' || reference.kind === 'digest') storage.touch(manifest.digest)
	const headers = headersOf(manifest)
	if (matches(request, manifest.digest)) return { status: 304, headers: { etag: `"${manifest.digest}"` } }
	if (request.method === 'HEAD') return { status: 200, headers }
	return { status: 200, headers, body: storage.readManifest(repository, manifest.digest) }
}

/** The same for as long as the storage hands out the same manifest, which it does. */
const headersCache = new WeakMap<StoredManifest, WireHeaders>()

function headersOf(manifest: StoredManifest): WireHeaders {
	let headers = headersCache.get(manifest)
	if (!headers) {
		headers = {
			'content-type': manifest.mediaType,
			'content-length': manifest.size,
			'docker-content-digest': manifest.digest,
			etag: `"${manifest.digest}"`,
			'x-content-type-options': 'nosniff',
		}
		headersCache.set(manifest, headers)
	}
	return headers
}

/** Whether `If-None-Match` names the digest. */
export function matches(request: ServerRequest, digest: Digest): boolean {
	return request.headers['if-none-match']?.includes(`"${digest}"`) === true
}

function unknown(repositoryExists: boolean): ServerResponse {
	return repositoryExists
		? fault(404, 'MANIFEST_UNKNOWN', 'the repository has no such manifest')
		: fault(404, 'NAME_UNKNOWN', 'there is no such repository')
}

/** @see https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#pushing-manifests */
export async function putManifest(
	context: RegistryContext,
	request: ServerRequest,
	target: ManifestTarget,
): Promise<ServerResponse> {
	const { manifestBytes } = context.limits
	const share = context.memory.share()
	try {
		const bytes = await readAtMost(request, { limit: manifestBytes, share })
		if (bytes === 'too-large')
			return fault(413, 'SIZE_INVALID', `a manifest may have ${manifestBytes} bytes, this one has more`)
		if (bytes === 'no-memory') return tooManyManifests()
		return await storeManifest(context, request, { ...target, bytes })
	} finally {
		share.release()
	}
}

async function storeManifest(
	{ storage, immutable }: RegistryContext,
	request: ServerRequest,
	{ repository, reference, bytes }: ManifestTarget & { readonly bytes: Uint8Array },
): Promise<ServerResponse> {
	const digest = digestOf(bytes, reference.kind === 'digest' ? digestAlgorithm(reference.digest) : 'sha256')
	if (reference.kind === 'digest' && reference.digest !== digest) {
		return fault(400, 'DIGEST_INVALID', `the content has the digest ${digest}`)
	}
	const tags = reference.kind === 'tag' ? [reference.tag] : [...new Set(request.query.getAll('tag'))]
	if (tags.length > MAX_TAGS || !tags.every(isTag)) {
		return fault(
			400,
			'MANIFEST_INVALID',
			`a query parameter "tag" is not a tag, or there are over ${MAX_TAGS}`,
		)
	}
	const checked = checkManifest(bytes, {
		declared: request.headers['content-type'],
		lookup: {
			blobSize: (target) => (storage.isDamaged(target) ? undefined : storage.blobSize(repository, target)),
			manifestSize: (target) =>
				storage.isDamaged(target) ? undefined : storage.manifest(repository, target)?.size,
		},
	})
	if (checked.kind === 'bad') return refuse(400, { faults: checked.faults.slice(0, 100) })

	const { mediaType, subject, artifactType, references } = checked
	const size = bytes.byteLength
	const referrer = subject && { subject, artifactType }
	const manifest: StoredManifest = { digest, mediaType, size, references, ...referrer }
	const fixedTags = immutable ? tags.filter((tag) => immutable(repository, tag)) : []
	const put = await storage.putManifest(repository, { manifest, bytes, tags, fixedTags })
	if (put.kind === 'tag-fixed') return immutableTag(put.tag, put.digest)
	return {
		status: 201,
		headers: {
			location: `/v2/${repository}/manifests/${digest}`,
			'docker-content-digest': digest,
			...(subject && { 'oci-subject': subject }),
			...(reference.kind === 'digest' && tags.length > 0 && { 'oci-tag': tags.join(', ') }),
		},
	}
}

/** 409 is what clients take for an immutable tag, as from other registries. */
function immutableTag(tag: string, digest: Digest): ServerResponse {
	return refuse(409, {
		faults: [
			{
				code: 'DENIED',
				message: `the tag ${tag} is immutable and names ${digest}: push under a tag that is new`,
				detail: { tag, digest },
			},
		],
	})
}

function tooManyManifests(): ServerResponse {
	return refuse(503, {
		faults: [
			{ code: 'TOOMANYREQUESTS', message: 'too many large manifests are being pushed at once, try again' },
		],
		headers: { 'retry-after': 1 },
	})
}

async function readAtMost(
	request: ServerRequest,
	{ limit, share }: { readonly limit: number; readonly share: BodyShare },
): Promise<Uint8Array | 'too-large' | 'no-memory'> {
	if (Number(request.headers['content-length'] ?? 0) > limit) return 'too-large'
	const chunks: Uint8Array[] = []
	let size = 0
	for await (const chunk of request.body) {
		size += chunk.byteLength
		if (size > limit) return 'too-large'
		if (!share.hold(chunk.byteLength)) return 'no-memory'
		chunks.push(chunk)
	}
	return Buffer.concat(chunks)
}

/** @see https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#deleting-manifests */
export async function deleteManifest(
	{ storage, digestsInUse, immutable }: RegistryContext,
	{ repository, reference }: ManifestTarget,
): Promise<ServerResponse> {
	if (reference.kind === 'tag') {
		const { tag } = reference
		if (immutable?.(repository, tag) === true && storage.resolveTag(repository, tag) !== undefined)
			return keptTag(tag)
		const deleted = await storage.deleteTag(repository, tag)
		return deleted ? { status: 202 } : unknown(storage.hasRepository(repository))
	}
	const { digest } = reference
	if (!storage.manifest(repository, digest)) return unknown(storage.hasRepository(repository))
	const keptOf = (): string | undefined =>
		immutable && storage.tagsOf(repository, digest).find((tag) => immutable(repository, tag))
	const kept = keptOf()
	if (kept !== undefined) return keptTag(kept)
	const isUse = ({ repository: where = repository, names }: InUse): boolean =>
		where === repository &&
		('digest' in names ? names.digest : storage.resolveTag(repository, names.tag)) === digest
	let inUse: readonly InUse[] = []
	try {
		inUse = (await digestsInUse?.()) ?? []
	} catch (error) {
		if (!(error instanceof LadingError)) throw error
		return fault(503, 'UNKNOWN', `nothing is deleted while it is not known what is in use: ${error.message}`)
	}
	const use = inUse.find(isUse)
	if (use) return fault(409, 'DENIED', `${digest} is in use by ${use.by}, or it may roll back to it`)
	// It may have got its tag while the clusters were asked.
	const keptSince = keptOf()
	if (keptSince !== undefined) return keptTag(keptSince)
	const result = await storage.deleteManifest(repository, digest)
	if (result.kind === 'needed') return needed(digest, result)
	return result.kind === 'deleted' ? { status: 202 } : unknown(true)
}

/** The answer to who would delete a part of something. */
export function needed(
	digest: Digest,
	{ by, tag }: Pick<DeleteResult & { readonly kind: 'needed' }, 'by' | 'tag'>,
): ServerResponse {
	const manifest = by === undefined ? 'a manifest that is being pushed' : `the manifest ${by}`
	const message = `${digest} is part of ${manifest}${tag === undefined ? '' : `, which the tag ${tag} needs`}: delete that manifest first`
	return refuse(409, { faults: [{ code: 'DENIED', message, detail: { digest, by, tag } }] })
}

function keptTag(tag: string): ServerResponse {
	return fault(
		409,
		'DENIED',
		`the tag ${tag} is immutable and is not deleted; lading registry prune --include-immutable does`,
	)
}
