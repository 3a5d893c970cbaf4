import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { createHttpClient, type HttpClientOptions } from '../../src/http/client/index.ts'
import { type Certificates, ensureCertificates } from '../../src/http/server/index.ts'

const roots = vi.hoisted((): string[] => [])

vi.mock('node:tls', async (importOriginal) => ({
	...(await importOriginal<object>()),
	rootCertificates: roots,
}))

let directory: string
let known: Certificates
let other: Certificates
const server = createServer((_, response) => void response.end('fine'))

beforeAll(async () => {
	directory = await mkdtemp(join(tmpdir(), 'lading-'))
	known = await ensureCertificates(join(directory, 'known'), { names: ['127.0.0.1'] })
	other = await ensureCertificates(join(directory, 'other'), { names: ['other.test'] })
	roots.push(known.caPem)
	server.setSecureContext({ cert: known.certPem, key: known.keyPem })
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})
afterAll(async () => {
	server.closeAllConnections()
	server.close()
	await rm(directory, { recursive: true, force: true })
})

async function get(options: HttpClientOptions): Promise<string> {
	const http = createHttpClient({ retry: { attempts: 1 }, ...options })
	try {
		const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/`
		return await (await http.request({ method: 'GET', url })).text(100)
	} finally {
		http.close()
	}
}

it("a given CA comes besides the system's roots, or in their place", async () => {
	expect(await get({ ca: other.caPem })).toBe('fine')
	await expect(get({ ca: other.caPem, systemRoots: false })).rejects.toMatchObject({ code: 'TLS_UNKNOWN_CA' })
	expect(await get({ ca: known.caPem, systemRoots: false })).toBe('fine')
	expect(await get({ systemRoots: false })).toBe('fine')
})
