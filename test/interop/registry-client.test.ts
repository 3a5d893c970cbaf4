import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hashSync } from 'bcryptjs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
	bytesSource,
	type ContentSource,
	copy,
	createLayoutStore,
	createMemoryStore,
	createSourceStore,
	readVerified,
	verified,
} from '../../src/content/index.ts'
import { createHttpClient } from '../../src/http/client/index.ts'
import { MediaType } from '../../src/oci/index.ts'
import { createKeychain, createRegistryClient, type RegistryClient } from '../../src/registry/client/index.ts'

const http = createHttpClient()
let directory: string
let server: ChildProcess
let registry: string

async function freePort(): Promise<number> {
	const probe = createServer()
	await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve))
	const address = probe.address()
	await new Promise((resolve) => probe.close(resolve))
	if (address === null || typeof address === 'string') throw new Error('no port')
	return address.port
}

function client(password: string | undefined): RegistryClient {
	const overrides = password === undefined ? [] : [{ registry, username: 'ann', password }]
	return createRegistryClient({
		http,
		keychain: createKeychain({ env: { HOME: directory }, overrides }),
		plainHttp: true,
	})
}

/** An artifact with one layer. */
function artifact(
	layer: Uint8Array,
	extra: object = {},
): { sources: ContentSource[]; manifest: ContentSource } {
	const config = bytesSource(MediaType.empty, Buffer.from('{}'))
	const content = bytesSource(MediaType.layerTar, layer)
	const manifest = bytesSource(
		MediaType.imageManifest,
		Buffer.from(
			JSON.stringify({
				schemaVersion: 2,
				mediaType: MediaType.imageManifest,
				artifactType: MediaType.ladingManifests,
				config: config.descriptor,
				layers: [content.descriptor],
				...extra,
			}),
		),
	)
	return { sources: [config, content, manifest], manifest }
}

beforeAll(async () => {
	directory = await mkdtemp(join(tmpdir(), 'lading-'))
	const port = await freePort()
	registry = `127.0.0.1:${port}`
	await writeFile(join(directory, 'htpasswd'), `ann:${hashSync('secret', 4).replace('$2b$', '$2y$')}\n`)
	const config = {
		version: 0.1,
		storage: { filesystem: { rootdirectory: join(directory, 'data') }, delete: { enabled: true } },
		http: { addr: registry },
		log: { level: 'error' },
		auth: { htpasswd: { realm: 'test', path: join(directory, 'htpasswd') } },
	}
	await writeFile(join(directory, 'config.yml'), JSON.stringify(config))
	server = spawn('docker-registry', ['serve', join(directory, 'config.yml')], { stdio: 'ignore' })
	const failed = new Promise<never>((_, reject) => server.once('error', reject))
	const ready = async (): Promise<void> => {
		for (;;) {
			const up = await fetch(`http://${registry}/v2/`).catch(() => undefined)
			await up?.body?.cancel()
			if (up) return
			await new Promise((resolve) => setTimeout(resolve, 50))
		}
	}
	await Promise.race([failed, ready()])
})

afterAll(async () => {
	server.kill()
	http.close()
	await rm(directory, { recursive: true, force: true })
})

