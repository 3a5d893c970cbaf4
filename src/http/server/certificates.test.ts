import { X509Certificate } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ensureCertificates, issueClientCertificate, listen } from './index.ts'

let root: string
beforeEach(async () => {
	root = join(await mkdtemp(join(tmpdir(), 'lading-')), 'certificates')
})
afterEach(() => rm(join(root, '..'), { recursive: true, force: true }))

const names = ['localhost', 'kind-registry', '127.0.0.1', '::1']
const now = new Date('2026-01-01T00:00:00Z')
const days = (count: number): Date => new Date(now.getTime() + count * 24 * 3600 * 1000)

describe('ensureCertificates', () => {
	it('makes an authority and a certificate for every name, readable by the owner only', async () => {
		const made = await ensureCertificates(root, { names, now, caName: 'test CA' })
		const ca = new X509Certificate(made.caPem)
		const leaf = new X509Certificate(made.certPem)
		expect(ca.ca).toBe(true)
		expect(ca.subject).toBe('CN=test CA')
		expect(leaf.ca).toBe(false)
		expect(leaf.verify(ca.publicKey)).toBe(true)
		expect(leaf.checkHost('kind-registry')).toBe('kind-registry')
		expect(leaf.checkIP('127.0.0.1')).toBe('127.0.0.1')
		expect(leaf.checkIP('::1')).toBe('::1')
		expect(await readFile(made.caPath, 'utf8')).toBe(made.caPem)
		expect((await stat(root)).mode & 0o777).toBe(0o700)
		expect((await stat(join(root, 'ca.key'))).mode & 0o777).toBe(0o600)
		expect((await stat(join(root, 'server.key'))).mode & 0o777).toBe(0o600)
		expect((await readdir(root)).sort()).toEqual(['ca.crt', 'ca.key', 'server.crt', 'server.key'])
	})

	it('keeps what is good', async () => {
		const first = await ensureCertificates(root, { names, now })
		expect(await ensureCertificates(root, { names: [...names].reverse(), now: days(300) })).toEqual(first)
	})

	it.each([
		['names changed', { names: ['localhost'], now }],
		['near its end', { names, now: days(380) }],
		['over its end', { names, now: days(500) }],
	])('renews the certificate and keeps the authority: %s', async (_, options) => {
		const first = await ensureCertificates(root, { names, now })
		const second = await ensureCertificates(root, options)
		expect(second.certPem).not.toBe(first.certPem)
		expect(second.caPem).toBe(first.caPem)
	})

	it('replaces an authority only when it has expired', async () => {
		const first = await ensureCertificates(root, { names, now })
		const second = await ensureCertificates(root, { names, now: days(3651) })
		expect(second.caPem).not.toBe(first.caPem)
	})

	it('heals a certificate without its key, as a crash between the two leaves it', async () => {
		const first = await ensureCertificates(root, { names, now })
		const other = await issueClientCertificate(root, { commonName: 'other', now })
		await writeFile(join(root, 'server.key'), other.keyPem)
		const second = await ensureCertificates(root, { names, now })
		expect(second.certPem).not.toBe(first.certPem)
		expect(await ensureCertificates(root, { names, now })).toEqual(second)
	})

	it('refuses a damaged authority instead of replacing it', async () => {
		await ensureCertificates(root, { names, now })
		await rm(join(root, 'ca.key'))
		await expect(ensureCertificates(root, { names: ['a'], now })).rejects.toMatchObject({
			code: 'CA_UNREADABLE',
		})
		await writeFile(join(root, 'ca.crt'), 'no certificate')
		await expect(ensureCertificates(root, { names, now })).rejects.toMatchObject({ code: 'CA_UNREADABLE' })
	})

	it('says when the directory cannot be written', async () => {
		const file = join(root, '..', 'file')
		await writeFile(file, '')
		const made = ensureCertificates(join(file, 'certificates'), { names })
		await expect(made).rejects.toMatchObject({ code: 'FILE_UNWRITABLE' })
	})
})

describe('a TLS listener', () => {
	it('is trusted with the CA, knows its clients by certificate, and takes a new certificate', async () => {
		const server = await ensureCertificates(root, { names })
		const client = await issueClientCertificate(root, {
			commonName: 'admin',
			organizations: ['system:masters', 'b'],
		})
		const listener = await listen(
			(asked) => ({ status: 200, body: JSON.stringify([asked.scheme, asked.clientCertificate ?? null]) }),
			{
				host: '127.0.0.1',
				port: 0,
				tls: { cert: server.certPem, key: server.keyPem, ca: server.caPem },
				requestClientCert: true,
			},
		)
		const get = (extra: {
			readonly cert?: string
			readonly key?: string
		}): Promise<readonly [string, string, string]> =>
			new Promise((resolve, reject) => {
				request(listener.url, { ca: server.caPem, agent: false, ...extra }, (response) => {
					const socket = response.socket as TLSSocket
					const serialNumber = socket.getPeerX509Certificate()?.serialNumber ?? ''
					const cipher = socket.getCipher().standardName
					response.setEncoding('utf8').on('data', (text: string) => resolve([text, serialNumber, cipher]))
				})
					.on('error', reject)
					.end()
			})
		try {
			expect((await get({}))[0]).toBe('["https",null]')
			const [text, serial, cipher] = await get({ cert: client.certPem, key: client.keyPem })
			expect(JSON.parse(text)).toEqual([
				'https',
				{ commonName: 'admin', organizations: ['system:masters', 'b'] },
			])
			const renewed = await ensureCertificates(root, { names: ['127.0.0.1'] })
			listener.reloadTls({ cert: renewed.certPem, key: renewed.keyPem })
			const [, another, same] = await get({})
			expect(another).not.toBe(serial)
			expect([cipher, same]).toEqual(['TLS_AES_128_GCM_SHA256', 'TLS_AES_128_GCM_SHA256'])
		} finally {
			await listener.close()
		}
	})
})
