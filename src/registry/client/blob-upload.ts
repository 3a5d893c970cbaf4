import { RemoteError } from '../../errors/index.ts'
import type { HttpResponse } from '../../http/client/index.ts'
import { type ContentSource, type StoreOptions, verified } from '../../content/index.ts'
import type { Digest } from '../../oci/index.ts'
import type { Endpoint } from './endpoint.ts'
import { printable, protocolError } from './registry-errors.ts'

/** What a connection carries before the first acknowledgement (10 segments): goes along with the first request. */
export const SINGLE_POST_BYTES = 14_000

const STORED: unique symbol = Symbol('stored')

/** Answers of a registry that takes no content with the first request, and does not say 202. */
const NOT_IN_ONE: ReadonlySet<number> = new Set([400, 405, 411, 413, 415, 501])

export interface UploadOptions extends StoreOptions {
	/** Content larger than this goes in pieces of this size, in bytes; default all in one piece. */
	readonly chunkSize?: number | undefined
	/** A session that is open already, such as one left by a mount that was not possible. */
	readonly session?: string | undefined
}

/**
 * Uploads a blob; a small one in a single request where the registry takes that. When it breaks off, a chunked upload goes on where the registry
 * says it stands; otherwise a new session is started, because nobody can know
 * what the old one holds.
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-blobs
 */
export async function uploadBlob(
	endpoint: Endpoint,
	source: ContentSource,
	options: UploadOptions,
): Promise<void> {
	const { chunkSize, signal } = options
	let { session } = options
	const inPieces = chunkSize !== undefined && source.descriptor.size > chunkSize
	await endpoint.http.attempt(
		async () => {
			const started =
				session ?? (await postWhole(endpoint, source, signal)) ?? (await startSession(endpoint, signal))
			session = undefined
			if (started === STORED) return
			if (inPieces) await uploadChunks(endpoint, source, { session: started, chunkSize, signal })
			else await uploadWhole(endpoint, source, { session: started, signal })
		},
		{ signal },
	)
}

/**
 * Sends a small blob with the first request. @returns the session of a registry that
 * wants it once more, `undefined` where that is to be begun the other way
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#single-post
 */
async function postWhole(
	endpoint: Endpoint,
	{ descriptor, bytes }: ContentSource,
	signal: AbortSignal | undefined,
): Promise<string | typeof STORED | undefined> {
	if (!bytes || descriptor.size > SINGLE_POST_BYTES) return undefined
	const response = await endpoint.send({
		method: 'POST',
		path: `blobs/uploads/?${new URLSearchParams({ digest: descriptor.digest }).toString()}`,
		access: 'pull,push',
		headers: { 'content-type': 'application/octet-stream' },
		body: bytes,
		contentLength: descriptor.size,
		retry: false,
		signal,
	})
	if (response.status === 202) return sessionOf(endpoint, response)
	if (NOT_IN_ONE.has(response.status)) {
		response.discard()
		return undefined
	}
	await finished(endpoint, response, descriptor.digest)
	return STORED
}

async function startSession(endpoint: Endpoint, signal: AbortSignal | undefined): Promise<string> {
	const response = await endpoint.send({
		method: 'POST',
		path: 'blobs/uploads/',
		access: 'pull,push',
		headers: { 'content-length': '0' },
		retry: false,
		signal,
	})
	if (response.status !== 202)
		throw await endpoint.refusal(response, `start an upload to ${endpoint.repository}`)
	return sessionOf(endpoint, response)
}

/** The session's URL out of an answer that has no body of interest. */
export function sessionOf(endpoint: Endpoint, response: HttpResponse): string {
	response.discard()
	const { location } = response.headers
	if (location === undefined) {
		throw protocolError(endpoint.registry, 'starts an upload and does not say where', response)
	}
	return endpoint.resolve(location, response)
}

interface Session {
	readonly session: string
	readonly signal: AbortSignal | undefined
}

async function uploadWhole(
	endpoint: Endpoint,
	source: ContentSource,
	{ session, signal }: Session,
): Promise<void> {
	const { descriptor, bytes } = source
	const response = await endpoint.send({
		method: 'PUT',
		path: withDigest(session, descriptor.digest),
		access: 'pull,push',
		headers: { 'content-type': 'application/octet-stream' },
		body: bytes ?? (() => verified(descriptor, source.open(signal ? { signal } : {}))),
		contentLength: descriptor.size,
		retry: false,
		signal,
	})
	await finished(endpoint, response, descriptor.digest)
}

async function finished(endpoint: Endpoint, response: HttpResponse, digest: Digest): Promise<void> {
	if (response.status !== 201 && response.status !== 204) {
		throw await endpoint.refusal(response, `store the blob ${digest} in ${endpoint.repository}`)
	}
	response.discard()
	checkDigest(endpoint, response, digest)
}

/** @throws RemoteError `REGISTRY_PROTOCOL` when the registry says it stored something else */
export function checkDigest(endpoint: Endpoint, response: HttpResponse, digest: Digest): void {
	const said = response.headers['docker-content-digest']
	// Some registries answer with their own algorithm; only the same one can be compared.
	if (typeof said !== 'string' || said === digest || said.split(':')[0] !== digest.split(':')[0]) return
	throw protocolError(endpoint.registry, `stored ${printable(said)} instead of ${digest}`, response)
}

