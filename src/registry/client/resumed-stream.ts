import { RemoteError } from '../../errors/index.ts'
import { type HttpClient, type HttpResponse, isPassing } from '../../http/client/index.ts'
import type { Descriptor } from '../../oci/index.ts'

export interface Reopening {
	readonly http: HttpClient
	/**
	 * Asks for the content from an offset; the answer may ignore the offset (200 instead of 206).
	 * `undefined` where the content ends before it.
	 */
	readonly reopen: (offset: number) => Promise<HttpResponse | undefined>
	readonly signal: AbortSignal | undefined
}

type Pieces = AsyncIterator<Uint8Array, unknown>

/**
 * A blob's bytes, asked for again from where they broke off. What brings no byte is
 * repeated within the client's policy; a byte more begins a new count.
 */
export async function* resumedStream(
	target: Descriptor,
	first: HttpResponse,
	reopening: Reopening,
): AsyncGenerator<Uint8Array, void, undefined> {
	let pieces: Pieces = first.body[Symbol.asyncIterator]()
	let offset = 0
	try {
		for (;;) {
			const next = await settled(pieces)
			if ('value' in next) {
				offset += next.value.byteLength
				yield next.value
				// More than was promised: the reader's verification says so, nothing more is needed.
				if (offset > target.size) return
				continue
			}
			if (offset >= target.size) {
				if (next.failure === undefined) return
				throw next.failure
			}
			const failure = next.failure ?? endedEarly(target, first)
			if (!isPassing(failure)) throw failure
			const resumed = await resume(offset, failure, reopening)
			// It has no more than that: what is wrong with it, the verification says.
			if (!resumed) return
			pieces = resumed.pieces
			offset += resumed.chunk.byteLength
			yield resumed.chunk
		}
	} finally {
		// A reader that has enough ends the transfer.
		await pieces.return?.()
	}
}

async function settled(
	pieces: Pieces,
): Promise<{ readonly value: Uint8Array } | { readonly failure: Error | undefined }> {
	try {
		const next = await pieces.next()
		return next.done === true ? { failure: undefined } : { value: next.value }
	} catch (error) {
		return { failure: error instanceof Error ? error : new Error(String(error), { cause: error }) }
	}
}

/** A proxy in between may have made a truncated answer look like a whole one. */
function endedEarly(target: Descriptor, { method, url, status }: HttpResponse): RemoteError {
	const { host } = new URL(url)
	return new RemoteError(
		'CONNECTION_FAILED',
		`${host} sent less than the ${target.size} bytes of ${target.digest}`,
		{
			hint: 'Try again; if it stays, push the artifact again.',
			wire: { method, url, status, retryable: true },
		},
	)
}

/** Goes on at an offset, until at least a byte has come. @returns `undefined` where there is none */
async function resume(
	offset: number,
	failure: RemoteError,
	{ http, reopen, signal }: Reopening,
): Promise<{ readonly chunk: Uint8Array; readonly pieces: Pieces } | undefined> {
	// The broken transfer is the first attempt: it is told, and waited after, like any other.
	let known: RemoteError | undefined = failure
	return await http.attempt(
		async () => {
			if (known) {
				const thrown = known
				known = undefined
				throw thrown
			}
			const response = await reopen(offset)
			if (!response) return undefined
			const pieces: Pieces = response.body[Symbol.asyncIterator]()
			// A server that ignores the range starts anew: what is known already is passed over.
			let skip = response.status === 206 ? 0 : offset
			for (;;) {
				const next = await pieces.next()
				if (next.done === true) return undefined
				const chunk = next.value.subarray(Math.min(skip, next.value.byteLength))
				skip -= next.value.byteLength - chunk.byteLength
				if (chunk.byteLength > 0) return { chunk, pieces }
			}
		},
		{ signal },
	)
}
