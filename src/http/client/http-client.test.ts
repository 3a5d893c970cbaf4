import { createHash } from 'node:crypto'
import dns from 'node:dns'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { createHttpClient, type HttpClient, type HttpClientOptions, type RetryEvent } from './index.ts'

const closers: (() => void)[] = []
afterEach(() => {
	for (const close of closers.splice(0)) close()
})

type Answer = (request: IncomingMessage, response: ServerResponse) => void

/** A server that answers with each of `answers` in turn, the last one for ever. */
async function serve(...answers: readonly Answer[]): Promise<{ origin: string; seen: IncomingMessage[] }> {
	const seen: IncomingMessage[] = []
	const server: Server = createServer((request, response) => {
		const answer = answers[Math.min(seen.length, answers.length - 1)]
		seen.push(request)
		answer?.(request, response)
	})
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
	closers.push(() => {
		server.closeAllConnections()
		server.close()
	})
	return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen }
}

function client(options: HttpClientOptions = {}): HttpClient & { readonly slept: number[] } {
	const slept: number[] = []
	const http = createHttpClient({
		random: () => 0,
		sleep: async (milliseconds) => void slept.push(milliseconds),
		...options,
	})
	closers.push(() => http.close())
	return { ...http, slept }
}

const ok: Answer = (_, response) => response.end('fine')
const status =
	(code: number, headers: Record<string, string> = {}): Answer =>
	(_, response) =>
		response.writeHead(code, headers).end('no')
const reset: Answer = (request) => request.socket.resetAndDestroy()
const redirect =
	(location: string, code = 307): Answer =>
	(_, response) =>
		response.writeHead(code, { location }).end()

async function text(http: HttpClient, url: string): Promise<string> {
	const response = await http.request({ method: 'GET', url })
	return `${response.status} ${await response.text(1000)}`
}

