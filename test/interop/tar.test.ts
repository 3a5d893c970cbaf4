import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { packLayer } from '../../src/artifact/index.ts'
import { readManifestSet } from '../../src/manifests/index.ts'

const LONG = `${'d'.repeat(90)}/${'e'.repeat(90)}/${'f'.repeat(90)}.yaml`

let directory = ''
beforeAll(() => {
	directory = mkdtempSync(join(tmpdir(), 'lading-'))
})
afterAll(() => {
	rmSync(directory, { recursive: true, force: true })
})

it('the system tar reads a layer: names, modes, owners, times, links', async () => {
	for (const [path, text] of [
		['namespace.yaml', 'kind: Namespace\n'],
		['sub/größe.yaml', 'a: ä\n'],
		[LONG, 'pax: yes\n'],
	] as const) {
		mkdirSync(join(directory, path, '..'), { recursive: true })
		writeFileSync(join(directory, path), text)
	}
	symlinkSync('sub', join(directory, 'link'))
	const chunks: Uint8Array[] = []
	for await (const chunk of (await packLayer(await readManifestSet(directory))).open()) chunks.push(chunk)
	const listing = execFileSync('tar', ['-tvf', '-'], {
		input: Buffer.concat(chunks),
		env: { ...process.env, TZ: 'UTC', LC_ALL: 'C.UTF-8' },
	}).toString()
	expect(listing).toMatch(/^lrw.* 0\/0 +0 1970-01-01 00:00 link -> sub$/m)
	expect(listing).toMatch(/^drwxr-xr-x 0\/0 +0 1970-01-01 00:00 sub\/$/m)
	expect(listing).toMatch(/^-rw-r--r-- 0\/0 +16 1970-01-01 00:00 namespace\.yaml$/m)
	expect(listing).toContain('größe.yaml')
	expect(listing).toContain(LONG)
})
