import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { rootCertificates } from 'node:tls'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { narrowTrust, wideTrust } from './trust.ts'

const [first = '', second = '', third = ''] = rootCertificates
let directory = ''
beforeEach(() => {
	directory = mkdtempSync(join(tmpdir(), 'lading-'))
	writeFileSync(join(directory, 'bundle.crt'), `# first\n${first}\n# second\n${second}\n`)
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

describe('trust', () => {
	it('tries a given CA alone: certificates of the environment are slow to parse', () => {
		const trust = narrowTrust(third, { SSL_CERT_FILE: join(directory, 'bundle.crt') })
		expect(trust.ca).toEqual([third])
	})

	it('holds a certificate once, however many variables name it', () => {
		const bundle = join(directory, 'bundle.crt')
		const env = { SSL_CERT_FILE: bundle, NODE_EXTRA_CA_CERTS: bundle, SSL_CERT_DIR: directory }
		expect(narrowTrust(undefined, env).ca).toEqual([first, second])
	})

	it('widens to the environment, Node and the system', async () => {
		const own = first.replace('MII', 'MIJ')
		writeFileSync(join(directory, 'own.crt'), own)
		const wide = await wideTrust(narrowTrust(third, {}), { SSL_CERT_FILE: join(directory, 'own.crt') })
		expect(wide.ca).toEqual(expect.arrayContaining([third, own, first, second]))
	})
})