describe('retries', () => {
	it.each([408, 425, 429, 500, 502, 503, 504])(
		'repeats a request that was answered with %i',
		async (code) => {
			const { origin, seen } = await serve(status(code), ok)
			expect(await text(client(), origin)).toBe('200 fine')
			expect(seen).toHaveLength(2)
		},
	)

	it.each([400, 404, 501, 507])('takes %i for an answer', async (code) => {
		const { origin, seen } = await serve(status(code), ok)
		expect(await text(client(), origin)).toBe(`${code} no`)
		expect(seen).toHaveLength(1)
	})

	it.each<readonly [string, Answer, number, object]>([
		['while it is waited for', () => undefined, 0, { code: 'CONNECTION_FAILED' }],
		['between two attempts', status(503, { 'retry-after': '50' }), 1, { name: 'AbortError' }],
	])('asks nothing again when it is closed %s', async (_, answer, told, failure) => {
		const events: RetryEvent[] = []
		const { origin, seen } = await serve(answer)
		const http = createHttpClient({ onRetry: (event) => events.push(event) })
		const asked = http.request({ method: 'GET', url: origin })
		asked.catch(() => undefined)
		await vi.waitFor(() => expect([seen.length, events.length]).toEqual([1, told]))
		http.close()
		await expect(asked).rejects.toMatchObject(failure)
		expect([seen.length, events.length]).toEqual([1, told])
	})

	it('survives resets, and says so once', async () => {
		const events: RetryEvent[] = []
		const { origin, seen } = await serve(reset, status(503), status(503), reset, ok)
		const http = client({ onRetry: (event) => events.push(event) })
		expect(await text(http, origin)).toBe('200 fine')
		expect(seen).toHaveLength(5)
		expect(events.map(({ reason }) => reason)).toEqual([expect.stringContaining('broke off'), 'status 503'])
	})

	it('waits as long as it is told to, in seconds or until a date', async () => {
		const now = Date.parse('Mon, 01 Jan 2024 00:00:00 GMT')
		const date = 'Mon, 01 Jan 2024 00:00:20 GMT'
		const { origin } = await serve(
			status(503, { 'retry-after': '7' }),
			status(429, { 'retry-after': date }),
			ok,
		)
		const http = client({ now: () => now })
		await text(http, origin)
		expect(http.slept).toEqual([7000, 20_000])
	})

	it('does not wait for hours', async () => {
		const { origin, seen } = await serve(status(503, { 'retry-after': '7200' }), ok)
		expect(await text(client(), origin)).toBe('503 no')
		expect(seen).toHaveLength(1)
	})

	it('backs off, and gives up with the last answer', async () => {
		const { origin, seen } = await serve(status(503))
		const http = client({ retry: { attempts: 4, baseDelay: 100 }, random: () => 0.999 })
		expect(await text(http, origin)).toBe('503 no')
		expect(seen).toHaveLength(4)
		expect(http.slept).toEqual([100, 200, 400])
	})

	it('stops when the budget of waiting is spent', async () => {
		const { origin, seen } = await serve(status(503, { 'retry-after': '10' }))
		expect(await text(client({ retry: { budget: 25_000 } }), origin)).toBe('503 no')
		expect(seen).toHaveLength(3)
	})

	it('counts the time of a silent server against the budget', async () => {
		const { origin, seen } = await serve(() => undefined)
		let clock = 0
		const http = client({
			timeouts: { headers: 20 },
			retry: { budget: 100_000 },
			// Each look at the clock is half a minute later.
			now: () => (clock += 30_000),
		})
		await expect(http.request({ method: 'GET', url: origin })).rejects.toMatchObject({
			code: 'CONNECTION_FAILED',
		})
		expect(seen).toHaveLength(4)
	})

	it('repeats steps around a request, but not once that was repeated often enough', async () => {
		const { origin, seen } = await serve(reset)
		const http = client()
		const steps = (retry: boolean) => http.attempt(() => http.request({ method: 'GET', url: origin, retry }))
		await expect(steps(false)).rejects.toMatchObject({ code: 'CONNECTION_FAILED' })
		expect(seen).toHaveLength(6)
		await expect(steps(true)).rejects.toMatchObject({ code: 'CONNECTION_FAILED' })
		expect(seen).toHaveLength(12)
	})

	it('waits for several requests no longer than for one, where they share what was waited for', async () => {
		const { origin, seen } = await serve(status(503, { 'retry-after': '50' }))
		const http = client()
		const waiting = { milliseconds: 0 }
		const ask = () => http.request({ method: 'GET', url: origin, waiting })
		for (const answer of [await ask(), await ask()]) answer.discard()
		expect([seen.length, http.slept]).toEqual([4, [50_000, 50_000]])
	})

	it('does not send a POST twice unless it is told that it may', async () => {
		const { origin, seen } = await serve(status(503), ok)
		const http = client()
		const first = await http.request({ method: 'POST', url: origin })
		first.discard()
		expect([first.status, seen.length]).toEqual([503, 1])
		const { origin: other } = await serve(status(503), ok)
		const second = await http.request({ method: 'POST', url: other, retry: true })
		second.discard()
		expect(second.status).toBe(200)
	})

	it('opens a streamed body anew for each attempt', async () => {
		let opened = 0
		const bodies: string[] = []
		const read: Answer = (request, response) => {
			const chunks: Buffer[] = []
			request.on('data', (chunk: Buffer) => chunks.push(chunk))
			request.on('end', () => {
				bodies.push(Buffer.concat(chunks).toString())
				response.writeHead(bodies.length === 1 ? 503 : 201).end()
			})
		}
		const { origin } = await serve(read)
		async function* body(): AsyncGenerator<Uint8Array, void, undefined> {
			opened++
			yield Buffer.from('ab')
			yield Buffer.from('cd')
		}
		const response = await client().request({ method: 'PUT', url: origin, body, contentLength: 4 })
		response.discard()
		expect([response.status, opened, bodies]).toEqual([201, 2, ['abcd', 'abcd']])
	})

	it('asks for the next piece of a body when the last one has gone, so that its memory may be used again', async () => {
		const sizes = [100, 16_000, 70_000, 1_000_000, 5, 3_000_000, 300_000, 0, 2_000_000]
		const size = sizes.reduce((sum, each) => sum + each)
		const hash = createHash('sha256')
		const { origin } = await serve((request, response) => {
			// A reader that is slower than the sender.
			const read = (): void => {
				for (let chunk: unknown = request.read(); chunk instanceof Buffer; chunk = request.read())
					hash.update(chunk)
				if (!request.readableEnded) setTimeout(read, 5)
			}
			read()
			request.once('end', () => response.writeHead(201).end())
		})
		const expected = createHash('sha256')
		const memory = Buffer.alloc(3_000_000)
		async function* body(): AsyncGenerator<Uint8Array, void, undefined> {
			for (const [index, length] of sizes.entries()) {
				const piece = memory.subarray(0, length).fill(index + 1)
				expected.update(piece)
				yield piece
			}
			memory.fill(0)
		}
		const response = await client().request({ method: 'PUT', url: origin, body, contentLength: size })
		response.discard()
		expect([response.status, hash.digest('hex')]).toEqual([201, expected.digest('hex')])
	})

	it('does not ask for more of a body when there is an answer, as what was asked for before may still be on its way', async () => {
		const parts: Buffer[] = []
		let heard = (): void => {}
		const whole = new Promise<void>((resolve) => (heard = resolve))
		const { origin } = await serve((request, response) => {
			response.writeHead(503, { 'content-length': 10 }).write('not')
			setTimeout(() => {
				request.on('data', (chunk: Buffer) => parts.push(chunk))
				setTimeout(heard, 200)
			}, 200)
		})
		// More than the system takes at once.
		const memory = Buffer.alloc(30_000_000)
		async function* body(): AsyncGenerator<Uint8Array, void, undefined> {
			for (let piece = 1; piece <= 3; piece++) yield memory.fill(piece)
		}
		const response = await client({ retry: { attempts: 1 } }).request({
			method: 'POST',
			url: origin,
			body,
			contentLength: 3 * memory.byteLength,
		})
		expect(response.status).toBe(503)
		await whole
		response.discard()
		const bytes = Buffer.concat(parts)
		expect(bytes.byteLength).toBeGreaterThan(0)
		expect(bytes.equals(Buffer.alloc(bytes.byteLength, 1))).toBe(true)
	})

	it('passes a failure of the body on as it is', async () => {
		const { origin } = await serve(ok)
		const failure = new Error('disk gone')
		async function* body(): AsyncGenerator<Uint8Array, void, undefined> {
			yield Buffer.from('ab')
			throw failure
		}
		const request = client().request({ method: 'PUT', url: origin, body, contentLength: 4 })
		await expect(request).rejects.toBe(failure)
	})

	it('repeats several steps as one when an answer is cut short', async () => {
		const cut: Answer = (_, response) => {
			response.writeHead(200, { 'content-length': '100' })
			response.write('half', () => response.destroy())
		}
		const { origin, seen } = await serve(cut, ok)
		const http = client()
		const read = async (): Promise<string> => {
			const response = await http.request({ method: 'GET', url: origin, retry: false })
			return response.text(1000)
		}
		expect(await http.attempt(read)).toBe('fine')
		expect(seen).toHaveLength(2)
	})
})

