import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { webcrypto } from 'node:crypto'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
// oxlint-disable-next-line import/no-unassigned-import -- @peculiar/x509 wants it to be there
import 'reflect-metadata'
import * as x509 from '@peculiar/x509'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connectCluster } from '../../src/cluster/index.ts'
import { createHttpClient } from '../../src/http/client/index.ts'
import { readCertificate } from '../../src/http/server/index.ts'

// RSA of 1024 bits: OpenSSL 3.5, which Node.js has from release 24 on, refuses it.

const [major = 0, minor = 0] = process.versions.openssl.split('.').map(Number)
const REFUSES = major > 3 || (major === 3 && minor >= 5)

let directory: string
let paths: { readonly cert: string; readonly key: string }
let pem: { readonly cert: string; readonly key: string }

beforeAll(async () => {
	directory = mkdtempSync(join(tmpdir(), 'lading-'))
	x509.cryptoProvider.set(webcrypto as unknown as Parameters<typeof x509.cryptoProvider.set>[0])
	const algorithm = {
		name: 'RSASSA-PKCS1-v1_5',
		hash: 'SHA-256',
		publicExponent: new Uint8Array([1, 0, 1]),
		modulusLength: 1024,
	}
	const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
	const certificate = await x509.X509CertificateGenerator.createSelfSigned({
		serialNumber: '01',
		name: 'CN=127.0.0.1',
		notBefore: new Date(Date.now() - 60_000),
		notAfter: new Date(Date.now() + 3_600_000),
		keys,
		signingAlgorithm: algorithm,
		extensions: [new x509.SubjectAlternativeNameExtension([{ type: 'ip', value: '127.0.0.1' }])],
	})
	const key = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64')
	pem = {
		cert: certificate.toString('pem'),
		key: `-----BEGIN PRIVATE KEY-----\n${key}\n-----END PRIVATE KEY-----\n`,
	}
	paths = { cert: join(directory, 'tls.crt'), key: join(directory, 'tls.key') }
	writeFileSync(paths.cert, pem.cert)
	writeFileSync(paths.key, pem.key)
})
afterAll(() => rmSync(directory, { recursive: true, force: true }))

const outcome = async (attempt: () => unknown): Promise<string> => {
	try {
		await attempt()
		return 'taken'
	} catch (error) {
		return `${(error as { code?: string }).code} ${(error as Error).message}`
	}
}

describe('a certificate that is too weak for this Node.js', () => {
	it('is refused with words where it is to be served', async () => {
		const said = REFUSES
			? /^CERTIFICATE_UNREADABLE Node\.js v\S+ does not take .*ERR_SSL_EE_KEY_TOO_SMALL/
			: /^taken$/
		expect(await outcome(() => readCertificate(paths))).toMatch(said)
	})

	it('is refused with words where a server has it', async () => {
		const server = createServer({ ...pem, ciphers: 'DEFAULT@SECLEVEL=0' }, (_, response) =>
			response.end('fine'),
		)
		await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
		const http = createHttpClient({ ca: pem.cert, retry: { attempts: 1 } })
		try {
			const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/`
			const said = REFUSES
				? /^TLS_PROTOCOL the certificate of 127\.0\.0\.1:\d+ is not accepted by Node\.js/
				: /^taken$/
			expect(await outcome(() => http.request({ method: 'GET', url }))).toMatch(said)
		} finally {
			http.close()
			server.closeAllConnections()
			server.close()
		}
	})

	it('is refused with words where a kubeconfig has it', async () => {
		const kubeconfig = join(directory, 'kubeconfig')
		const base64 = (text: string): string => Buffer.from(text).toString('base64')
		const config = {
			apiVersion: 'v1',
			kind: 'Config',
			'current-context': 'a',
			contexts: [{ name: 'a', context: { cluster: 'a', user: 'a' } }],
			// Nothing listens there.
			clusters: [{ name: 'a', cluster: { server: 'https://127.0.0.1:1' } }],
			users: [
				{
					name: 'a',
					user: { 'client-certificate-data': base64(pem.cert), 'client-key-data': base64(pem.key) },
				},
			],
		}
		writeFileSync(kubeconfig, JSON.stringify(config))
		const said = REFUSES
			? /^KUBECONFIG_INVALID the client certificate .* is too weak/
			: /^CLUSTER_UNREACHABLE /
		const ask = async (): Promise<unknown> => {
			const cluster = await connectCluster({ kubeconfig, env: {} })
			return await cluster.version()
		}
		expect(await outcome(ask)).toMatch(said)
	})
})