describe('against docker-registry', () => {
	it('pings with the right password, and says what is wrong with another', async () => {
		await client('secret').ping(registry)
		await expect(client('wrong').ping(registry)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
		await expect(client(undefined).ping(registry)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
	})

	it('pushes, moves nothing the second time, and pulls what was pushed', async () => {
		const { sources, manifest } = artifact(randomBytes(300_000))
		const destination = client('secret').repository(registry, 'team/app')
		const options = { source: createSourceStore(sources), destination, root: manifest.descriptor }
		const first = await copy({ ...options, tags: ['v1', 'latest'] })
		expect(first).toMatchObject({ changed: true, copied: { count: 3 }, tagged: ['v1', 'latest'] })
		expect(await copy({ ...options, tags: ['v1'] })).toMatchObject({ changed: false, copied: { count: 0 } })
		expect(await destination.tags()).toEqual(['latest', 'v1'])
		expect(await destination.resolve('v1')).toEqual(manifest.descriptor)
		expect(await destination.resolve('v2')).toBeUndefined()

		const pulled = createMemoryStore()
		await copy({ source: destination, destination: pulled, root: manifest.descriptor, tags: ['v1'] })
		for (const source of sources) {
			expect(await readVerified(pulled, source.descriptor)).toEqual(Buffer.from(source.bytes ?? []))
		}
	})

	it('uploads in chunks', async () => {
		const layer = bytesSource(MediaType.layerTar, randomBytes(1_000_001))
		const { bytes: _, ...streamed } = layer
		const destination = client('secret').repository(registry, 'team/chunks', { chunkSize: 250_000 })
		await destination.push(streamed)
		expect(await destination.exists(layer.descriptor)).toBe(true)
		const stream = await destination.fetch(layer.descriptor)
		let size = 0
		for await (const chunk of verified(layer.descriptor, stream ?? noBytes())) size += chunk.length
		expect(size).toBe(1_000_001)
	})

	it('mounts between repositories, and copies to a layout on disk and back', async () => {
		const { sources, manifest } = artifact(randomBytes(5_000))
		const connected = client('secret')
		const from = connected.repository(registry, 'team/from')
		const root = manifest.descriptor
		await copy({ source: createSourceStore(sources), destination: from, root, tags: ['v1'] })
		const to = connected.repository(registry, 'team/to')
		const mounted = await copy({ source: from, destination: to, root, tags: ['v1'] })
		expect(mounted).toMatchObject({ mounted: { count: 2 }, copied: { count: 1 } })

		const layout = createLayoutStore(join(directory, 'layout'))
		await copy({ source: to, destination: layout, root, tags: ['v1'] })
		expect(await layout.resolve('v1')).toEqual(root)
		const back = connected.repository(registry, 'other/place')
		expect(await copy({ source: layout, destination: back, root, tags: ['v9'] })).toMatchObject({
			changed: true,
		})
		expect(await back.resolve('v9')).toEqual(root)
	})

	it('loses no referrer of those that are pushed at once', async () => {
		const { sources, manifest } = artifact(randomBytes(10))
		const destination = client('secret').repository(registry, 'team/at-once')
		const subject = manifest.descriptor
		await copy({ source: createSourceStore(sources), destination, root: subject })
		const pointing = Array.from({ length: 5 }, () => artifact(randomBytes(10), { subject }))
		await Promise.all(
			pointing.map((each) =>
				copy({
					source: createSourceStore(each.sources),
					destination,
					root: each.manifest.descriptor,
				}),
			),
		)
		expect(await destination.referrers(subject)).toHaveLength(5)
	})

	it('keeps referrers under the tag that stands in for the API, and copies them', async () => {
		const { sources, manifest } = artifact(randomBytes(100))
		const subject = { ...manifest.descriptor }
		const signature = artifact(randomBytes(10), {
			subject,
			artifactType: 'application/vnd.example.signature',
		})
		const other = artifact(randomBytes(10), { subject, artifactType: 'application/vnd.example.sbom' })
		const destination = client('secret').repository(registry, 'team/signed')
		await copy({ source: createSourceStore(sources), destination, root: subject, tags: ['v1'] })
		for (const { sources, manifest } of [signature, other]) {
			await copy({ source: createSourceStore(sources), destination, root: manifest.descriptor })
		}
		expect(await destination.referrers(subject)).toHaveLength(2)
		const signatures = await destination.referrers(subject, {
			artifactType: 'application/vnd.example.signature',
		})
		expect(signatures.map(({ digest }) => digest)).toEqual([signature.manifest.descriptor.digest])

		const memory = createMemoryStore()
		await copy({ source: destination, destination: memory, root: subject, referrers: true })
		expect(await memory.referrers(subject)).toHaveLength(2)
	})

	it('deletes by digest', async () => {
		const { sources, manifest } = artifact(randomBytes(50))
		const destination = client('secret').repository(registry, 'team/gone')
		await copy({ source: createSourceStore(sources), destination, root: manifest.descriptor, tags: ['v1'] })
		expect(await destination.delete(manifest.descriptor.digest)).toBe(true)
		expect(await destination.delete(manifest.descriptor.digest)).toBe(false)
		expect(await destination.resolve('v1')).toBeUndefined()
	})

	it('says that a repository does not exist', async () => {
		const missing = client('secret').repository(registry, 'no/such')
		expect(await missing.tags()).toBeUndefined()
		expect(await missing.resolve('v1')).toBeUndefined()
	})
})

async function* noBytes(): AsyncGenerator<Uint8Array, void, undefined> {
	// Stands for content that is not there.
}
