import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { connect as connectTls } from 'node:tls'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ensureCertificates, type Handler, listen, type Listener, type ListenLimits } from './index.ts'

const MIB = 1024 * 1024
/** More than the system takes by itself for a client that reads nothing, in bytes. */
const LARGE = 24 * MIB

const open: Listener[] = []
const sockets: Socket[] = []
let directory = ''
let tls: { readonly cert: string; readonly key: string }

beforeAll(async () => {
	directory = await mkdtemp(join(tmpdir(), 'slow-clients-'))
	const { certPem, keyPem } = await ensureCertificates(directory, { names: ['127.0.0.1'] })
	tls = { cert: certPem, key: keyPem }
})
afterAll(() => rm(directory, { recursive: true, force: true }))
afterEach(async () => {
	for (const socket of sockets.splice(0)) socket.destroy()
	await Promise.all(open.splice(0).map((listener) => listener.close()))
})

type Scheme = 'http' | 'https'

async function serve(
	handler: Handler,
	{ scheme, limits }: { readonly scheme: Scheme; readonly limits?: ListenLimits },
): Promise<Listener> {
	const listener = await listen(handler, {
		host: '127.0.0.1',
		port: 0,
		limits,
		...(scheme === 'https' && { tls }),
	})
	open.push(listener)
	return listener
}

/** A connection whose client reads nothing unless told. */
async function dial({ port }: Listener, scheme: Scheme): Promise<Socket> {
	const options = { port, host: '127.0.0.1', rejectUnauthorized: false }
	const socket = scheme === 'https' ? connectTls(options) : connect(options)
	sockets.push(socket)
	socket.on('error', () => undefined)
	await once(socket, scheme === 'https' ? 'secureConnect' : 'connect')
	return socket
}

/** What arrives up to `last`, or until the connection ends. */
async function read(socket: Socket, last: string): Promise<string> {
	const chunks: Buffer[] = []
	let tail = ''
	for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
		chunks.push(chunk as Buffer)
		tail = (tail + (chunk as Buffer).toString('latin1')).slice(-last.length)
		if (tail === last) break
	}
	return Buffer.concat(chunks).toString('latin1')
}

/** Bytes that arrive, up to more than `LARGE` or until the connection ends. */
async function sizeOf(socket: Socket): Promise<number> {
	let received = 0
	for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
		received += (chunk as Buffer).byteLength
		if (received > LARGE) break
	}
	return received
}

/** The code of what happens when the other side has ended a connection that nobody reads: what is written fails. */
async function failureOf(socket: Socket): Promise<string> {
	let code = ''
	socket.once('error', (error: NodeJS.ErrnoException) => (code = error.code ?? ''))
	while (!socket.destroyed) {
		// Nothing to a server between two requests.
		socket.write('\r\n')
		await delay(5)
	}
	return code
}

const get = (path: string): string => `GET ${path} HTTP/1.1\r\nhost: a\r\n\r\n`

