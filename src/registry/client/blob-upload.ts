import { RemoteError } from '../../errors/index.ts'
import { type HttpResponse, isPassing, type Waiting } from '../../http/client/index.ts'
import type { ContentSource, StoreOptions } from '../../content/index.ts'
import type { Digest } from '../../oci/index.ts'
import type { Endpoint } from './endpoint.ts'
import { hasContent } from './has-content.ts'
import { printable, protocolError } from './registry-errors.ts'
import { contentFrom, Pieces } from './upload-pieces.ts'

/** What a connection carries before the first acknowledgement (10 segments): goes along with the first request. */
export const SINGLE_POST_BYTES = 14_000

/** Content smaller than this is sent anew sooner than the registry says how much of it came, in bytes. */
const RESUMED_BYTES = 1024 * 1024

const STORED: unique symbol = Symbol('stored')

/** Answers of a registry that takes no content with the first request, and does not say 202. */
const NOT_IN_ONE: ReadonlySet<number> = new Set([400, 405, 411, 413, 415, 501])

export interface UploadOptions extends StoreOptions {
	/** Content larger than this goes in pieces of this size, in bytes; default all in one piece. */
	readonly chunkSize?: number | undefined
	/** A session that is open already, such as one left by a mount that was not possible. */
	readonly session?: string | undefined
	/** How far the same content has come in a session in which it was sent ahead. */
	readonly begun?: Begun | undefined
}

/** A session that something was sent to; where it stands is not known of one whose connection broke off. */
export interface Begun {
	readonly session: string
	/** Number of bytes that the registry has. */
	readonly offset: number | undefined
}

/** An upload under way: what outlives its connections. */
interface Upload {
	readonly endpoint: Endpoint
	readonly source: ContentSource
	readonly signal: AbortSignal | undefined
	/** One budget for all requests: whichever fails, the others have failed long enough. */
	readonly waiting: Waiting
	/** Present where the content goes in pieces. */
	readonly pieces: Pieces | undefined
	/** A session that nothing was sent to yet. */
	fresh: string | undefined
	/** A session to go on with. */
	standing: Standing | undefined
	/** A session whose connection broke off. */
	broken: string | undefined
	/** The furthest that the registry has said to stand, in bytes. */
	reached: number
}

/** Where a session stands. */
interface Standing {
	readonly session: string
	/** Number of bytes that the registry has. */
	readonly offset: number
}

/**
 * Uploads a blob; a small one in a single request where the registry takes that. When it breaks
 * off, it goes on where the registry says it stands, and in a new session where that is gone.
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-blobs
 */
export async function uploadBlob(
	endpoint: Endpoint,
	source: ContentSource,
	options: UploadOptions,
): Promise<void> {
	const { chunkSize, signal, begun } = options
	const inPieces = chunkSize !== undefined && source.descriptor.size > chunkSize
	const upload: Upload = {
		endpoint,
		source,
		signal,
		waiting: { milliseconds: 0 },
		pieces: inPieces ? new Pieces((offset) => contentFrom(source, { offset, signal }), chunkSize) : undefined,
		fresh: options.session,
		standing: begun?.offset === undefined ? undefined : { session: begun.session, offset: begun.offset },
		broken: begun?.offset === undefined ? begun?.session : undefined,
		reached: begun?.offset ?? 0,
	}
	try {
		await endpoint.http.attempt(() => attempt(upload), {
			signal,
			waiting: upload.waiting,
			progress: () => upload.reached,
		})
	} finally {
		await upload.pieces?.close()
	}
}

async function attempt(upload: Upload): Promise<void> {
	const resumed = await resume(upload)
	if (resumed === STORED) return
	if (resumed) {
		try {
			return await carryOn(upload, resumed)
		} catch (error) {
			// Registries differ in what they make of a session that broke off: a new one needs no luck.
			if (isPassing(error) || !(error instanceof RemoteError) || error.kind === 'denied') throw error
		}
	}
	const started = await begin(upload)
	if (started === STORED) return
	await carryOn(upload, { session: started, offset: 0 })
}

/** Where a session that broke off stands; `undefined` where there is none to go on with. */
async function resume(upload: Upload): Promise<Standing | typeof STORED | undefined> {
	const { endpoint, source, signal, waiting, standing, broken } = upload
	upload.standing = undefined
	if (standing) return standing
	if (broken === undefined) return undefined
	upload.broken = undefined
	if (!upload.pieces && source.descriptor.size < RESUMED_BYTES) return undefined
	const now = await askStanding(upload, broken)
	if (now) return now.offset > 0 ? now : undefined
	// It may be gone because all had come, and only the answer was lost.
	return (await hasContent(endpoint, source.descriptor, { signal, waiting })) ? STORED : undefined
}

/** The session of an upload that starts. */
async function begin(upload: Upload): Promise<string | typeof STORED> {
	const { fresh } = upload
	upload.fresh = undefined
	return fresh ?? (await postWhole(upload)) ?? (await startSession(upload))
}

