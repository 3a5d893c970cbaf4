import { request as httpRequest, Agent, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { once } from 'node:events'
import { afterEach, describe, expect, it } from 'vitest'
import { type Handler, listen, type Listener, type ListenOptions } from './index.ts'

const open: Listener[] = []
afterEach(async () => {
	await Promise.all(open.splice(0).map((listener) => listener.close()))
})

async function serve(handler: Handler, options: Partial<ListenOptions> = {}): Promise<Listener> {
	const listener = await listen(handler, { host: '127.0.0.1', port: 0, ...options })
	open.push(listener)
	return listener
}

interface Answer {
	readonly status: number
	readonly headers: IncomingMessage['headers']
	readonly text: string
	readonly localPort: number | undefined
}

interface Ask {
	readonly method?: string
	readonly headers?: Record<string, string>
	readonly body?: Uint8Array | string
	readonly agent?: Agent
}

function ask(url: string, { method = 'GET', headers = {}, body, agent }: Ask = {}): Promise<Answer> {
	return new Promise((resolve, reject) => {
		const sent = httpRequest(url, { method, headers, ...(agent && { agent }) }, (response) => {
			const localPort = sent.socket?.localPort
			let text = ''
			response.setEncoding('utf8')
			response.on('data', (chunk: string) => (text += chunk))
			response.on('end', () =>
				resolve({ status: response.statusCode ?? 0, headers: response.headers, text, localPort }),
			)
			response.on('error', reject)
		})
		sent.on('error', reject)
		sent.end(body)
	})
}

describe('listen', () => {
	it('answers synchronously, with a promise, and with a stream', async () => {
		const { url } = await serve((request) => {
			if (request.path === '/sync')
				return { status: 200, body: `${request.method} ${request.query.get('q')}` }
			if (request.path === '/promise') return Promise.resolve({ status: 201, headers: { 'x-a': 'b' } })
			return {
				status: 200,
				body: (async function* () {
					yield 'one '
					yield new TextEncoder().encode('two')
				})(),
			}
		})
		expect(await ask(`${url}/sync?q=1`)).toMatchObject({ status: 200, text: 'GET 1' })
		expect(await ask(`${url}/promise`)).toMatchObject({ status: 201, headers: { 'x-a': 'b' }, text: '' })
		expect(await ask(`${url}/stream`)).toMatchObject({ status: 200, text: 'one two' })
	})

	it('answers HEAD with the length of what GET would send, and nothing else', async () => {
		const { url } = await serve(() => ({ status: 200, headers: { 'Content-Length': 4 }, body: 'four' }))
		expect(await ask(url, { method: 'HEAD' })).toMatchObject({ headers: { 'content-length': '4' }, text: '' })
	})

	it('answers 500 without a word about why, and tells the port', async () => {
		const errors: unknown[] = []
		const { url } = await serve(
			(request) => {
				if (request.path === '/promise') return Promise.reject(new Error('secret'))
				throw new Error('secret')
			},
			{ onError: (error) => errors.push(error) },
		)
		for (const path of ['/', '/promise']) {
			const answer = await ask(url + path)
			expect(answer).toMatchObject({ status: 500, text: 'internal error\n' })
		}
		expect(errors).toHaveLength(2)
	})

	it('cuts the connection when a stream fails half-way', async () => {
		const { url } = await serve(() => ({
			status: 200,
			body: (async function* () {
				yield 'half'
				throw new Error('disk')
			})(),
		}))
		await expect(ask(url)).rejects.toThrow(/aborted|hang up|RESET/)
	})

	it('keeps the connection after an early answer to an unread body', async () => {
		const agent = new Agent({ keepAlive: true, maxSockets: 1 })
		const { url } = await serve(async (request) => {
			if (request.path === '/partly') for await (const _ of request.body) break
			return { status: 400, body: 'no' }
		})
		const body = new Uint8Array(300_000)
		const ports = new Set<number | undefined>()
		for (const path of ['/unread', '/partly', '/unread', '/partly']) {
			const answer = await ask(url + path, { method: 'PUT', body, agent })
			expect(answer).toMatchObject({ status: 400, text: 'no' })
			ports.add(answer.localPort)
		}
		expect(ports.size).toBe(1)
		agent.destroy()
	})

	it('an early answer arrives although the client still sends much', async () => {
		const { url } = await serve(() => ({ status: 413, body: 'too much' }))
		const answer = await ask(url, { method: 'PUT', body: new Uint8Array(40 * 1024 * 1024) })
		expect(answer).toMatchObject({ status: 413, headers: { connection: 'close' }, text: 'too much' })
	})

	it('says 100 Continue only when the body is read', async () => {
		const { url } = await serve(async (request) => {
			if (request.path === '/refuse') return { status: 401 }
			let size = 0
			for await (const chunk of request.body) size += chunk.byteLength
			return { status: 200, body: String(size) }
		})
		const talk = async (path: string): Promise<{ readonly status: number; readonly continued: boolean }> => {
			const sent = httpRequest(url + path, {
				method: 'PUT',
				headers: { expect: '100-continue', 'content-length': '4' },
			})
			let continued = false
			sent.on('continue', () => {
				continued = true
				sent.end('body')
			})
			sent.flushHeaders()
			const [response] = (await once(sent, 'response')) as [IncomingMessage]
			response.resume()
			if (!continued) sent.destroy()
			return { status: response.statusCode ?? 0, continued }
		}
		expect(await talk('/refuse')).toEqual({ status: 401, continued: false })
		expect(await talk('/take')).toEqual({ status: 200, continued: true })
	})

	it.each([
		['in one packet with its headers', ['PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nfour']],
		['later', ['PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n', 'four']],
		['by pieces', ['PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nf', 'o', 'ur']],
		[
			'in chunks',
			['PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nfo\r\n2\r\nur\r\n0\r\n\r\n'],
		],
	])('hands out a body that comes %s, counts it, and goes on with the next request', async (_, packets) => {
		const { port } = await serve(async (request) => {
			let text = ''
			for await (const chunk of request.body) text += Buffer.from(chunk).toString()
			return { status: 200, body: `[${text} ${request.received}]` }
		})
		const socket = connect(port, '127.0.0.1').setNoDelay()
		let answers = ''
		socket.on('data', (chunk: Buffer) => (answers += chunk.toString()))
		for (const packet of packets) {
			socket.write(packet)
			await new Promise((resolve) => setTimeout(resolve, 20))
		}
		socket.write('PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n')
		await expect.poll(() => answers.match(/\[.*?\]/g)).toEqual(['[four 4]', '[ 0]'])
		socket.destroy()
	})

	it('hands out both bodies of two requests that come in one packet', async () => {
		const { port } = await serve(async (request) => {
			let text = ''
			for await (const chunk of request.body) text += Buffer.from(chunk).toString()
			return { status: 200, body: `[${request.path} ${text}]` }
		})
		const socket = connect(port, '127.0.0.1')
		let answers = ''
		socket.on('data', (chunk: Buffer) => (answers += chunk.toString()))
		const put = (path: string): string =>
			`PUT ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n${path}!`
		socket.write(put('/a') + put('/b'))
		await expect.poll(() => answers.match(/\[.*?\]/g)).toEqual(['[/a /a!]', '[/b /b!]'])
		socket.destroy()
	})

	it('aborts the signal when the client goes away', async () => {
		const aborted = deferred<void>()
		const { url } = await serve(
			(request) =>
				new Promise((resolve) => {
					request.signal.addEventListener('abort', () => {
						aborted.resolve()
						resolve({ status: 200 })
					})
				}),
		)
		const sent = httpRequest(url)
		sent.on('error', () => undefined)
		sent.end()
		await once(sent, 'socket')
		setTimeout(() => sent.destroy(), 20)
		await expect(aborted.promise).resolves.toBeUndefined()
	})

	it('ends a stream that nobody reads any more, and shows headers before the first chunk', async () => {
		const ended = deferred<void>()
		const { url } = await serve((request) => ({
			status: 200,
			body: (async function* () {
				await once(request.signal, 'abort')
				ended.resolve()
				yield 'never seen'
			})(),
		}))
		const sent = httpRequest(url).end()
		const [response] = (await once(sent, 'response')) as [IncomingMessage]
		expect(response.statusCode).toBe(200)
		response.on('error', () => undefined)
		sent.destroy()
		await ended.promise
	})

	it('hands a request for an upgrade to the handler', async () => {
		const { url } = await serve((request) => ({ status: 400, body: `no ${request.headers.upgrade}` }))
		const headers = { connection: 'Upgrade', upgrade: 'SPDY/3.1' }
		expect(await ask(url, { method: 'POST', headers })).toMatchObject({ status: 400, text: 'no SPDY/3.1' })
	})

	it('refuses headers over the limit', async () => {
		const { url } = await serve(() => ({ status: 200 }), { limits: { headerBytes: 2048 } })
		expect(await ask(url, { headers: { 'x-long': 'a'.repeat(4096) } })).toMatchObject({ status: 431 })
	})

	it('gives up a body that stalls', async () => {
		const given = deferred<unknown>()
		const { port } = await serve(
			async (request) => {
				try {
					for await (const _ of request.body);
				} catch (error) {
					given.resolve(error)
				}
				return { status: 200 }
			},
			{ limits: { stallMs: 30 } },
		)
		const socket = connect(port, '127.0.0.1')
		socket.on('error', () => undefined)
		socket.write('PUT / HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\nabc')
		expect(await given.promise).toBeInstanceOf(Error)
		socket.destroy()
	})

	it('says which port is taken', async () => {
		const { port } = await serve(() => ({ status: 200 }))
		await expect(listen(() => ({ status: 200 }), { host: '127.0.0.1', port })).rejects.toMatchObject({
			code: 'PORT_TAKEN',
			message: expect.stringContaining(String(port)) as string,
		})
		await expect(listen(() => ({ status: 200 }), { host: '192.0.2.1', port: 0 })).rejects.toMatchObject({
			code: 'SERVER_NOT_STARTED',
		})
	})

	it('lets requests under way finish when it closes, and then cuts them', async () => {
		const entered = deferred<void>()
		const release = deferred<void>()
		const listener = await listen(
			async (request) => {
				entered.resolve()
				await (request.path === '/ends' ? release.promise : once(request.signal, 'abort'))
				return { status: 200, body: 'done' }
			},
			{ host: '127.0.0.1', port: 0 },
		)
		const answer = ask(`${listener.url}/ends`)
		const cut = ask(`${listener.url}/never`).catch(() => 'cut')
		await entered.promise
		await new Promise((resolve) => setTimeout(resolve, 20))
		const closing = listener.close({ graceMs: 100 })
		release.resolve()
		expect(await answer).toMatchObject({ status: 200, headers: { connection: 'close' } })
		expect(await cut).toBe('cut')
		await closing
	})

	it('closes by its signal', async () => {
		const aborter = new AbortController()
		const { url } = await serve(() => ({ status: 200 }), { signal: aborter.signal })
		expect((await ask(url)).status).toBe(200)
		aborter.abort()
		await expect(ask(url, { agent: new Agent() })).rejects.toMatchObject({ code: 'ECONNREFUSED' })
	})
})

/** `Promise.withResolvers`, which Node 20 does not have. */
function deferred<T>(): { readonly promise: Promise<T>; readonly resolve: (value: T) => void } {
	let resolve: (value: T) => void = () => undefined
	const promise = new Promise<T>((done) => (resolve = done))
	return { promise, resolve }
}