describe.each<Scheme>(['http', 'https'])('a slow client over %s', (scheme) => {
	it('that pipelines and reads nothing is served one request at a time, and reads all in order', async () => {
		const entered: string[] = []
		const listener = await serve(
			({ path }) => {
				entered.push(path)
				return { status: 200, body: path.endsWith('first') ? new Uint8Array(LARGE) : `[${path}]` }
			},
			{ scheme },
		)
		const socket = await dial(listener, scheme)
		const paths = Array.from({ length: 400 }, (_, index) => `/${index}`)
		socket.write([get('/first'), ...paths.map(get)].join(''))
		while (entered.length === 0) await delay(5)
		await delay(50)
		expect(entered).toEqual(['/first'])
		const text = await read(socket, '[/399]')
		expect(entered).toEqual(['/first', ...paths])
		expect(text.match(/(?<=\[)[^\]]*/g)).toEqual(paths)
	})

	it('that pipelines requests with bodies has each of them read', async () => {
		const listener = await serve(
			async (request) => {
				let size = 0
				for await (const chunk of request.body) size += chunk.byteLength
				return { status: 200, body: `[${request.method} ${size}]` }
			},
			{ scheme },
		)
		const socket = await dial(listener, scheme)
		const put = (size: number): string =>
			`PUT / HTTP/1.1\r\nhost: a\r\ncontent-length: ${size}\r\n\r\n${'x'.repeat(size)}`
		socket.write(get('/') + put(300_001) + put(2) + get('/') + put(300_003))
		const text = await read(socket, '[PUT 300003]')
		expect(text.match(/\[.*?\]/g)).toEqual(['[GET 0]', '[PUT 300001]', '[PUT 2]', '[GET 0]', '[PUT 300003]'])
	})

	it('that pipelines without end is not read from while a request of it waits', async () => {
		const listener = await serve(({ signal }) => once(signal, 'abort').then(() => ({ status: 200 })), {
			scheme,
		})
		const socket = await dial(listener, scheme)
		const request = `GET / HTTP/1.1\r\nhost: a\r\nx-long: ${'x'.repeat(8000)}\r\n\r\n`
		for (let sent = 0; sent < 2 * LARGE; sent += MIB) {
			const room =
				socket.write(request.repeat(MIB / request.length)) || once(socket, 'drain').then(() => true)
			// Long enough for any machine that would read; shorter and it passes all the same.
			if (!(await Promise.race([room, delay(1000, false)]))) break
		}
		expect(socket.bytesWritten - socket.writableLength).toBeLessThan(LARGE)
		expect(socket.writableLength).toBeGreaterThan(0)
	})

	it.each([
		['an answer from memory', (): Uint8Array => new Uint8Array(LARGE)],
		['a stream', (): AsyncIterable<Uint8Array> => pieces(LARGE / MIB)],
		['the last piece of a stream', (): AsyncIterable<Uint8Array> => pieces(1, LARGE)],
	])('that takes nothing of %s is cut', async (_, body) => {
		const listener = await serve(() => ({ status: 200, body: body() }), { scheme, limits: { stallMs: 50 } })
		const socket = await dial(listener, scheme)
		socket.write(get('/'))
		expect(await failureOf(socket)).toMatch(/EPIPE|ECONNRESET/)
	})

	it.each([
		['an answer from memory', (): Uint8Array => new Uint8Array(LARGE)],
		['a stream', (): AsyncIterable<Uint8Array> => pieces(1, LARGE)],
	])('that takes %s slowly gets all of it', async (_, body) => {
		const listener = await serve(
			() => ({ status: 200, headers: { 'content-length': LARGE }, body: body() }),
			{ scheme, limits: { stallMs: 600 } },
		)
		const socket = await dial(listener, scheme)
		socket.write(get('/'))
		let received = 0
		for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
			const before = received
			received += (chunk as Buffer).byteLength
			if (Math.floor(received / MIB) > Math.floor(before / MIB)) await delay(80)
			if (received > LARGE) break
		}
		expect(received).toBeGreaterThan(LARGE)
	})

	// Elsewhere the system does not tell what a client has acknowledged.
	it.runIf(process.platform === 'linux')(
		'that reads all the time is not cut, although the system takes nothing more for longer than that',
		async () => {
			const listener = await serve(() => ({ status: 200, body: new Uint8Array(LARGE) }), {
				scheme,
				limits: { stallMs: 400 },
			})
			const socket = await dial(listener, scheme)
			socket.write(get('/'))
			let received = 0
			for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
				received += (chunk as Buffer).byteLength
				// About 1.6 MB a second: the system takes as much at a time.
				await delay((chunk as Buffer).byteLength / 1600)
				if (received > 6 * MIB) break
			}
			expect(received).toBeGreaterThan(6 * MIB)
		},
	)

	it.each([
		['answers from memory', (): Uint8Array => new Uint8Array(LARGE), LARGE],
		['answers of text', (): string => 'x'.repeat(LARGE), LARGE],
		['streams', (): AsyncIterable<Uint8Array> => pieces(2, LARGE / 2), LARGE / 2],
	])('that takes nothing longest is cut where %s keep too much', async (_, body, kept) => {
		const answer = { status: 200, headers: { 'content-length': LARGE } }
		const listener = await serve(() => ({ ...answer, body: body() }), {
			scheme,
			limits: { heldBytes: 2 * kept + 2 * MIB },
		})
		const dialled: Socket[] = []
		for (let count = 0; count < 3; count += 1) {
			const socket = await dial(listener, scheme)
			socket.write(get('/'))
			await once(socket, 'readable')
			// The system takes no more of it by then.
			await delay(50)
			dialled.push(socket)
		}
		const [longest, ...others] = dialled as [Socket, Socket, Socket]
		expect(await failureOf(longest)).toMatch(/EPIPE|ECONNRESET/)
		for (const socket of others) expect(await sizeOf(socket)).toBeGreaterThan(LARGE)
	})

	it('is not cut for what its answer has in common with others', async () => {
		const body = new Uint8Array(LARGE)
		const listener = await serve(() => ({ status: 200, body }), {
			scheme,
			limits: { heldBytes: LARGE + 2 * MIB },
		})
		const dialled = await Promise.all(Array.from({ length: 4 }, () => dial(listener, scheme)))
		for (const socket of dialled) socket.write(get('/'))
		await Promise.all(dialled.map((socket) => once(socket, 'readable')))
		await delay(50)
		for (const socket of dialled) expect(await sizeOf(socket)).toBeGreaterThan(LARGE)
	})

	it('that sends a body slowly is heard, also by a handler that takes its time', async () => {
		const listener = await serve(
			async (request) => {
				let text = ''
				for await (const chunk of request.body) {
					text += Buffer.from(chunk).toString()
					if (text === 'abc') await delay(600)
				}
				return { status: 200, body: `[${text}]` }
			},
			{ scheme, limits: { stallMs: 150 } },
		)
		const socket = await dial(listener, scheme)
		socket.write('PUT / HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\n')
		for (const letter of 'abcdefghij') {
			await delay(30)
			socket.write(letter)
		}
		expect(await read(socket, '[abcdefghij]')).toMatch(/\[abcdefghij\]$/)
	})

	it('that stops sending a body is cut', async () => {
		const listener = await serve(
			async (request) => {
				for await (const _ of request.body);
				return { status: 200 }
			},
			{ scheme, limits: { stallMs: 50 } },
		)
		const socket = await dial(listener, scheme)
		socket.write('PUT / HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\nabc')
		expect(await read(socket, 'answer').catch(() => '')).toBe('')
	})
})

describe('a client that never shakes hands', () => {
	it('is cut when the time for its headers is over', async () => {
		const listener = await serve(() => ({ status: 200 }), {
			scheme: 'https',
			limits: { headersTimeoutMs: 50 },
		})
		const socket = await dial(listener, 'http')
		expect(await read(socket, 'greeting')).toBe('')
	})
})

async function* pieces(count: number, size = MIB): AsyncGenerator<Uint8Array, void, undefined> {
	for (let index = 0; index < count; index += 1) yield new Uint8Array(size)
}
