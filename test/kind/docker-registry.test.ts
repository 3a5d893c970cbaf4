import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hash } from 'bcryptjs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RunningRegistry, serveRegistry } from '../../src/registry/server/index.ts'
import { docker, ok } from './tools.ts'

const USER = 'ann'
const PASSWORD = 'a secret: of ann'

const directory = mkdtempSync(join(tmpdir(), 'docker-'))
/** Where Docker keeps the password. */
const config = ['--config', join(directory, 'config')]
let registry: RunningRegistry
let image: string
beforeAll(async () => {
	const htpasswd = join(directory, 'htpasswd')
	writeFileSync(htpasswd, `${USER}:${await hash(PASSWORD, 6)}\n`)
	// Docker takes HTTP from this machine; a CA of its own would have to stand in /etc.
	const data = join(directory, 'data')
	registry = await serveRegistry({ dataDirectory: data, port: 0, auth: { htpasswd }, plainHttp: true })
	image = `127.0.0.1:${registry.port}/docker/app:v1`
})
afterAll(async () => {
	await registry?.close()
	rmSync(directory, { recursive: true, force: true })
})

describe.sequential('Docker, with the registry of lading', () => {
	it('is refused without the password', async () => {
		await expect(docker(...config, 'pull', image)).rejects.toThrow(/no basic auth|unauthorized/)
	})

	it('pushes an image built from scratch, and pulls it again', async () => {
		writeFileSync(join(directory, 'Dockerfile'), 'FROM scratch\nCOPY large.bin htpasswd /\nLABEL of=lading\n')
		writeFileSync(join(directory, 'large.bin'), Buffer.alloc(12_000_000, 'large '))
		await docker(...config, 'login', '--username', USER, '--password', PASSWORD, new URL(registry.url).host)
		// Of the two builders, the one that is everywhere.
		await ok(directory, 'env', 'DOCKER_BUILDKIT=0', 'docker', ...config, 'build', '--tag', image, '.')
		const id = await docker('image', 'inspect', '--format', '{{.Id}}', image)
		expect(await docker(...config, 'push', image)).toMatch(/digest: sha256:[0-9a-f]{64}/)
		await docker('image', 'rm', image)
		await docker(...config, 'pull', image)
		expect(await docker('image', 'inspect', '--format', '{{.Id}}', image)).toBe(id)
	})

	it('pushes it once more under another name without sending its layers', async () => {
		const other = image.replace('/app:', '/other:')
		const bytes = registry.storage.statistics().bytes
		await docker('tag', image, other)
		expect(await docker(...config, 'push', other)).toMatch(/Mounted from docker\/app|already exists/)
		expect(registry.storage.statistics().bytes).toBe(bytes)
		await docker('image', 'rm', image, other)
	})
})
