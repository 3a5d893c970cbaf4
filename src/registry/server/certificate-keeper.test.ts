import { X509Certificate } from 'node:crypto'
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ensureCertificates } from '../../http/server/index.ts'
import { CertificateKeeper } from './certificate-keeper.ts'

const DAY_MS = 86_400_000

let directory: string
beforeEach(async () => {
	directory = await mkdtemp(join(tmpdir(), 'lading-'))
})
afterEach(async () => {
	await rm(directory, { recursive: true, force: true })
})

describe('CertificateKeeper', () => {
	it('renews its own certificate before it ends, by the same authority', async () => {
		let now = Date.now()
		const keeper = new CertificateKeeper({ kind: 'own', directory, names: ['localhost'] }, () => now)
		const first = await keeper.renewed()
		const caPem = keeper.caPem ?? ''
		expect(await keeper.renewed()).toBeUndefined()
		now += 366 * DAY_MS
		expect(await keeper.renewed()).toBeUndefined()
		now += 5 * DAY_MS
		const second = await keeper.renewed()
		expect(second?.certPem).not.toBe(first?.certPem)
		const cert = new X509Certificate(second?.certPem ?? '')
		expect(Date.parse(cert.validTo)).toBeGreaterThan(now + 390 * DAY_MS)
		expect(cert.verify(new X509Certificate(caPem).publicKey)).toBe(true)
		expect(keeper.caPem).toBe(caPem)
	})

	it('takes a given one when both of its files have come, and keeps the last while they do not fit', async () => {
		const [one, two] = [join(directory, 'one'), join(directory, 'two')]
		const first = await ensureCertificates(one, { names: ['a'] })
		const second = await ensureCertificates(two, { names: ['b'] })
		const paths = { cert: join(directory, 'tls.crt'), key: join(directory, 'tls.key') }
		await copyFile(join(one, 'server.crt'), paths.cert)
		await copyFile(join(one, 'server.key'), paths.key)
		const keeper = new CertificateKeeper({ kind: 'given', paths }, Date.now)
		expect((await keeper.renewed())?.certPem).toBe(first.certPem)
		expect(keeper.caPem).toBeUndefined()
		expect(await keeper.renewed()).toBeUndefined()

		await writeFile(paths.cert, `${second.certPem}\n`)
		await expect(keeper.renewed()).rejects.toMatchObject({
			code: 'CERTIFICATE_UNREADABLE',
			hint: expect.anything(),
		})
		// Told once.
		expect(await keeper.renewed()).toBeUndefined()
		await rm(paths.key)
		await copyFile(join(two, 'server.key'), paths.key)
		expect((await keeper.renewed())?.keyPem).toBe(second.keyPem)
		await writeFile(paths.key, 'nonsense')
		await expect(keeper.renewed()).rejects.toMatchObject({
			code: 'CERTIFICATE_UNREADABLE',
			hint: expect.anything(),
		})
		await rm(paths.key)
		await expect(keeper.renewed()).rejects.toMatchObject({
			code: 'CERTIFICATE_UNREADABLE',
			hint: expect.anything(),
		})
	})
})
