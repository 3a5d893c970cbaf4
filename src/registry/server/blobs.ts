import type { ServerRequest, ServerResponse } from '../../http/server/index.ts'
import type { Digest } from '../../oci/index.ts'
import { parseRange } from './byte-range.ts'
import type { RegistryContext } from './context.ts'
import { matches, needed } from './manifests.ts'
import { fault, refuse } from './wire.ts'

export interface BlobTarget {
	readonly repository: string
	readonly digest: Digest
}

/** @see https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#pulling-blobs */
export function getBlob(
	{ storage }: RegistryContext,
	request: ServerRequest,
	{ repository, digest }: BlobTarget,
): ServerResponse {
	const size = storage.blobSize(repository, digest)
	if (size === undefined) return unknown()
	if (request.method === 'HEAD' && storage.isDamaged(digest)) return unknown()
	// Who hears that it is there will not send it.
	if (request.method === 'HEAD') storage.touch(digest)
	const etag = `"${digest}"`
	if (matches(request, digest)) return { status: 304, headers: { etag } }
	const range = parseRange(request.headers.range, size)
	if (range === 'unsatisfiable') {
		return refuse(416, {
			faults: [{ code: 'SIZE_INVALID', message: `the blob has ${size} bytes` }],
			headers: { 'content-range': `bytes */${size}` },
		})
	}
	const headers = {
		'content-type': 'application/octet-stream',
		'content-length': range ? range.end - range.start + 1 : size,
		'docker-content-digest': digest,
		etag,
		'accept-ranges': 'bytes',
		'x-content-type-options': 'nosniff',
		...(range && { 'content-range': `bytes ${range.start}-${range.end}/${size}` }),
	}
	const status = range ? 206 : 200
	if (request.method === 'HEAD') return { status, headers }
	return { status, headers, body: storage.openBlob(repository, digest)?.read(range) }
}

/** @see https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#deleting-blobs */
export async function deleteBlob(
	{ storage }: RegistryContext,
	{ repository, digest }: BlobTarget,
): Promise<ServerResponse> {
	const result = await storage.deleteBlob(repository, digest)
	if (result.kind === 'needed') return needed(digest, result)
	return result.kind === 'deleted' ? { status: 202 } : unknown()
}

function unknown(): ServerResponse {
	return fault(404, 'BLOB_UNKNOWN', 'the repository has no such blob')
}