/**
 * Sends a small blob with the first request. @returns the session of a registry that
 * wants it once more, `undefined` where that is to be begun the other way
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#single-post
 */
async function postWhole({
	endpoint,
	source: { descriptor, bytes },
	signal,
	waiting,
}: Upload): Promise<string | typeof STORED | undefined> {
	if (!bytes || descriptor.size > SINGLE_POST_BYTES) return undefined
	const response = await endpoint.send({
		method: 'POST',
		path: `blobs/uploads/?${new URLSearchParams({ digest: descriptor.digest }).toString()}`,
		access: 'pull,push',
		headers: { 'content-type': 'application/octet-stream' },
		body: bytes,
		contentLength: descriptor.size,
		retry: true,
		waiting,
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

/** A session more than is used costs nothing: it may be asked for again. */
export async function startSession({
	endpoint,
	signal,
	waiting,
	retry = true,
}: Pick<Upload, 'endpoint' | 'signal'> & {
	readonly waiting?: Waiting
	readonly retry?: boolean
}): Promise<string> {
	const response = await endpoint.send({
		method: 'POST',
		path: 'blobs/uploads/',
		access: 'pull,push',
		headers: { 'content-length': '0' },
		retry,
		waiting,
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

/** Sends what a session lacks, and ends it. */
async function carryOn(upload: Upload, start: Standing): Promise<void> {
	const { source, pieces } = upload
	const { size } = source.descriptor
	let standing = start
	try {
		if (standing.offset === 0 && !pieces) return await finish(upload, { ...standing, whole: true })
		for (let stuck = 0; standing.offset < size;) {
			const next = await sendNext(upload, standing)
			stuck = next.offset > standing.offset ? 0 : stuck + 1
			if (stuck > 1) throw keepsNothing(upload.endpoint, next.session)
			standing = next
			upload.reached = Math.max(upload.reached, standing.offset)
		}
		await finish(upload, standing)
	} catch (error) {
		if (isPassing(error)) upload.broken = standing.session
		throw error
	}
}

async function finish(
	{ endpoint, source, signal }: Upload,
	{ session, whole }: Standing & { readonly whole?: boolean },
): Promise<void> {
	const { descriptor, bytes } = source
	const content = whole === true && {
		headers: { 'content-type': 'application/octet-stream' },
		body: bytes ?? (() => contentFrom(source, { offset: 0, signal })),
		contentLength: descriptor.size,
	}
	const response = await endpoint.send({
		method: 'PUT',
		path: withDigest(session, descriptor.digest),
		access: 'pull,push',
		headers: { 'content-length': '0' },
		...content,
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

function keepsNothing(endpoint: Endpoint, session: string): RemoteError {
	return new RemoteError('REGISTRY_PROTOCOL', `${endpoint.registry} takes chunks and keeps nothing of them`, {
		hint: 'Push without a chunk size.',
		wire: { method: 'PATCH', url: session },
	})
}

/**
 * Sends the next piece, or all that is left, and says where the session then stands.
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-a-blob-in-chunks
 */
async function sendNext(upload: Upload, { session, offset }: Standing): Promise<Standing> {
	const { endpoint, source, signal } = upload
	const piece = await upload.pieces?.at(offset)
	const end = piece ? offset + piece.byteLength : source.descriptor.size
	const response = await endpoint.send({
		method: 'PATCH',
		path: session,
		access: 'pull,push',
		headers: { 'content-type': 'application/octet-stream', 'content-range': `${offset}-${end - 1}` },
		body: piece ?? (() => contentFrom(source, { offset, signal })),
		contentLength: end - offset,
		retry: false,
		signal,
	})
	if (response.status === 202 || response.status === 204) {
		return { session: sessionOf(endpoint, response), offset: standingOf(response, end) }
	}
	if (response.status === 416) {
		const standing = await askStanding(upload, session)
		if (standing) {
			response.discard()
			return standing
		}
	}
	throw await endpoint.refusal(response, `take a chunk of a blob for ${endpoint.repository}`)
}

/** @returns `undefined` where the registry knows nothing of the session any more */
async function askStanding(
	{ endpoint, signal, waiting }: Upload,
	session: string,
): Promise<Standing | undefined> {
	const response = await endpoint.send({
		method: 'GET',
		path: session,
		access: 'pull,push',
		waiting,
		signal,
	})
	if (response.status === 204 || response.status === 202) {
		const { location } = response.headers
		const offset = standingOf(response, 0)
		return { session: location === undefined ? session : sessionOf(endpoint, response), offset }
	}
	response.discard()
	return undefined
}

/** `Range: 0-N` names the last byte that is there; "0-0" of an empty session cannot be told from one byte. */
export function standingOf(response: HttpResponse, assumed: number): number {
	const range = /^(?:bytes=)?0-(\d{1,15})$/.exec(response.headers.range ?? '')
	if (!range) return assumed
	const last = Number(range[1])
	return last === 0 && assumed !== 1 ? 0 : last + 1
}
