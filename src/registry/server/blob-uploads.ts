import type { ServerRequest, ServerResponse } from '../../http/server/index.ts'
import { unreachable } from '../../errors/index.ts'
import { type Digest, isDigest } from '../../oci/index.ts'
import { parseContentRange } from './byte-range.ts'
import type { RegistryContext } from './context.ts'
import type { UploadRefusal, UploadResult } from './storage.ts'
import { fault, refuse, type WireHeaders } from './wire.ts'

export interface UploadTarget {
	readonly repository: string
	readonly id: string
}

/**
 * Starts an upload, takes one that comes whole, or mounts what is there.
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#pushing-blobs
 */
export async function startUpload(
	{ storage, memory }: RegistryContext,
	request: ServerRequest,
	repository: string,
): Promise<ServerResponse> {
	const mount = request.query.get('mount')
	if (mount !== null) {
		if (!isDigest(mount)) return badDigest()
		const from = request.query.get('from') ?? undefined
		if (await storage.mountBlob(repository, { digest: mount, from })) return created(repository, mount)
	}
	const digest = request.query.get('digest')
	if (digest !== null && !isDigest(digest)) return badDigest()
	const upload = storage.startUpload(repository, digest !== null && mount === null)
	if (!upload) return tooManyUploads()
	const { id } = upload
	if (digest === null || mount !== null) return { status: 202, headers: progress({ repository, id }, 0) }
	const share = memory.share()
	try {
		const result = await storage.finishUpload(repository, { id, digest, body: request.body, share })
		return finished({ repository, id }, result)
	} finally {
		share.release()
		storage.cancelUpload(repository, id)
	}
}

/** @see https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#pushing-a-blob-in-chunks */
export async function patchUpload(
	{ storage }: RegistryContext,
	request: ServerRequest,
	target: UploadTarget,
): Promise<ServerResponse> {
	const offset = claimedOffset(request)
	if (offset === 'invalid') return badRange()
	const result = await storage.appendUpload(target.repository, { id: target.id, body: request.body, offset })
	if (result.kind === 'appended') return { status: 202, headers: progress(target, result.size) }
	return refused(target, result)
}

export async function putUpload(
	{ storage, memory }: RegistryContext,
	request: ServerRequest,
	target: UploadTarget,
): Promise<ServerResponse> {
	const digest = request.query.get('digest')
	if (digest === null || !isDigest(digest)) return badDigest()
	const offset = claimedOffset(request)
	if (offset === 'invalid') return badRange()
	const { repository, id } = target
	const share = memory.share()
	try {
		const upload = { id, digest, offset, body: request.body, share }
		return finished(target, await storage.finishUpload(repository, upload))
	} finally {
		share.release()
	}
}

export function getUpload({ storage }: RegistryContext, target: UploadTarget): ServerResponse {
	const upload = storage.upload(target.repository, target.id)
	return upload ? { status: 204, headers: progress(target, upload.size) } : unknown()
}

export function cancelUpload({ storage }: RegistryContext, target: UploadTarget): ServerResponse {
	return storage.cancelUpload(target.repository, target.id) ? { status: 204 } : unknown()
}

/** Where the client believes the upload stands. */
function claimedOffset(request: ServerRequest): number | undefined | 'invalid' {
	const header = request.headers['content-range']
	if (header === undefined) return undefined
	const range = parseContentRange(header)
	if (!range) return 'invalid'
	const length = request.headers['content-length']
	if (length !== undefined && Number(length) !== range.end - range.start + 1) return 'invalid'
	return range.start
}

function progress({ repository, id }: UploadTarget, size: number): WireHeaders {
	return {
		location: `/v2/${repository}/blobs/uploads/${id}`,
		range: `0-${Math.max(size - 1, 0)}`,
		'docker-upload-uuid': id,
	}
}

function created(repository: string, digest: Digest): ServerResponse {
	return {
		status: 201,
		headers: { location: `/v2/${repository}/blobs/${digest}`, 'docker-content-digest': digest },
	}
}

function finished(target: UploadTarget, result: UploadResult): ServerResponse {
	if (result.kind === 'stored') return created(target.repository, result.digest)
	if (result.kind === 'mismatch') {
		return fault(400, 'DIGEST_INVALID', `the content has the digest ${result.actual}`)
	}
	return refused(target, result)
}

function refused(target: UploadTarget, refusal: UploadRefusal): ServerResponse {
	switch (refusal.kind) {
		case 'unknown':
			return unknown()
		case 'busy':
			return fault(409, 'BLOB_UPLOAD_INVALID', 'another request is writing to this upload')
		case 'out-of-order':
			return refuse(416, {
				faults: [{ code: 'BLOB_UPLOAD_INVALID', message: `the upload stands at ${refusal.size} bytes` }],
				headers: progress(target, refusal.size),
			})
		case 'too-large':
			return fault(413, 'SIZE_INVALID', `a blob may have ${refusal.limit} bytes, this one has more`)
		default:
			return unreachable(refusal)
	}
}

function tooManyUploads(): ServerResponse {
	return refuse(429, {
		faults: [{ code: 'TOOMANYREQUESTS', message: 'too many uploads are under way, try again' }],
		headers: { 'retry-after': 5 },
	})
}

function unknown(): ServerResponse {
	return fault(404, 'BLOB_UPLOAD_UNKNOWN', 'there is no such upload')
}

function badDigest(): ServerResponse {
	return fault(400, 'DIGEST_INVALID', 'not a digest of a registered algorithm')
}

function badRange(): ServerResponse {
	return fault(416, 'BLOB_UPLOAD_INVALID', 'Content-Range is no range, or not that of the body')
}
