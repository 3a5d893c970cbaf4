import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer as createHttpServer, type Server } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { type AddressInfo, connect as connectTo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type Cluster, connectCluster } from '../../src/cluster/index.ts'
import { type Certificates, ensureCertificates, issueClientCertificate } from '../../src/http/server/index.ts'

let directory: string
let good: Certificates
let other: Certificates
let expired: Certificates

beforeAll(async () => {
	directory = await mkdtemp(join(tmpdir(), 'lading-'))
	good = await ensureCertificates(join(directory, 'good'), { names: ['127.0.0.1', 'api.test'] })
	other = await ensureCertificates(join(directory, 'other'), { names: ['other.test'] })
	expired = await ensureCertificates(join(directory, 'expired'), {
		names: ['127.0.0.1'],
		now: new Date('2001-01-01'),
	})
})
afterAll(() => rm(directory, { recursive: true, force: true }))

const servers: Server[] = []
afterEach(() => {
	for (const server of servers.splice(0)) {
		server.closeAllConnections()
		server.close()
	}
})

async function listen(server: Server): Promise<number> {
	servers.push(server)
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
	return (server.address() as AddressInfo).port
}

/** An API server that knows its version, and calls itself after the client's certificate. */
async function serveApi(certificates: Certificates): Promise<number> {
	const tls = { cert: certificates.certPem, key: certificates.keyPem, ca: certificates.caPem }
	const server = createHttpsServer(
		{ ...tls, requestCert: true, rejectUnauthorized: false },
		(request, response) => {
			const socket = request.socket as TLSSocket
			const who = socket.authorized ? String(socket.getPeerCertificate().subject.CN) : 'nobody'
			response.setHeader('content-type', 'application/json').end(JSON.stringify({ gitVersion: who }))
		},
	)
	return await listen(server)
}

const base64 = (text: string): string => Buffer.from(text).toString('base64')

interface Connecting {
	readonly cluster?: object
	readonly user?: object
	readonly env?: Readonly<Record<string, string>>
}

async function connect(port: number, options: Connecting = {}): Promise<Cluster> {
	const path = join(await mkdtemp(join(directory, 'config-')), 'config')
	const server = `https://127.0.0.1:${port}`
	const config = {
		'current-context': 'one',
		clusters: [{ name: 'c', cluster: { server, ...options.cluster } }],
		contexts: [{ name: 'one', context: { cluster: 'c', user: 'u' } }],
		users: [{ name: 'u', user: options.user ?? {} }],
	}
	await writeFile(path, JSON.stringify(config))
	return await connectCluster({ kubeconfig: path, env: options.env })
}

const trusting = ({ caPem }: Certificates): object => ({ 'certificate-authority-data': base64(caPem) })

describe('a cluster over TLS', () => {
	it('is logged in to with a client certificate, in the kubeconfig or beside it', async () => {
		const client = await issueClientCertificate(join(directory, 'good'), { commonName: 'admin' })
		const port = await serveApi(good)
		const data = {
			'client-certificate-data': base64(client.certPem),
			'client-key-data': base64(client.keyPem),
		}
		expect(await (await connect(port, { cluster: trusting(good), user: data })).version()).toBe('admin')
		const files = { 'client-certificate': join(directory, 'c.crt'), 'client-key': join(directory, 'c.key') }
		await writeFile(files['client-certificate'], client.certPem)
		await writeFile(files['client-key'], client.keyPem)
		expect(await (await connect(port, { cluster: trusting(good), user: files })).version()).toBe('admin')
		expect(await (await connect(port, { cluster: trusting(good) })).version()).toBe('nobody')
	})

	it('says which part of the trust is missing', async () => {
		const ask = async (certificates: Certificates, cluster: object): Promise<string> =>
			await (await connect(await serveApi(certificates), { cluster })).version()
		await expect(ask(good, trusting(other))).rejects.toMatchObject({ code: 'TLS_UNKNOWN_CA' })
		await expect(ask(good, {})).rejects.toMatchObject({ code: 'TLS_UNKNOWN_CA' })
		await expect(ask(other, trusting(other))).rejects.toMatchObject({ code: 'TLS_NAME_MISMATCH' })
		await expect(ask(expired, trusting(expired))).rejects.toMatchObject({ code: 'TLS_EXPIRED' })
		expect(await ask(other, { ...trusting(other), 'tls-server-name': 'other.test' })).toBe('nobody')
		expect(await ask(expired, { 'insecure-skip-tls-verify': true })).toBe('nobody')
	})

	it('is reached through the proxy that the kubeconfig or the environment names', async () => {
		const port = await serveApi(good)
		const asked: (string | undefined)[] = []
		const proxy = createHttpServer()
		proxy.on('connect', (request, socket) => {
			asked.push(request.url, request.headers['proxy-authorization'])
			const onward = connectTo(port, '127.0.0.1', () => {
				socket.write('HTTP/1.1 200 OK\r\n\r\n')
				onward.pipe(socket).pipe(onward)
			})
			onward.on('error', () => socket.destroy())
			socket.on('error', () => onward.destroy())
		})
		const proxyPort = await listen(proxy)
		const server = { server: 'https://api.test:6443', ...trusting(good) }
		const named = { ...server, 'proxy-url': `http://me:secret@127.0.0.1:${proxyPort}` }
		expect(await (await connect(port, { cluster: named })).version()).toBe('nobody')
		expect(asked).toEqual(['api.test:6443', `Basic ${base64('me:secret')}`])
		const env = { HTTPS_PROXY: `http://127.0.0.1:${proxyPort}` }
		expect(await (await connect(port, { cluster: server, env })).version()).toBe('nobody')
		expect(asked).toHaveLength(4)
		proxy.removeAllListeners('connect').on('connect', (_, socket) => socket.end('HTTP/1.1 407 No\r\n\r\n'))
		await expect((await connect(port, { cluster: server, env })).version()).rejects.toMatchObject({
			code: 'CLUSTER_UNREACHABLE',
			message: expect.stringContaining('the proxy answered 407'),
		})
		await expect(
			connect(port, { cluster: { ...server, 'proxy-url': 'socks5://127.0.0.1:1' } }),
		).rejects.toMatchObject({
			code: 'KUBECONFIG_INVALID',
		})
		await expect(
			connect(port, { cluster: { ...server, 'proxy-url': 'http://me:100%@127.0.0.1:1' } }),
		).rejects.toMatchObject({
			code: 'KUBECONFIG_INVALID',
			message: expect.stringContaining('is not percent-encoded'),
		})
	})

	it('says that a server speaks plain HTTP', async () => {
		const port = await listen(createHttpServer((_, response) => response.end('fine')))
		const cluster = await connect(port, { cluster: trusting(good) })
		await expect(cluster.version()).rejects.toMatchObject({ code: 'TLS_PROTOCOL' })
	})

	it('names a certificate and a key that do not belong together', async () => {
		const one = await issueClientCertificate(join(directory, 'good'), { commonName: 'one' })
		const two = await issueClientCertificate(join(directory, 'good'), { commonName: 'two' })
		const user = { 'client-certificate-data': base64(one.certPem), 'client-key-data': base64(two.keyPem) }
		const cluster = await connect(await serveApi(good), { cluster: trusting(good), user })
		await expect(cluster.version()).rejects.toMatchObject({
			code: 'KUBECONFIG_INVALID',
			message: expect.stringContaining('do not belong together'),
		})
	})
})