/** The session's own query stays: distribution keeps its state there. */
function withDigest(session: string, digest: Digest): string {
	const url = new URL(session)
	url.searchParams.set('digest', digest)
	return url.href
}

interface Chunks extends Session {
	readonly chunkSize: number
}

/** @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-a-blob-in-chunks */
async function uploadChunks(endpoint: Endpoint, source: ContentSource, options: Chunks): Promise<void> {
	const { signal, chunkSize } = options
	const { descriptor } = source
	let { session } = options
	let offset = 0
	while (offset < descriptor.size) {
		const start = offset
		let chunks = readChunks(source, { start, chunkSize, signal })
		for await (const chunk of chunks) {
			const sent = await sendChunk(endpoint, { session, chunk, offset, signal })
			session = sent.session
			const expected = offset + chunk.byteLength
			offset = sent.offset
			// The registry stands elsewhere: read on from there.
			if (offset !== expected) break
		}
		if (offset === start && offset < descriptor.size) throw stuck(endpoint, session)
	}
	const response = await endpoint.send({
		method: 'PUT',
		path: withDigest(session, descriptor.digest),
		access: 'pull,push',
		headers: { 'content-length': '0' },
		retry: false,
		signal,
	})
	await finished(endpoint, response, descriptor.digest)
}

function stuck(endpoint: Endpoint, session: string): RemoteError {
	return new RemoteError('REGISTRY_PROTOCOL', `${endpoint.registry} takes chunks and keeps nothing of them`, {
		hint: 'Push without a chunk size.',
		wire: { method: 'PATCH', url: session },
	})
}

interface Chunk extends Session {
	readonly chunk: Uint8Array
	readonly offset: number
}

interface Standing {
	readonly session: string
	/** Number of bytes that the registry has. */
	readonly offset: number
}

/** Sends one chunk; when that breaks off, asks how far it came. */
async function sendChunk(endpoint: Endpoint, { session, chunk, offset, signal }: Chunk): Promise<Standing> {
	const end = offset + chunk.byteLength
	try {
		const response = await endpoint.send({
			method: 'PATCH',
			path: session,
			access: 'pull,push',
			headers: {
				'content-type': 'application/octet-stream',
				'content-range': `${offset}-${end - 1}`,
			},
			body: chunk,
			retry: false,
			signal,
		})
		if (response.status === 202 || response.status === 204) {
			return { session: sessionOf(endpoint, response), offset: standingOf(response, end) }
		}
		if (response.status !== 416) {
			throw await endpoint.refusal(response, `take a chunk of a blob for ${endpoint.repository}`)
		}
		response.discard()
	} catch (error) {
		if (!(error instanceof RemoteError) || error.wire?.retryable !== true) throw error
		return await askStanding(endpoint, { session, signal }, error)
	}
	return askStanding(endpoint, { session, signal })
}

/** @throws RemoteError retryable (a new session) when the old one is gone */
async function askStanding(
	endpoint: Endpoint,
	{ session, signal }: Session,
	cause?: RemoteError,
): Promise<Standing> {
	const response = await endpoint.send({ method: 'GET', path: session, access: 'pull,push', signal })
	if (response.status === 204) {
		return {
			session: response.headers.location === undefined ? session : sessionOf(endpoint, response),
			offset: standingOf(response, 0),
		}
	}
	if (cause && response.status === 404) {
		response.discard()
		throw cause
	}
	throw await endpoint.refusal(response, `say where an upload to ${endpoint.repository} stands`)
}

/** `Range: 0-N` names the last byte that is there; "0-0" of an empty session cannot be told from one byte. */
function standingOf(response: HttpResponse, assumed: number): number {
	const range = /^(?:bytes=)?0-(\d{1,15})$/.exec(response.headers.range ?? '')
	if (!range) return assumed
	const last = Number(range[1])
	return last === 0 && assumed !== 1 ? 0 : last + 1
}

/** The content from `start` on in pieces of `chunkSize`, verified as a whole. */
async function* readChunks(
	source: ContentSource,
	{
		start,
		chunkSize,
		signal,
	}: { readonly start: number; readonly chunkSize: number; readonly signal: AbortSignal | undefined },
): AsyncGenerator<Uint8Array, void, undefined> {
	const { descriptor, bytes } = source
	const stream = bytes ? [bytes] : verified(descriptor, source.open(signal ? { signal } : {}))
	let skip = start
	let held: Uint8Array[] = []
	let size = 0
	for await (const piece of stream) {
		let rest = piece.subarray(Math.min(skip, piece.byteLength))
		skip -= piece.byteLength - rest.byteLength
		while (rest.byteLength > 0) {
			const part = rest.subarray(0, chunkSize - size)
			held.push(part)
			size += part.byteLength
			rest = rest.subarray(part.byteLength)
			if (size < chunkSize) continue
			yield Buffer.concat(held)
			held = []
			size = 0
		}
	}
	if (size > 0) yield Buffer.concat(held)
}
