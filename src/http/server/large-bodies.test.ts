import { createHash, randomBytes } from 'node:crypto'
import type { RequestListener } from 'node:http'
import type { Socket } from 'node:net'
import { Readable } from 'node:stream'
import { setTimeout as wait } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { giveBack } from '../client/index.ts'
import { servesAnswers } from './served-answers.fixture.ts'

const CONTENT = randomBytes(40_000_000)
const DIGEST = digest(CONTENT)

function digest(content: Uint8Array): string {
	return createHash('sha256').update(content).digest('hex')
}

const serve = servesAnswers({ idle: 1000 })

/** An answer that has CONTENT, of which so much is sent. */
const answerWith =
	(sent: number, then: (socket: Socket | null) => void = () => undefined): RequestListener =>
	(_, response) => {
		response.writeHead(200, { 'content-length': CONTENT.byteLength })
		response.write(CONTENT.subarray(0, sent), () => then(response.socket))
	}

describe.each(['http', 'https'])('a large body over %s', (scheme) => {
	it('comes whole, and is not written over while it is kept', async () => {
		const { url, http } = await serve(scheme, (_, response) => response.end(CONTENT))
		const { body } = await http.request({ method: 'GET', url })
		const pieces: Uint8Array[] = []
		for await (const piece of body) pieces.push(piece)
		expect(Buffer.concat(pieces).equals(CONTENT)).toBe(true)
	})

	it('takes as much memory as is not given back', async () => {
		const { url, http } = await serve(scheme, (_, response) => response.end(CONTENT))
		const { body } = await http.request({ method: 'GET', url })
		const hash = createHash('sha256')
		const memory = new Set<ArrayBufferLike>()
		for await (const piece of body) {
			hash.update(piece)
			memory.add(piece.buffer)
			giveBack(piece)
		}
		expect(hash.digest('hex')).toBe(DIGEST)
		expect(memory.size).toBeLessThan(10)
	})

	it('does not overtake its reader', async () => {
		let asked = 0
		function* parts(): Generator<Uint8Array> {
			while (asked < CONTENT.byteLength) yield CONTENT.subarray(asked, (asked += 100_000))
		}
		const { url, http } = await serve(scheme, (_, response) => {
			response.writeHead(200, { 'content-length': CONTENT.byteLength })
			Readable.from(parts()).pipe(response)
		})
		const { body } = await http.request({ method: 'GET', url })
		const hash = createHash('sha256')
		let askedMeanwhile: number | undefined
		for await (const piece of body) {
			hash.update(piece)
			if (askedMeanwhile !== undefined) continue
			await wait(300)
			askedMeanwhile = asked
		}
		// What is more than the client takes is in the memory of the kernel.
		expect(askedMeanwhile).toBeLessThan(CONTENT.byteLength / 2)
		expect(hash.digest('hex')).toBe(DIGEST)
	})

	it.each([
		{ how: 'ended', cut: (socket: Socket | null) => void socket?.end() },
		{ how: 'reset', cut: (socket: Socket | null) => void socket?.destroy() },
	])('that is $how in the middle gives what came before, and fails', async ({ cut }) => {
		const { url, http } = await serve(scheme, answerWith(15_000_000, cut))
		const { body } = await http.request({ method: 'GET', url })
		let size = 0
		const read = (async () => {
			for await (const piece of body) {
				expect(CONTENT.subarray(size, size + piece.byteLength).equals(piece)).toBe(true)
				size += piece.byteLength
			}
		})()
		await expect(read).rejects.toMatchObject({ code: 'CONNECTION_FAILED' })
		expect(size).toBeGreaterThan(0)
		expect(size).toBeLessThanOrEqual(15_000_000)
	})

	it('that broke off before anybody read it fails at once', async () => {
		const { url, http } = await serve(
			scheme,
			answerWith(1000, (socket) => void socket?.destroy()),
		)
		const { body } = await http.request({ method: 'GET', url })
		await wait(200)
		const started = Date.now()
		const read = (async () => {
			for await (const piece of body) expect(piece.byteLength).toBeGreaterThan(0)
		})()
		await expect(read).rejects.toMatchObject({ code: 'CONNECTION_FAILED', wire: { retryable: true } })
		expect(Date.now() - started).toBeLessThan(900)
	})

	it('that stalls fails in time', async () => {
		const { url, http } = await serve(scheme, answerWith(20_000_000))
		const { body } = await http.request({ method: 'GET', url })
		let size = 0
		const read = (async () => {
			for await (const piece of body) size += piece.byteLength
		})()
		await expect(read).rejects.toThrow(/the transfer with .* stood still/)
		expect(size).toBe(20_000_000)
	})

	it('ends when it is to end', async () => {
		const { url, http } = await serve(scheme, answerWith(20_000_000))
		const aborting = new AbortController()
		const { body } = await http.request({ method: 'GET', url, signal: aborting.signal })
		let size = 0
		const read = (async () => {
			for await (const piece of body) {
				size += piece.byteLength
				if (size === 20_000_000) aborting.abort(new Error('enough'))
			}
		})()
		await expect(read).rejects.toThrow('enough')
	})

	it('is followed by other answers, also where it was left early or has more than was promised', async () => {
		const { url, http } = await serve(scheme, (request, response) => {
			if (request.url === '/small') return void response.end('small')
			response.writeHead(200, { 'content-length': CONTENT.byteLength })
			response.write(CONTENT)
			response.socket?.write('more')
		})
		for (const most of [1, CONTENT.byteLength, 20_000_000]) {
			const { body } = await http.request({ method: 'GET', url })
			let size = 0
			for await (const piece of body) if ((size += piece.byteLength) >= most) break
			expect(size).toBeLessThanOrEqual(CONTENT.byteLength)
			const small = await http.request({ method: 'GET', url: `${url}small` })
			expect(await small.text(100)).toBe('small')
		}
	})
})
