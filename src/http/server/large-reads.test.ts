import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { servesAnswers } from './served-answers.fixture.ts'

const serve = servesAnswers()

describe.each([
	{ scheme: 'http', nodeReads: 64 * 1024 },
	{ scheme: 'https', nodeReads: 16 * 1024 },
])('an answer over $scheme', ({ scheme, nodeReads }) => {
	it('comes in pieces larger than Node has them, of which none is written over', async () => {
		const content = randomBytes(16 * 1024 * 1024)
		const { url, http } = await serve(scheme, (_, response) => response.end(content))
		const { body } = await http.request({ method: 'GET', url })
		const pieces: Uint8Array[] = []
		for await (const piece of body) pieces.push(piece)
		expect(Math.max(...pieces.map(({ byteLength }) => byteLength))).toBeGreaterThan(nodeReads)
		expect(Buffer.concat(pieces).equals(content)).toBe(true)
	})

	it('that breaks off has given all that came before', async () => {
		const content = randomBytes(1_000_000)
		const { url, http } = await serve(scheme, (_, response) => {
			response.writeHead(200, { 'content-length': 2_000_000 })
			response.write(content, () => response.socket?.end())
		})
		const { body } = await http.request({ method: 'GET', url })
		const pieces: Uint8Array[] = []
		const read = (async () => {
			for await (const piece of body) pieces.push(piece)
		})()
		await expect(read).rejects.toMatchObject({ code: 'CONNECTION_FAILED' })
		expect(Buffer.concat(pieces).equals(content)).toBe(true)
	})

	it('is left early without harm to the next one', async () => {
		const content = randomBytes(4_000_000)
		const { url, http } = await serve(scheme, (request, response) =>
			response.end(request.url === '/small' ? 'small' : content),
		)
		for (let round = 0; round < 5; round++) {
			const { body } = await http.request({ method: 'GET', url })
			for await (const piece of body) if (piece.byteLength > 0) break
			const small = await http.request({ method: 'GET', url: `${url}small` })
			expect(await small.text(100)).toBe('small')
		}
	})
})