describe('timeouts and limits', () => {
	const silent: Answer = () => undefined

	it('gives up on a server that does not answer, and says what it did', async () => {
		const { origin } = await serve(silent)
		const http = client({ timeouts: { headers: 30 }, retry: { attempts: 1 } })
		await expect(http.request({ method: 'GET', url: origin })).rejects.toMatchObject({
			code: 'CONNECTION_FAILED',
			message: expect.stringContaining('did not answer within 0.03 s'),
			wire: { retryable: true, method: 'GET' },
		})
	})

	it('gives up on a body that stands still', async () => {
		const { origin } = await serve((_, response) => {
			response.writeHead(200, { 'content-length': '10' })
			response.write('half')
		})
		const response = await client({ timeouts: { idle: 30 } }).request({ method: 'GET', url: origin })
		await expect(response.bytes(100)).rejects.toMatchObject({
			message: expect.stringContaining('stood still'),
		})
	})

	it('does not blame the server for a slow reader', async () => {
		const { origin } = await serve((_, response) => response.end(Buffer.alloc(3_000_000)))
		const response = await client({ timeouts: { idle: 40 } }).request({ method: 'GET', url: origin })
		let size = 0
		for await (const chunk of response.body) {
			if (size === 0) await new Promise((resolve) => setTimeout(resolve, 120))
			size += chunk.byteLength
		}
		expect(size).toBe(3_000_000)
	})

	it('bounds all attempts together', async () => {
		const { origin } = await serve(silent)
		await expect(client().request({ method: 'GET', url: origin, timeout: 30 })).rejects.toMatchObject({
			code: 'TIMED_OUT',
		})
	})

	it('does not read an endless body', async () => {
		const { origin } = await serve((_, response) => {
			const more = (): void => {
				while (!response.destroyed && response.write(Buffer.alloc(65_536)));
			}
			response.on('drain', more)
			more()
		})
		const response = await client().request({ method: 'GET', url: origin })
		await expect(response.bytes(100_000)).rejects.toMatchObject({ code: 'REGISTRY_PROTOCOL' })
	})

	it('ends with the reason of its signal', async () => {
		const { origin } = await serve(silent)
		const controller = new AbortController()
		const request = client().request({ method: 'GET', url: origin, signal: controller.signal })
		const reason = new Error('enough')
		setTimeout(() => controller.abort(reason), 10)
		await expect(request).rejects.toBe(reason)
	})

	it('keeps connections', async () => {
		const ports = new Set<number | undefined>()
		const { origin } = await serve((request, response) => {
			ports.add(request.socket.remotePort)
			// Without a length, the end of an answer to HEAD is the end of its connection.
			response.writeHead(200, { 'content-length': '1' }).end(request.method === 'HEAD' ? undefined : 'x')
		})
		const http = client()
		for (let round = 0; round < 3; round++) await text(http, origin)
		const head = await http.request({ method: 'HEAD', url: origin })
		head.discard()
		await text(http, origin)
		expect(ports.size).toBe(1)
	})
})

