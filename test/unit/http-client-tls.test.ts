import { mkdtemp, rm } from 'node:fs/promises'
import { createServer as createHttpServer, type IncomingMessage, type Server } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { type AddressInfo, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { createHttpClient, type HttpClientOptions } from '../../src/http/client/index.ts'
import { type Certificates, ensureCertificates } from '../../src/http/server/index.ts'

let directory: string
let good: Certificates
let other: Certificates
let expired: Certificates

beforeAll(async () => {
	directory = await mkdtemp(join(tmpdir(), 'lading-'))
	const names = ['127.0.0.1', 'registry.test']
	good = await ensureCertificates(join(directory, 'good'), { names })
	other = await ensureCertificates(join(directory, 'other'), { names: ['other.test'] })
	expired = await ensureCertificates(join(directory, 'expired'), { names, now: new Date('2001-01-01') })
})
afterAll(() => rm(directory, { recursive: true, force: true }))

const closers: (() => void)[] = []
afterEach(() => {
	for (const close of closers.splice(0)) close()
})

async function listen(server: Server): Promise<number> {
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
	closers.push(() => {
		server.closeAllConnections()
		server.close()
	})
	return (server.address() as AddressInfo).port
}

async function serveTls(certificates: Certificates): Promise<{ port: number; seen: IncomingMessage[] }> {
	const seen: IncomingMessage[] = []
	const server = createHttpsServer(
		{ cert: certificates.certPem, key: certificates.keyPem },
		(request, response) => {
			seen.push(request)
			response.end('fine')
		},
	)
	return { port: await listen(server), seen }
}

async function get(url: string, options: HttpClientOptions = {}): Promise<string> {
	const http = createHttpClient({ sleep: async () => undefined, ...options })
	closers.push(() => http.close())
	const response = await http.request({ method: 'GET', url })
	return response.text(1000)
}

describe('trust', () => {
	it('takes a CA as PEM, from SSL_CERT_FILE, or does without', async () => {
		const { port } = await serveTls(good)
		const url = `https://127.0.0.1:${port}/`
		expect(await get(url, { ca: good.caPem })).toBe('fine')
		expect(await get(url, { env: { SSL_CERT_FILE: good.caPath } })).toBe('fine')
		expect(await get(url, { insecure: true })).toBe('fine')
	})

	it('names the fix for an unknown CA', async () => {
		const { port, seen } = await serveTls(good)
		for (const options of [{}, { ca: other.caPem }]) {
			await expect(get(`https://127.0.0.1:${port}/`, options)).rejects.toMatchObject({
				code: 'TLS_UNKNOWN_CA',
				hint: expect.stringContaining('--ca'),
			})
		}
		expect(seen).toEqual([])
	})

	it('says which names a certificate is for', async () => {
		const { port } = await serveTls(other)
		await expect(get(`https://127.0.0.1:${port}/`, { ca: other.caPem })).rejects.toMatchObject({
			code: 'TLS_NAME_MISMATCH',
			message: expect.stringContaining('other.test'),
		})
	})

	it('says that a certificate has expired', async () => {
		const { port } = await serveTls(expired)
		await expect(get(`https://127.0.0.1:${port}/`, { ca: expired.caPem })).rejects.toMatchObject({
			code: 'TLS_EXPIRED',
		})
	})

	it('says that a server speaks plain HTTP', async () => {
		const port = await listen(createHttpServer((_, response) => response.end('fine')))
		await expect(get(`https://127.0.0.1:${port}/`)).rejects.toMatchObject({
			code: 'TLS_PROTOCOL',
			hint: expect.stringContaining('--plain-http'),
		})
	})

	it('says that a server speaks TLS', async () => {
		const { port } = await serveTls(good)
		await expect(get(`http://127.0.0.1:${port}/`)).rejects.toMatchObject({
			code: 'TLS_PROTOCOL',
			message: expect.stringContaining('speaks TLS'),
		})
	})

	it('does not follow a redirect from https to http', async () => {
		const { port: plain } = await serveTls(good)
		const server = createHttpsServer({ cert: good.certPem, key: good.keyPem }, (_, response) =>
			response.writeHead(307, { location: `http://127.0.0.1:${plain}/` }).end(),
		)
		const port = await listen(server)
		await expect(get(`https://127.0.0.1:${port}/`, { ca: good.caPem })).rejects.toMatchObject({
			code: 'TLS_PROTOCOL',
			message: expect.stringContaining('redirects'),
		})
	})

	it('refuses a CA file without a certificate in it', async () => {
		await expect(get('https://127.0.0.1:1/', { ca: 'hello' })).rejects.toMatchObject({
			code: 'CA_UNREADABLE',
		})
		const env = { SSL_CERT_FILE: join(directory, 'missing') }
		await expect(get('https://127.0.0.1:1/', { env })).rejects.toMatchObject({ code: 'CA_UNREADABLE' })
	})
})

/** A proxy that takes every name for this machine. */
async function serveProxy(
	target: number,
	expected?: string,
): Promise<{ port: number; connects: string[]; forwarded: string[] }> {
	const connects: string[] = []
	const forwarded: string[] = []
	const server = createHttpServer((request, response) => {
		forwarded.push(request.url ?? '')
		response.end('forwarded')
	})
	server.on('connect', (request, socket) => {
		if (expected !== undefined && request.headers['proxy-authorization'] !== expected) {
			socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n')
			return
		}
		connects.push(request.url ?? '')
		const upstream = connect(target, '127.0.0.1', () => {
			socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
			upstream.pipe(socket).pipe(upstream)
		})
		upstream.on('error', () => socket.destroy())
		socket.on('error', () => upstream.destroy())
	})
	return { port: await listen(server), connects, forwarded }
}

describe('proxies', () => {
	const credentials = `Basic ${Buffer.from('bob:p@ss').toString('base64')}`

	it('tunnels TLS, with credentials for the proxy that the target does not see', async () => {
		const { port: target, seen } = await serveTls(good)
		const { port, connects } = await serveProxy(target, credentials)
		const env = { HTTPS_PROXY: `http://bob:p%40ss@127.0.0.1:${port}` }
		const http = createHttpClient({ ca: good.caPem, env })
		closers.push(() => http.close())
		for (let round = 0; round < 2; round++) {
			const response = await http.request({ method: 'GET', url: 'https://registry.test/v2/' })
			expect(await response.text(100)).toBe('fine')
		}
		// One tunnel, kept.
		expect(connects).toEqual(['registry.test:443'])
		expect(seen[0]?.headers['proxy-authorization']).toBeUndefined()
	})

	it('verifies the target inside the tunnel', async () => {
		const { port: target } = await serveTls(good)
		const { port } = await serveProxy(target)
		const env = { HTTPS_PROXY: `127.0.0.1:${port}` }
		await expect(get('https://registry.test/', { env })).rejects.toMatchObject({ code: 'TLS_UNKNOWN_CA' })
		await expect(get('https://wrong.test/', { env, ca: good.caPem })).rejects.toMatchObject({
			code: 'TLS_NAME_MISMATCH',
		})
	})

	it('holds the certificate of a target that is an address against that address, not the name of the proxy', async () => {
		const env = async (certificates: Certificates): Promise<HttpClientOptions> => {
			const { port: target } = await serveTls(certificates)
			const { port } = await serveProxy(target)
			return { ca: certificates.caPem, env: { HTTPS_PROXY: `http://localhost:${port}` } }
		}
		const named = async (name: string): Promise<HttpClientOptions> =>
			env(await ensureCertificates(join(directory, name), { names: [name] }))
		await expect(get('https://192.0.2.7/', await named('localhost'))).rejects.toMatchObject({
			code: 'TLS_NAME_MISMATCH',
		})
		expect(await get('https://192.0.2.7/', await named('192.0.2.7'))).toBe('fine')
	})

	it('says that the proxy wants credentials, without showing those it got', async () => {
		const { port } = await serveProxy(1, credentials)
		const env = { HTTPS_PROXY: `http://bob:wrong@127.0.0.1:${port}` }
		const failure = await get('https://registry.test/', { env }).catch((error: unknown) => error)
		expect(failure).toMatchObject({ code: 'CONNECTION_FAILED', message: expect.stringContaining('407') })
		expect(String(failure)).not.toContain('wrong')
	})

	it('sends plain HTTP with the whole URL', async () => {
		const { port, forwarded } = await serveProxy(1)
		expect(
			await get('http://registry.test:5000/v2/', { env: { http_proxy: `http://127.0.0.1:${port}` } }),
		).toBe('forwarded')
		expect(forwarded).toEqual(['http://registry.test:5000/v2/'])
	})

	it('goes round the proxy where it should', async () => {
		const { port: target } = await serveTls(good)
		// Nothing listens at the proxy: whoever used it would fail.
		const env = { HTTPS_PROXY: 'http://127.0.0.1:9' }
		expect(await get(`https://127.0.0.1:${target}/`, { env, ca: good.caPem })).toBe('fine')
		const exempt = { ...env, NO_PROXY: 'invalid' }
		await expect(get('https://host.invalid/', { env: exempt, retry: { attempts: 1 } })).rejects.toMatchObject(
			{
				message: expect.stringContaining('host.invalid'),
			},
		)
	})
})
