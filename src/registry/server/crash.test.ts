import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'tsdown'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { digestOf, emptyDescriptor, MediaType } from '../../oci/index.ts'

let root: string
let program: string
beforeAll(async () => {
	root = await mkdtemp(join(tmpdir(), 'lading-'))
	const entry = join(root, 'serve.ts')
	await writeFile(
		entry,
		`import { serveRegistry } from ${JSON.stringify(join(import.meta.dirname, 'index.ts'))}
		const { url } = await serveRegistry({ dataDirectory: process.argv[2], port: 0, plainHttp: true })
		process.stdout.write(url + '\\n')`,
	)
	await build({
		entry,
		outDir: join(root, 'dist'),
		format: 'esm',
		platform: 'node',
		deps: { alwaysBundle: [/.*/], onlyBundle: false },
		config: false,
		dts: false,
		logLevel: 'silent',
	})
	program = join(root, 'dist/serve.mjs')
})
afterAll(() => rm(root, { recursive: true, force: true }))

interface Server {
	readonly child: ChildProcess
	readonly url: string
}

async function start(data: string): Promise<Server> {
	const child = spawn(process.execPath, [program, data], { stdio: ['ignore', 'pipe', 'inherit'] })
	const [line] = (await once(child.stdout, 'data')) as [Buffer]
	return { child, url: line.toString().trim() }
}

async function put(url: string, init: RequestInit): Promise<boolean> {
	const response = await fetch(url, init)
	await response.arrayBuffer()
	return response.status === 201
}

/** Pushes one image; whether all of it was acknowledged. */
async function push(
	url: string,
	{ tag, layer }: { readonly tag: string; readonly layer: Buffer },
): Promise<boolean> {
	const blob = (content: Uint8Array | string): Promise<boolean> =>
		put(`${url}/v2/app/blobs/uploads/?digest=${digestOf(content)}`, { method: 'POST', body: content })
	const manifest = {
		schemaVersion: 2,
		config: emptyDescriptor,
		layers: [{ mediaType: MediaType.layerTar, digest: digestOf(layer), size: layer.byteLength }],
	}
	return (
		(await blob('{}')) &&
		(await blob(layer)) &&
		put(`${url}/v2/app/manifests/${tag}`, {
			method: 'PUT',
			headers: { 'content-type': MediaType.imageManifest },
			body: JSON.stringify(manifest),
		})
	)
}

/** Pushes until the server is gone. Adds what was acknowledged. */
async function pusher(
	{ url }: Server,
	{ name, acknowledged }: { readonly name: string; readonly acknowledged: Map<string, Buffer> },
): Promise<void> {
	try {
		for (let index = 0; ; index++) {
			const tag = `${name}-${index}`
			// Every third goes through a temporary file.
			const layer = Buffer.alloc(index % 3 === 2 ? 1_500_000 : 500, `${tag} `)
			if (await push(url, { tag, layer })) acknowledged.set(tag, layer)
		}
	} catch {
		// The server was killed.
	}
}

async function bytesOf(url: string): Promise<{ readonly status: number; readonly bytes: Buffer }> {
	const response = await fetch(url)
	return { status: response.status, bytes: Buffer.from(await response.arrayBuffer()) }
}

/** Everything acknowledged is there, and no tag points to nothing. */
async function verify({ url }: Server, acknowledged: ReadonlyMap<string, Buffer>): Promise<void> {
	const list = await bytesOf(`${url}/v2/app/tags/list`)
	const tags = list.status === 404 ? [] : (JSON.parse(list.bytes.toString()) as { tags: string[] }).tags
	expect(tags).toEqual(expect.arrayContaining([...acknowledged.keys()]))
	for (const tag of tags) {
		const manifest = await bytesOf(`${url}/v2/app/manifests/${tag}`)
		expect(manifest.status).toBe(200)
		const { layers } = JSON.parse(manifest.bytes.toString()) as { layers: { digest: string }[] }
		const digest = layers[0]?.digest ?? ''
		const blob = await bytesOf(`${url}/v2/app/blobs/${digest}`)
		expect(digestOf(blob.bytes)).toBe(digest)
		expect(digestOf(acknowledged.get(tag) ?? blob.bytes)).toBe(digest)
	}
}

it('what was acknowledged is there after kill -9, at any moment', async () => {
	const data = join(root, 'data')
	const acknowledged = new Map<string, Buffer>()
	for (let round = 0; round < 5; round++) {
		const server = await start(data)
		await verify(server, acknowledged)
		const exited = once(server.child, 'exit')
		const pushers = [0, 1, 2].map((id) => pusher(server, { name: `r${round}-${id}`, acknowledged }))
		await new Promise((resolve) => setTimeout(resolve, 60 + Math.random() * 200))
		server.child.kill('SIGKILL')
		await exited
		await Promise.all(pushers)
	}
	expect(acknowledged.size).toBeGreaterThan(0)
	const server = await start(data)
	try {
		await verify(server, acknowledged)
	} finally {
		server.child.kill('SIGKILL')
	}
}, 60_000)
