import { bytesSource, type ContentSource, type StoreOptions } from '../../content/index.ts'
import { InternalError, RemoteError, UserError } from '../../errors/index.ts'
import type { HttpResponse, Waiting } from '../../http/client/index.ts'
import {
	acceptedManifestTypes,
	type Descriptor,
	type Digest,
	digestAlgorithm,
	digestOf,
	isDigest,
	isManifestType,
	MAX_MANIFEST_BYTES,
} from '../../oci/index.ts'
import { checkDigest } from './blob-upload.ts'
import type { Endpoint } from './endpoint.ts'
import { addToReferrersTag } from './referrers.ts'
import { protocolError } from './registry-errors.ts'

const ACCEPT = acceptedManifestTypes.join(', ')

/**
 * A manifest, whole; the digest is the one of the bytes.
 * @throws RemoteError `CONTENT_CORRUPT` when a digest is asked for and the bytes have another
 */
export function readManifest(
	endpoint: Endpoint,
	reference: string,
	{ signal, waiting }: StoreOptions & { readonly waiting?: Waiting | undefined },
): Promise<{ readonly descriptor: Descriptor; readonly bytes: Uint8Array } | undefined> {
	const path = `manifests/${reference}`
	const headers = { accept: ACCEPT }
	const { repository, http } = endpoint
	const read = async (): ReturnType<typeof readManifest> => {
		const response = await endpoint.send({
			method: 'GET',
			path,
			headers,
			access: 'pull',
			retry: false,
			signal,
		})
		if (response.status === 404) {
			response.discard()
			return undefined
		}
		if (response.status !== 200) throw await endpoint.refusal(response, `read ${repository} at ${reference}`)
		const mediaType = manifestTypeOf(endpoint, response)
		const bytes = await response.bytes(MAX_MANIFEST_BYTES)
		const digest = digestOf(bytes, isDigest(reference) ? digestAlgorithm(reference) : 'sha256')
		// Whoever names a digest gets that content or none: what is answered here is believed from here on.
		if (isDigest(reference) && digest !== reference) throw corruptManifest(endpoint, reference, digest)
		return { descriptor: { mediaType, digest, size: bytes.byteLength }, bytes }
	}
	return http.attempt(read, { signal, waiting })
}

function corruptManifest({ registry, repository }: Endpoint, asked: Digest, got: Digest): RemoteError {
	const what = `content of ${asked} is corrupt: ${registry} answers for it in ${repository} with ${got}`
	return new RemoteError('CONTENT_CORRUPT', what, {
		hint: 'Do not use it. Tell the operator of the registry, or of the proxy before it; push the artifact again from a good source.',
	})
}

/** What a tag or digest names, by HEAD where that tells enough. */
export async function resolveManifest(
	endpoint: Endpoint,
	reference: string,
	{ signal }: StoreOptions,
): Promise<Descriptor | undefined> {
	const path = `manifests/${reference}`
	const headers = { accept: ACCEPT }
	const waiting = { milliseconds: 0 }
	const response = await endpoint.send({ method: 'HEAD', path, headers, access: 'pull', waiting, signal })
	response.discard()
	if (response.status === 404) return undefined
	const described = response.status === 200 ? describedBy(response) : undefined
	if (described && (!isDigest(reference) || described.digest === reference)) {
		// Content that is served as no manifest is for the reader to judge.
		const type = mediaTypeOf(response) ?? ''
		return {
			mediaType: type.startsWith('application/') ? type : manifestTypeOf(endpoint, response),
			...described,
		}
	}
	// HEAD carries no words; where it says no, GET does so with the registry's reasons.
	return (await readManifest(endpoint, reference, { signal, waiting }))?.descriptor
}

/** Stores a manifest under a tag or its digest, and lists it with its subject where the registry does not. */
export async function putManifest(
	endpoint: Endpoint,
	source: ContentSource,
	options: StoreOptions & { readonly reference: string },
): Promise<void> {
	const { repository } = endpoint
	const { reference } = options
	const { descriptor } = source
	const bytes = source.bytes ?? (await collect(source, options))
	if (digestOf(bytes, digestAlgorithm(descriptor.digest)) !== descriptor.digest) {
		throw new InternalError('the bytes of a manifest are not those of its descriptor')
	}
	if (bytes.byteLength > MAX_MANIFEST_BYTES) {
		throw new UserError(
			'ARTIFACT_INVALID',
			`the manifest has ${bytes.byteLength} bytes; registries take 4 MiB`,
		)
	}
	const response = await endpoint.send({
		method: 'PUT',
		path: `manifests/${reference}`,
		access: 'pull,push',
		headers: { 'content-type': descriptor.mediaType },
		body: bytes,
		signal: options.signal,
	})
	if (response.status !== 201 && response.status !== 200) {
		const tag = isDigest(reference) ? undefined : reference
		const refusal = await endpoint.refusal(response, `store the manifest ${reference} of ${repository}`, tag)
		// A tag that may not move names what it shall: an answer was lost on the way, and it was set all the same.
		const isThere =
			refusal.code === 'TAG_EXISTS' &&
			(await resolveManifest(endpoint, reference, options))?.digest === descriptor.digest
		if (!isThere) throw refusal
	} else response.discard()
	checkDigest(endpoint, response, descriptor.digest)
	// A registry that knows referrers says so; for any other the entry is ours to make.
	if (response.headers['oci-subject'] !== undefined) return
	await addToReferrersTag(endpoint, { ...source, bytes }, async (index, mediaType, tag) => {
		await putManifest(endpoint, bytesSource(mediaType, index), { ...options, reference: tag })
	})
}

function manifestTypeOf(endpoint: Endpoint, response: HttpResponse): string {
	const type = mediaTypeOf(response)
	if (type !== undefined && isManifestType(type)) return type
	response.discard()
	throw protocolError(endpoint.registry, `serves a manifest as ${type ?? 'no media type'}`, response)
}

function mediaTypeOf({ headers }: HttpResponse): string | undefined {
	return headers['content-type']?.split(';')[0]?.trim()
}

function describedBy({
	headers,
}: HttpResponse): { readonly digest: Digest; readonly size: number } | undefined {
	const digest = headers['docker-content-digest']
	const length = headers['content-length']
	if (typeof digest !== 'string' || !isDigest(digest) || length === undefined) return undefined
	const size = Number(length)
	return Number.isSafeInteger(size) && size > 0 ? { digest, size } : undefined
}

async function collect(source: ContentSource, options: StoreOptions): Promise<Uint8Array> {
	const chunks: Uint8Array[] = []
	let size = 0
	for await (const chunk of source.open(options)) {
		size += chunk.byteLength
		if (size > MAX_MANIFEST_BYTES) break
		chunks.push(chunk)
	}
	return Buffer.concat(chunks)
}
