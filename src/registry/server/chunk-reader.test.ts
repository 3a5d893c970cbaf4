import { randomBytes } from 'node:crypto'
import { closeSync, openSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { digestOf } from '../../oci/index.ts'
import { ChunkReader } from './chunk-reader.ts'
import { serveRegistry, type RunningRegistry } from './index.ts'

const SIZE = 3 * 1024 * 1024

let directory: string
let registry: RunningRegistry
beforeEach(async () => {
	directory = await mkdtemp(join(tmpdir(), 'lading-'))
	registry = await serveRegistry({ dataDirectory: directory, port: 0, plainHttp: true })
})
afterEach(async () => {
	await registry.close()
	await rm(directory, { recursive: true, force: true })
})

describe('memory that is read into again', () => {
	it('holds nothing that is still on its way to a slow client that pipelines', async () => {
		const blobs = [randomBytes(SIZE), randomBytes(SIZE)]
		const requests: string[] = []
		for (const blob of blobs) {
			const url = `${registry.url}/v2/app/blobs/uploads/?digest=${digestOf(blob)}`
			expect((await fetch(url, { method: 'POST', body: blob })).status).toBe(201)
			requests.push(`GET /v2/app/blobs/${digestOf(blob)} HTTP/1.1\r\nhost: a\r\n\r\n`)
		}
		const socket = connect(registry.port, '127.0.0.1')
		socket.write(requests.join('').repeat(4))
		// Reads as the server goes on, so that its pieces leave in parts.
		const received: Buffer[] = []
		let length = 0
		for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
			received.push(chunk as Buffer)
			length += (chunk as Buffer).byteLength
			if (length >= 8 * SIZE + 8 * headerLength(received)) break
			await delay(1)
		}
		socket.destroy()
		const all = Buffer.concat(received)
		for (let turn = 0, at = 0; turn < 8; turn += 1) {
			const start = all.indexOf('\r\n\r\n', at) + 4
			at = start + SIZE
			expect(all.subarray(start, at).equals(blobs[turn % 2] ?? Buffer.of())).toBe(true)
		}
	})
})

describe('the pieces of a file', () => {
	const KIB = 1024

	it.each([0, 1, 64 * KIB, 128 * KIB, 128 * KIB + 1, 1024 * KIB, 1088 * KIB, 1089 * KIB, SIZE - 1, SIZE])(
		'of %i bytes are all of it, and the last alone has memory of its own',
		async (size) => {
			const path = join(directory, 'file')
			const content = randomBytes(size)
			await writeFile(path, content)
			const descriptor = openSync(path, 'r')
			const reader = new ChunkReader()
			try {
				const copies: Buffer[] = []
				const pieces: Uint8Array[] = []
				for await (const piece of reader.read(descriptor, { start: 0, end: size - 1 })) {
					copies.push(Buffer.from(piece))
					pieces.push(piece)
				}
				expect(Buffer.concat(copies).equals(content)).toBe(true)
				// One that node:http would take at once, and keep, must not be read over.
				for (const piece of pieces.slice(0, -1)) expect(piece.byteLength).toBeGreaterThanOrEqual(64 * KIB)
				const last = pieces.at(-1)
				expect(last?.buffer.byteLength ?? 0).toBeLessThanOrEqual(128 * KIB)
				for await (const _ of reader.read(descriptor, { start: 0, end: size - 1 }));
				expect(Buffer.from(last ?? []).equals(copies.at(-1) ?? Buffer.of())).toBe(true)
			} finally {
				closeSync(descriptor)
			}
		},
	)
})

/** Every answer's is as long as the first's. */
function headerLength([first]: readonly Buffer[]): number {
	return (first?.indexOf('\r\n\r\n') ?? 0) + 4
}