describe('redirects', () => {
	const headers = { authorization: 'Basic c2VjcmV0' }

	it('leaves the credential behind when it goes to another origin', async () => {
		const other = await serve(ok)
		const { origin, seen } = await serve(redirect(`${other.origin}/blob?signature=x`))
		const response = await client().request({ method: 'GET', url: origin, headers })
		expect(await response.text(100)).toBe('fine')
		expect(response.url).toBe(`${other.origin}/blob?signature=x`)
		expect(seen[0]?.headers.authorization).toBe(headers.authorization)
		expect(other.seen[0]?.headers.authorization).toBeUndefined()
	})

	it('takes the credential along within the origin', async () => {
		const { origin, seen } = await serve(redirect('/there'), ok)
		const response = await client().request({ method: 'GET', url: origin, headers })
		response.discard()
		expect(seen[1]?.url).toBe('/there')
		expect(seen[1]?.headers.authorization).toBe(headers.authorization)
	})

	it('does not go round for ever', async () => {
		const { origin } = await serve(redirect('/again'))
		await expect(client().request({ method: 'GET', url: origin })).rejects.toMatchObject({
			code: 'REGISTRY_PROTOCOL',
		})
	})

	it('does not turn a PUT into a GET', async () => {
		const { origin, seen } = await serve(redirect('/there', 302), ok)
		const response = await client().request({ method: 'PUT', url: origin, body: Buffer.from('x') })
		response.discard()
		expect([response.status, seen.length]).toEqual([302, 1])
	})

	it('goes nowhere but to http and https', async () => {
		const { origin } = await serve(redirect('file:///etc/passwd'))
		await expect(client().request({ method: 'GET', url: origin })).rejects.toMatchObject({
			code: 'REGISTRY_PROTOCOL',
		})
	})
})

describe('failures', () => {
	it('names a port where nothing listens, at once', async () => {
		const { origin } = await serve(ok)
		for (const close of closers.splice(0)) close()
		const http = client()
		await expect(http.request({ method: 'GET', url: `${origin}/v2/?token=secret` })).rejects.toMatchObject({
			code: 'CONNECTION_FAILED',
			message: expect.stringMatching(/^nothing listens at 127/),
			wire: { url: `${origin}/v2/?token=***` },
		})
		expect(http.slept).toEqual([])
	})

	it('repeats a look-up that DNS does not answer now, and only that', async () => {
		const { origin } = await serve(ok)
		const url = origin.replace('127.0.0.1', 'registry.example.com')
		const asked: string[] = []
		const lookup = vi.spyOn(dns, 'lookup').mockImplementation(((
			host: string,
			_options: object,
			done: (error: Error | null, addresses?: readonly object[]) => void,
		) => {
			asked.push(host)
			if (asked.length < 3) done(Object.assign(new Error('no answer'), { code: 'EAI_AGAIN' }))
			else done(null, [{ address: '127.0.0.1', family: 4 }])
		}) as typeof dns.lookup)
		try {
			const events: RetryEvent[] = []
			const http = client({ onRetry: (event) => events.push(event) })
			expect(await text(http, url)).toBe('200 fine')
			expect(events.map(({ reason }) => reason)).toEqual([
				'the name registry.example.com cannot be looked up now',
			])
		} finally {
			lookup.mockRestore()
		}
	})

	it('takes no answer that changes the protocol, and does not wait for another', async () => {
		const { origin, seen } = await serve((request) =>
			request.socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n'),
		)
		await expect(text(client(), origin)).rejects.toMatchObject({
			code: 'REGISTRY_PROTOCOL',
			message: expect.stringContaining('status 101'),
		})
		expect(seen).toHaveLength(1)
	})

	it('names a host that does not exist', async () => {
		const request = client({ retry: { attempts: 1 } }).request({
			method: 'GET',
			url: 'http://nowhere.invalid/',
		})
		await expect(request).rejects.toMatchObject({
			code: 'CONNECTION_FAILED',
			message: expect.stringContaining('nowhere.invalid'),
		})
	})
})
