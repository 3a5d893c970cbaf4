import { RemoteError } from '../../errors/index.ts'
import type { HttpResponse } from '../../http/client/index.ts'
import type { Descriptor } from '../../oci/index.ts'

/** Broken connections in a row, without a byte in between, after which the download is given up. */
const MAX_FRUITLESS = 5

/**
 * A blob's bytes, asked for again from where they broke off.
 * @param reopen asks for the content from an offset; the answer may ignore the offset (200 instead of 206)
 */
export async function* resumedStream(
	target: Descriptor,
	first: HttpResponse,
	reopen: (offset: number) => Promise<HttpResponse>,
): AsyncGenerator<Uint8Array, void, undefined> {
	let response = first
	let offset = 0
	for (let fruitless = 0; ; fruitless++) {
		// A server that ignores the range starts anew: what is known already is passed over.
		let skip = response.status === 206 ? 0 : offset
		try {
			for await (const chunk of response.body) {
				const fresh = chunk.subarray(Math.min(skip, chunk.byteLength))
				skip -= chunk.byteLength - fresh.byteLength
				if (fresh.byteLength === 0) continue
				offset += fresh.byteLength
				fruitless = 0
				yield fresh
				// More than was promised: the reader's verification says so, nothing more is needed.
				if (offset > target.size) return
			}
			return
		} catch (error) {
			const resumable = error instanceof RemoteError && error.wire?.retryable === true
			if (!resumable || fruitless >= MAX_FRUITLESS || offset >= target.size) throw error
		}
		response = await reopen(offset)
	}
}
