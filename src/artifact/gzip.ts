import type { ByteStream } from '../content/index.ts'

/** Position of the byte that names the operating system in a gzip header. */
const OS_BYTE = 9
const UNKNOWN_OS = 255

/**
 * Compresses a stream to one gzip member whose bytes are the same everywhere: by pako,
 * because the zlib in Node differs between builds; without name, time or system.
 * @see https://www.rfc-editor.org/rfc/rfc1952#section-2.3
 */
export async function* gzipStable(stream: ByteStream): AsyncGenerator<Uint8Array, void, undefined> {
	const { Deflate } = await import('pako')
	const deflate = new Deflate({ gzip: true, level: 6, legacyHash: true, chunkSize: 256 * 1024 })
	let ready: Uint8Array[] = []
	deflate.onData = (chunk: Uint8Array): void => {
		ready.push(chunk)
	}
	let first = true
	function* drain(): Generator<Uint8Array> {
		for (const chunk of ready) {
			if (first) chunk[OS_BYTE] = UNKNOWN_OS
			first = false
			yield chunk
		}
		ready = []
	}
	for await (const chunk of stream) {
		deflate.push(chunk, false)
		yield* drain()
	}
	deflate.push(new Uint8Array(0), true)
	yield* drain()
}
