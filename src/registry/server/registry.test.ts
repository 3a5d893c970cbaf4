import { appendFile, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Handler, ServerRequest } from '../../http/server/index.ts'
import { type Descriptor, type Digest, digestOf, emptyDescriptor, MediaType } from '../../oci/index.ts'
import { createRegistry, createStorage, type PushEvent, type RegistryStorage } from './index.ts'
import { formatRecord } from './record.ts'
import { rot } from './stored-content.fixture.ts'

let directory: string
let storage: RegistryStorage
let registry: Handler
beforeEach(async () => {
	directory = await mkdtemp(join(tmpdir(), 'lading-'))
	storage = createStorage(directory)
	registry = createRegistry({ storage })
})
afterEach(async () => {
	await storage.close()
	await rm(directory, { recursive: true, force: true })
})

interface Ask {
	readonly headers?: Record<string, string>
	readonly body?: Uint8Array | string | AsyncIterable<Uint8Array>
	readonly via?: Handler
}

interface Answered {
	readonly status: number
	readonly headers: Readonly<Record<string, string>>
	readonly bytes: Buffer
	/** Of the first error of the body. */
	readonly code: string | undefined
}

async function ask(line: string, { headers = {}, body = '', via = registry }: Ask = {}): Promise<Answered> {
	const [method = '', target = ''] = line.split(' ')
	const [path = '', search = ''] = target.split('?')
	const stream = typeof body === 'string' || body instanceof Uint8Array ? pieces(Buffer.from(body)) : body
	const request: ServerRequest = {
		method,
		path,
		query: new URLSearchParams(search),
		headers,
		body: stream,
		signal: new AbortController().signal,
		remoteAddress: '127.0.0.1',
		scheme: 'https',
	}
	const answer = await via(request)
	const chunks: Buffer[] = []
	if (typeof answer.body === 'string' || answer.body instanceof Uint8Array)
		chunks.push(Buffer.from(answer.body))
	else if (answer.body) for await (const chunk of answer.body) chunks.push(Buffer.from(chunk))
	const bytes = Buffer.concat(chunks)
	const isJson = answer.status >= 400 && bytes.byteLength > 0
	const errors = isJson ? (JSON.parse(bytes.toString()) as { errors: { code: string }[] }).errors : []
	return {
		status: answer.status,
		headers: Object.fromEntries(
			Object.entries(answer.headers ?? {}).map(([name, value]) => [name, String(value)]),
		),
		bytes,
		code: errors[0]?.code,
	}
}

async function* pieces(...all: readonly Uint8Array[]): AsyncGenerator<Uint8Array, void, undefined> {
	yield* all
}

async function pushBlob(repository: string, content: Uint8Array | string): Promise<Digest> {
	const digest = digestOf(content)
	const answer = await ask(`POST /v2/${repository}/blobs/uploads/?digest=${digest}`, { body: content })
	expect(answer.status).toBe(201)
	return digest
}

interface Image {
	readonly layer?: string
	readonly subject?: Descriptor
	readonly artifactType?: string
	readonly annotations?: Record<string, string>
}

async function pushImage(
	repository: string,
	reference: string | undefined,
	{ layer = 'layer', ...rest }: Image = {},
): Promise<{ readonly digest: Digest; readonly bytes: Buffer; readonly answer: Answered }> {
	await pushBlob(repository, '{}')
	const digest = await pushBlob(repository, layer)
	const manifest = {
		schemaVersion: 2,
		mediaType: MediaType.imageManifest,
		config: emptyDescriptor,
		layers: [{ mediaType: MediaType.layerTar, digest, size: Buffer.byteLength(layer) }],
		...rest,
	}
	const bytes = Buffer.from(JSON.stringify(manifest))
	const own = digestOf(bytes)
	const answer = await ask(`PUT /v2/${repository}/manifests/${reference ?? own}`, {
		headers: { 'content-type': MediaType.imageManifest },
		body: bytes,
	})
	return { digest: own, bytes, answer }
}

describe('blobs', () => {
	it('are pushed by POST and PUT', async () => {
		const started = await ask('POST /v2/app/blobs/uploads/')
		expect(started).toMatchObject({ status: 202, headers: { range: '0-0' } })
		const { location = '' } = started.headers
		expect(location).toMatch(/^\/v2\/app\/blobs\/uploads\/[0-9a-f-]{36}$/)
		const digest = digestOf('content')
		const done = await ask(`PUT ${location}?digest=${digest}`, { body: 'content' })
		expect(done).toMatchObject({
			status: 201,
			headers: { location: `/v2/app/blobs/${digest}`, 'docker-content-digest': digest },
		})
		expect(await ask(`HEAD /v2/app/blobs/${digest}`)).toMatchObject({
			status: 200,
			headers: { 'content-length': '7', 'docker-content-digest': digest },
		})
		expect((await ask(`GET /v2/app/blobs/${digest}`)).bytes.toString()).toBe('content')
		expect(await ask(`GET ${location}`)).toMatchObject({ status: 404, code: 'BLOB_UPLOAD_UNKNOWN' })
	})

	it('are pushed in chunks, in order only', async () => {
		const { location = '' } = (await ask('POST /v2/app/blobs/uploads/')).headers
		const first = await ask(`PATCH ${location}`, { headers: { 'content-range': '0-2' }, body: 'abc' })
		expect(first).toMatchObject({ status: 202, headers: { range: '0-2' } })
		const wrong = await ask(`PATCH ${location}`, { headers: { 'content-range': '5-6' }, body: 'fg' })
		expect(wrong).toMatchObject({ status: 416, code: 'BLOB_UPLOAD_INVALID', headers: { range: '0-2' } })
		expect(await ask(`GET ${location}`)).toMatchObject({ status: 204, headers: { range: '0-2' } })
		const length = { 'content-range': '3-4', 'content-length': '5' }
		expect(await ask(`PATCH ${location}`, { headers: length, body: 'fghij' })).toMatchObject({ status: 416 })
		const digest = digestOf('abcde')
		const done = await ask(`PUT ${location}?digest=${digest}`, {
			headers: { 'content-range': '3-4' },
			body: 'de',
		})
		expect(done.status).toBe(201)
		expect((await ask(`GET /v2/app/blobs/${digest}`)).bytes.toString()).toBe('abcde')
	})

	it('of several megabytes go through a file, with sha512 too, and come back in ranges', async () => {
		const chunk = Buffer.alloc(700_000, 'x')
		const content = Buffer.concat([chunk, chunk, chunk, Buffer.from('end')])
		const digest = digestOf(content, 'sha512')
		const body = pieces(chunk, chunk, chunk, Buffer.from('end'))
		expect(await ask(`POST /v2/app/blobs/uploads/?digest=${digest}`, { body })).toMatchObject({ status: 201 })
		const range = async (value: string): Promise<Answered> =>
			ask(`GET /v2/app/blobs/${digest}`, { headers: { range: value } })
		expect(await range('bytes=2099999-')).toMatchObject({
			status: 206,
			headers: { 'content-range': `bytes 2099999-2100002/2100003`, 'content-length': '4' },
		})
		expect((await range('bytes=-3')).bytes.toString()).toBe('end')
		expect((await range('bytes=2099999-2100000')).bytes.toString()).toBe('xe')
		expect(await range('bytes=2100003-')).toMatchObject({
			status: 416,
			headers: { 'content-range': 'bytes */2100003' },
		})
		expect(await range('bytes=9-1')).toMatchObject({ status: 416 })
		expect((await range('apples=1-2')).status).toBe(200)
		expect((await range('bytes=0-1,3-4')).bytes.equals(content)).toBe(true)
		expect(await readdir(join(directory, 'uploads'))).toEqual([])
	})

	it('with another digest are refused and leave nothing', async () => {
		const digest = digestOf('other')
		const answer = await ask(`POST /v2/app/blobs/uploads/?digest=${digest}`, { body: 'content' })
		expect(answer).toMatchObject({ status: 400, code: 'DIGEST_INVALID' })
		const big = await ask(`POST /v2/app/blobs/uploads/?digest=${digest}`, { body: Buffer.alloc(2_000_000) })
		expect(big).toMatchObject({ status: 400, code: 'DIGEST_INVALID' })
		expect(await ask(`HEAD /v2/app/blobs/${digest}`)).toMatchObject({ status: 404 })
		expect(await readdir(join(directory, 'uploads'))).toEqual([])
		expect(await readdir(join(directory, 'blobs/sha256'))).toEqual([])
	})

	it('are cancelled with their upload', async () => {
		const { location = '' } = (await ask('POST /v2/app/blobs/uploads/')).headers
		await ask(`PATCH ${location}`, { body: 'abc' })
		expect(await ask(`DELETE ${location.replace('/app/', '/other/')}`)).toMatchObject({ status: 404 })
		expect((await ask(`DELETE ${location}`)).status).toBe(204)
		expect(await ask(`PATCH ${location}`, { body: 'd' })).toMatchObject({
			status: 404,
			code: 'BLOB_UPLOAD_UNKNOWN',
		})
		expect(await readdir(join(directory, 'uploads'))).toEqual([])
	})

	it('are mounted from another repository, or from any', async () => {
		const digest = await pushBlob('one', 'content')
		expect(await ask(`HEAD /v2/two/blobs/${digest}`)).toMatchObject({ status: 404, code: 'BLOB_UNKNOWN' })
		expect(await ask(`POST /v2/two/blobs/uploads/?mount=${digest}&from=one`)).toMatchObject({ status: 201 })
		expect(await ask(`POST /v2/three/blobs/uploads/?mount=${digest}`)).toMatchObject({ status: 201 })
		expect(await ask(`POST /v2/four/blobs/uploads/?mount=${digestOf('none')}&from=one`)).toMatchObject({
			status: 202,
		})
		await ask(`DELETE /v2/one/blobs/${digest}`)
		expect((await ask(`GET /v2/two/blobs/${digest}`)).bytes.toString()).toBe('content')
		expect(storage.statistics().bytes).toBe(7)
	})

	it('are gone after a delete, with their bytes', async () => {
		const digest = await pushBlob('app', 'content')
		expect((await ask(`DELETE /v2/app/blobs/${digest}`)).status).toBe(202)
		expect(await ask(`DELETE /v2/app/blobs/${digest}`)).toMatchObject({ status: 404, code: 'BLOB_UNKNOWN' })
		expect(await readdir(join(directory, 'blobs/sha256'))).toEqual([])
	})

	it('keep what arrived when the client goes away', async () => {
		const { location = '' } = (await ask('POST /v2/app/blobs/uploads/')).headers
		const breaks = (async function* () {
			yield Buffer.from('abc')
			throw new Error('gone')
		})()
		await expect(ask(`PATCH ${location}`, { body: breaks })).rejects.toThrow('gone')
		expect(await ask(`GET ${location}`)).toMatchObject({ status: 204, headers: { range: '0-2' } })
	})

	it('over the limit are refused', async () => {
		await storage.close()
		storage = createStorage(directory, { maxBlobBytes: 2_000_000 })
		const via = createRegistry({ storage })
		const body = Buffer.alloc(2_000_001)
		const answer = await ask(`POST /v2/app/blobs/uploads/?digest=${digestOf(body)}`, { body, via })
		expect(answer).toMatchObject({ status: 413, code: 'SIZE_INVALID' })
	})
})

describe('manifests', () => {
	it('are pushed by tag, and served by tag and digest', async () => {
		const { digest, bytes, answer } = await pushImage('team/app', 'v1')
		expect(answer).toMatchObject({
			status: 201,
			headers: { location: `/v2/team/app/manifests/${digest}`, 'docker-content-digest': digest },
		})
		for (const reference of ['v1', digest]) {
			const got = await ask(`GET /v2/team/app/manifests/${reference}`)
			expect(got).toMatchObject({
				status: 200,
				headers: { 'content-type': MediaType.imageManifest, etag: `"${digest}"` },
			})
			expect(got.bytes.equals(bytes)).toBe(true)
		}
		const head = await ask('HEAD /v2/team/app/manifests/v1')
		expect(head).toMatchObject({ status: 200, headers: { 'content-length': String(bytes.byteLength) } })
		const fresh = { 'if-none-match': `"${digest}"` }
		expect(await ask('GET /v2/team/app/manifests/v1', { headers: fresh })).toMatchObject({ status: 304 })
	})

	it('stay pullable by digest when their tag moves', async () => {
		const first = await pushImage('app', 'latest', { layer: 'one' })
		const second = await pushImage('app', 'latest', { layer: 'two' })
		expect((await ask('GET /v2/app/manifests/latest')).headers['docker-content-digest']).toBe(second.digest)
		expect((await ask(`GET /v2/app/manifests/${first.digest}`)).bytes.equals(first.bytes)).toBe(true)
	})

	it('set several tags at once', async () => {
		const { digest, bytes } = await pushImage('app', undefined)
		const answer = await ask(`PUT /v2/app/manifests/${digest}?tag=a&tag=b`, {
			headers: { 'content-type': MediaType.imageManifest },
			body: bytes,
		})
		expect(answer).toMatchObject({ status: 201, headers: { 'oci-tag': 'a, b' } })
		expect((await ask('HEAD /v2/app/manifests/b')).status).toBe(200)
	})

	it.each<readonly [string, string | undefined, string, string]>([
		['what is no JSON', MediaType.imageManifest, 'x', 'MANIFEST_INVALID'],
		['JSON that is no object', 'application/vnd.example+json', '[]', 'MANIFEST_INVALID'],
		['no type at all', undefined, '{}', 'MANIFEST_INVALID'],
		['a type for browsers', 'text/html', '{}', 'MANIFEST_INVALID'],
		[
			'two types',
			MediaType.imageManifest,
			JSON.stringify({ mediaType: MediaType.imageIndex }),
			'MANIFEST_INVALID',
		],
		['no config', MediaType.imageManifest, '{"schemaVersion":2,"layers":[]}', 'MANIFEST_INVALID'],
		[
			'a blob that is not there',
			MediaType.imageManifest,
			JSON.stringify({ schemaVersion: 2, config: emptyDescriptor, layers: [] }),
			'MANIFEST_BLOB_UNKNOWN',
		],
		[
			'an index of what is not there',
			MediaType.imageIndex,
			JSON.stringify({ schemaVersion: 2, manifests: [emptyDescriptor] }),
			'MANIFEST_BLOB_UNKNOWN',
		],
	])('are refused: %s', async (_, type, body, code) => {
		const headers = type === undefined ? {} : { 'content-type': type }
		expect(await ask('PUT /v2/app/manifests/v1', { headers, body })).toMatchObject({ status: 400, code })
		expect(storage.statistics().artifacts).toBe(0)
	})

	it('with a wrong size of a layer, another digest, or over 4 MiB are refused', async () => {
		await pushBlob('app', '{}')
		const put = async (path: string, body: string): Promise<Answered> =>
			ask(`PUT /v2/app/manifests/${path}`, { headers: { 'content-type': MediaType.imageManifest }, body })
		const wrong = JSON.stringify({ schemaVersion: 2, config: { ...emptyDescriptor, size: 3 }, layers: [] })
		expect(await put('v1', wrong)).toMatchObject({ status: 400, code: 'SIZE_INVALID' })
		expect(await put(digestOf('x'), wrong)).toMatchObject({ status: 400, code: 'DIGEST_INVALID' })
		expect(await put('v1', ' '.repeat(4 * 1024 * 1024 + 1))).toMatchObject({
			status: 413,
			code: 'SIZE_INVALID',
		})
	})

	it('are deleted by tag or by digest', async () => {
		const { digest } = await pushImage('app', 'v1')
		expect((await ask('DELETE /v2/app/manifests/v1')).status).toBe(202)
		expect(await ask('HEAD /v2/app/manifests/v1')).toMatchObject({ status: 404 })
		expect((await ask(`HEAD /v2/app/manifests/${digest}`)).status).toBe(200)
		expect((await ask(`DELETE /v2/app/manifests/${digest}`)).status).toBe(202)
		expect(await ask(`GET /v2/app/manifests/${digest}`)).toMatchObject({
			status: 404,
			code: 'MANIFEST_UNKNOWN',
		})
	})

	it('that an immutable tag names keep it, and the same content is fine', async () => {
		registry = createRegistry({
			storage,
			immutable: (repository, tag) => repository === 'app' && tag !== 'latest',
		})
		const first = await pushImage('app', 'v1')
		expect((await pushImage('app', 'v1')).answer.status).toBe(201)
		const { answer } = await pushImage('app', 'v1', { layer: 'other' })
		expect(answer).toMatchObject({ status: 409, code: 'DENIED' })
		expect(answer.bytes.toString()).toContain(first.digest)
		expect(storage.resolveTag('app', 'v1')).toBe(first.digest)
		expect((await pushImage('app', 'latest', { layer: 'other' })).answer.status).toBe(201)
		expect((await pushImage('app', 'latest')).answer.status).toBe(201)
		expect((await pushImage('other', 'v1')).answer.status).toBe(201)
		expect((await pushImage('other', 'v1', { layer: 'other' })).answer.status).toBe(201)
		for (const what of ['v1', first.digest])
			expect(await ask(`DELETE /v2/app/manifests/${what}`)).toMatchObject({ status: 409, code: 'DENIED' })
		expect((await ask('DELETE /v2/app/manifests/latest')).status).toBe(202)
		expect((await ask('DELETE /v2/app/manifests/v2')).status).toBe(404)
	})

	it('of several pushes of one immutable tag at a time, one wins', async () => {
		registry = createRegistry({ storage, immutable: () => true })
		const pushes = await Promise.all(
			Array.from(
				{ length: 8 },
				async (_, index) => await pushImage('app', 'v1', { layer: `layer ${index % 4}` }),
			),
		)
		const won = pushes.filter(({ answer }) => answer.status === 201)
		expect(new Set(won.map(({ digest }) => digest))).toEqual(new Set([storage.resolveTag('app', 'v1')]))
		expect(pushes.filter(({ answer }) => answer.status === 409)).toHaveLength(8 - won.length)
		expect(won.length).toBeLessThan(8)
		const [tags] = [storage.resolveTag('app', 'v1')]
		const many = await ask(`PUT /v2/app/manifests/${won[0]?.digest}?tag=v1&tag=v2`, {
			headers: { 'content-type': MediaType.imageManifest },
			body: won[0]?.bytes ?? '',
		})
		expect([many.status, storage.resolveTag('app', 'v2')]).toEqual([201, tags])
	})

	it('that an Application needs are not deleted', async () => {
		const { digest } = await pushImage('app', 'v1')
		const via = createRegistry({
			storage,
			digestsInUse: async () => [{ names: { digest }, by: 'Application argocd/shop' }],
		})
		expect(await ask(`DELETE /v2/app/manifests/${digest}`, { via })).toMatchObject({
			status: 409,
			code: 'DENIED',
		})
	})

	it('that get an immutable tag while it is asked who needs them are not deleted', async () => {
		const { digest } = await pushImage('app', 'latest')
		const bytes = storage.readManifest('app', digest)
		const manifest = storage.manifest('app', digest)
		const via = createRegistry({
			storage,
			immutable: (_, tag) => tag === 'v1',
			digestsInUse: async () => {
				if (manifest && bytes) await storage.putManifest('app', { manifest, bytes, tags: ['v1'] })
				return []
			},
		})
		expect(await ask(`DELETE /v2/app/manifests/${digest}`, { via })).toMatchObject({
			status: 409,
			code: 'DENIED',
		})
		expect(storage.resolveTag('app', 'v1')).toBe(digest)
	})

	it('keep what they need: no layer, config or part of an index is deleted before them', async () => {
		const child = await pushImage('app', undefined)
		const index = JSON.stringify({
			schemaVersion: 2,
			mediaType: MediaType.imageIndex,
			manifests: [{ mediaType: MediaType.imageManifest, digest: child.digest, size: child.bytes.byteLength }],
		})
		const headers = { 'content-type': MediaType.imageIndex }
		expect((await ask('PUT /v2/app/manifests/v1', { headers, body: index })).status).toBe(201)
		const layer = digestOf('layer')
		for (const [path, by] of [
			[`blobs/${layer}`, child.digest],
			[`blobs/${digestOf('{}')}`, child.digest],
			[`manifests/${child.digest}`, digestOf(index)],
		]) {
			const answer = await ask(`DELETE /v2/app/${path}`)
			expect(answer).toMatchObject({ status: 409, code: 'DENIED' })
			expect(answer.bytes.toString()).toContain(`is part of the manifest ${by}, which the tag v1 needs`)
			expect((await ask(`GET /v2/app/${path}`)).status).toBe(200)
		}
		// Another repository needs nothing of it.
		await ask(`POST /v2/other/blobs/uploads/?mount=${layer}&from=app`)
		expect((await ask(`DELETE /v2/other/blobs/${layer}`)).status).toBe(202)
		for (const path of [`manifests/${digestOf(index)}`, `manifests/${child.digest}`, `blobs/${layer}`])
			expect((await ask(`DELETE /v2/app/${path}`)).status).toBe(202)
	})

	it('keep what they need where they name so much that only their bytes say it', async () => {
		await pushBlob('app', '{}')
		const layers = await Promise.all(
			Array.from({ length: 1001 }, async (_, index) => ({
				mediaType: MediaType.layerTar,
				digest: await pushBlob('app', `${index}`),
				size: `${index}`.length,
			})),
		)
		const body = JSON.stringify({
			schemaVersion: 2,
			mediaType: MediaType.imageManifest,
			config: emptyDescriptor,
			layers,
		})
		const headers = { 'content-type': MediaType.imageManifest }
		expect((await ask('PUT /v2/app/manifests/v1', { headers, body })).status).toBe(201)
		expect(storage.manifest('app', digestOf(body))?.references).toBeUndefined()
		expect((await ask(`DELETE /v2/app/blobs/${digestOf('1000')}`)).status).toBe(409)
		expect((await ask('HEAD /v2/app/manifests/v1')).status).toBe(200)
	})

	it('on their way keep what they need too', async () => {
		const layer = await pushBlob('app', 'layer')
		const bytes = Buffer.from('{}')
		const manifest = { digest: digestOf(bytes), mediaType: MediaType.imageManifest, size: 2 }
		const content = { manifest: { ...manifest, references: [layer] }, bytes, tags: ['v1'] }
		const pushing = storage.putManifest('app', content)
		expect(await ask(`DELETE /v2/app/blobs/${layer}`)).toMatchObject({ status: 409, code: 'DENIED' })
		expect(await pushing).toEqual({ kind: 'stored' })
		expect(storage.blobSize('app', layer)).toBe(5)
	})

	it('of which something is gone are not there for HEAD, so that a push heals them', async () => {
		const { digest } = await pushImage('app', 'v1')
		const heads = async (): Promise<number[]> =>
			Promise.all(['v1', digest].map(async (name) => (await ask(`HEAD /v2/app/manifests/${name}`)).status))
		expect(await heads()).toEqual([200, 200])
		await storage.close()
		// As registries left it that took a layer away from under its manifest.
		await appendFile(
			join(directory, 'journal'),
			formatRecord({ type: 'blob-deleted', repository: 'app', digest: digestOf('layer') }),
		)
		storage = createStorage(directory)
		registry = createRegistry({ storage, immutable: () => true })
		expect(await heads()).toEqual([404, 404])
		expect((await pushImage('app', 'v1')).answer.status).toBe(201)
		expect(await heads()).toEqual([200, 200])
	})

	it('are there for HEAD without what need not be: layers of elsewhere, what an unknown type names', async () => {
		await pushBlob('app', '{}')
		const elsewhere = {
			mediaType: 'application/vnd.oci.image.layer.nondistributable.v1.tar',
			digest: digestOf('elsewhere'),
			size: 9,
		}
		for (const [mediaType, rest] of [
			[MediaType.imageManifest, { config: emptyDescriptor, layers: [elsewhere] }],
			['application/vnd.example.other+json', { parts: [elsewhere] }],
		] as const) {
			const body = JSON.stringify({ schemaVersion: 2, mediaType, ...rest })
			const put = await ask('PUT /v2/app/manifests/v1', { headers: { 'content-type': mediaType }, body })
			expect(put.status).toBe(201)
			expect((await ask('HEAD /v2/app/manifests/v1')).status).toBe(200)
		}
	})

	it('tell the port of a push, and a port that throws changes nothing', async () => {
		const events: PushEvent[] = []
		registry = createRegistry({
			storage,
			onPush: (event) => {
				events.push(event)
				throw new Error('port')
			},
		})
		const { digest, answer } = await pushImage('app', 'v1')
		expect(answer.status).toBe(201)
		expect(events).toMatchObject([
			{ repository: 'app', tag: 'v1', digest, mediaType: MediaType.imageManifest, client: '127.0.0.1' },
		])
	})
})

describe('referrers', () => {
	it('are listed, filtered, with what they say of themselves; the subject need not exist', async () => {
		const subject: Descriptor = { mediaType: MediaType.imageManifest, digest: digestOf('missing'), size: 7 }
		const sbom = await pushImage('app', undefined, {
			subject,
			artifactType: 'a/sbom',
			annotations: { k: 'v' },
		})
		const plain = await pushImage('app', undefined, { subject })
		expect(sbom.answer).toMatchObject({ status: 201, headers: { 'oci-subject': subject.digest } })
		const list = async (
			query: string,
		): Promise<{ headers: Answered['headers']; manifests: Descriptor[] }> => {
			const answer = await ask(`GET /v2/app/referrers/${subject.digest}${query}`)
			expect(answer.headers['content-type']).toBe(MediaType.imageIndex)
			return {
				headers: answer.headers,
				...(JSON.parse(answer.bytes.toString()) as { manifests: Descriptor[] }),
			}
		}
		const all = await list('')
		expect(all.manifests).toEqual([
			{
				mediaType: MediaType.imageManifest,
				digest: sbom.digest,
				size: sbom.bytes.byteLength,
				artifactType: 'a/sbom',
				annotations: { k: 'v' },
			},
			{
				mediaType: MediaType.imageManifest,
				digest: plain.digest,
				size: plain.bytes.byteLength,
				artifactType: MediaType.empty,
			},
		])
		const filtered = await list('?artifactType=a/sbom')
		expect(filtered.headers['oci-filters-applied']).toBe('artifactType')
		expect(filtered.manifests.map(({ digest }) => digest)).toEqual([sbom.digest])
		await ask(`DELETE /v2/app/manifests/${sbom.digest}`)
		expect((await list('')).manifests).toHaveLength(1)
	})

	it('are listed without one that is damaged, which comes back when it is pushed again', async () => {
		const subject: Descriptor = { mediaType: MediaType.imageManifest, digest: digestOf('missing'), size: 7 }
		const good = await pushImage('app', undefined, { subject, artifactType: 'a/sbom' })
		const bad = await pushImage('app', undefined, { subject, artifactType: 'a/signature' })
		await storage.close()
		rot(directory, bad.digest)
		storage = createStorage(directory)
		const messages: string[] = []
		const via = createRegistry({ storage, log: ({ message }) => messages.push(message) })
		const list = async (query: string): Promise<Digest[]> => {
			const answer = await ask(`GET /v2/app/referrers/${subject.digest}${query}`, { via })
			expect(answer.status).toBe(200)
			return (JSON.parse(answer.bytes.toString()) as { manifests: Descriptor[] }).manifests.map(
				({ digest }) => digest,
			)
		}
		expect(await list('')).toEqual([good.digest])
		expect(await list('?artifactType=a/signature')).toEqual([])
		expect(messages[0]).toContain(`app: a referrer is not listed: ${bad.digest} is damaged`)
		registry = via
		await pushImage('app', undefined, { subject, artifactType: 'a/signature' })
		expect(await list('')).toEqual([good.digest, bad.digest])
	})

	it('of one type are found without reading the others, also after a start', async () => {
		const subject: Descriptor = { mediaType: MediaType.imageManifest, digest: digestOf('missing'), size: 7 }
		const long = `a/${'x'.repeat(300)}`
		for (let index = 0; index < 20; index++)
			await pushImage('app', undefined, { subject, layer: `${index}`, artifactType: 'a/sbom' })
		const { digest } = await pushImage('app', undefined, { subject, artifactType: 'a/signature' })
		const unknown = await pushImage('app', undefined, { subject, artifactType: long })
		await storage.close()
		// Written anew at the first push.
		storage = createStorage(directory, { compactLines: 1 })
		registry = createRegistry({ storage })
		await pushImage('app', 'v1')
		await storage.close()
		storage = createStorage(directory)
		const read: Digest[] = []
		const readManifest: RegistryStorage['readManifest'] = (repository, each) => {
			read.push(each)
			return storage.readManifest(repository, each)
		}
		const via = createRegistry({ storage: { ...storage, readManifest } })
		const answer = await ask(`GET /v2/app/referrers/${subject.digest}?artifactType=a/signature`, { via })
		const { manifests } = JSON.parse(answer.bytes.toString()) as { manifests: Descriptor[] }
		expect(manifests.map((each) => each.digest)).toEqual([digest])
		expect(read).toEqual([digest, unknown.digest])
		// Who asks once more has nothing read again, unless it is damaged since.
		const again = await ask(`GET /v2/app/referrers/${subject.digest}?artifactType=a/signature`, { via })
		expect(again.bytes.equals(answer.bytes)).toBe(true)
		expect(read).toEqual([digest, unknown.digest])
		const isDamaged: RegistryStorage['isDamaged'] = (each) => each === digest
		const broken = createRegistry({ storage: { ...storage, readManifest, isDamaged } })
		const less = await ask(`GET /v2/app/referrers/${subject.digest}?artifactType=a/signature`, {
			via: broken,
		})
		expect(JSON.parse(less.bytes.toString())).toMatchObject({ manifests: [] })
	})

	it('come in pages that together hold all', async () => {
		const subject: Descriptor = { mediaType: MediaType.imageManifest, digest: digestOf('missing'), size: 7 }
		for (const name of ['a', 'b', 'c']) {
			await pushImage('app', undefined, { subject, annotations: { name: name.repeat(1_500_000) } })
		}
		const found: Digest[] = []
		let path = `/v2/app/referrers/${subject.digest}`
		for (let page = 0; page < 3 && path !== ''; page++) {
			const answer = await ask(`GET ${path}`)
			const { manifests } = JSON.parse(answer.bytes.toString()) as { manifests: Descriptor[] }
			found.push(...manifests.map(({ digest }) => digest))
			path = /^<(.*)>; rel="next"$/.exec(answer.headers.link ?? '')?.[1] ?? ''
		}
		expect(new Set(found).size).toBe(3)
		expect(found).toHaveLength(3)
	})
})

describe('listings', () => {
	it('page through tags in the order of their bytes', async () => {
		for (const tag of ['b', 'a', 'C', 'v10', 'v2']) await pushImage('app', tag)
		const seen: string[] = []
		let path = '/v2/app/tags/list?n=2'
		for (let page = 0; page < 5 && path !== ''; page++) {
			const answer = await ask(`GET ${path}`)
			seen.push(...(JSON.parse(answer.bytes.toString()) as { tags: string[] }).tags)
			path = /^<(.*)>; rel="next"$/.exec(answer.headers.link ?? '')?.[1] ?? ''
		}
		expect(seen).toEqual(['C', 'a', 'b', 'v10', 'v2'])
		const rest = await ask('GET /v2/app/tags/list?last=aa')
		expect(JSON.parse(rest.bytes.toString())).toEqual({ name: 'app', tags: ['b', 'v10', 'v2'] })
		expect(await ask('GET /v2/app/tags/list?n=x')).toMatchObject({ status: 400 })
		expect(await ask('GET /v2/none/tags/list')).toMatchObject({ status: 404, code: 'NAME_UNKNOWN' })
		const catalog = await ask('GET /v2/_catalog')
		expect(JSON.parse(catalog.bytes.toString())).toEqual({ repositories: ['app'] })
	})
})

describe('bodies that are more than may be held', () => {
	/** Holds all but 50,000 bytes of what may be held, until it is let go. */
	async function holdMost(
		via: Handler,
	): Promise<{ readonly letGo: () => void; readonly answer: Promise<Answered> }> {
		let letGo = (): void => undefined
		const isLetGo = new Promise<void>((resolve) => (letGo = resolve))
		let isHeld = (): void => undefined
		const held = new Promise<void>((resolve) => (isHeld = resolve))
		async function* body(): AsyncGenerator<Uint8Array, void, undefined> {
			yield new Uint8Array(450_000 + 64 * 1024)
			isHeld()
			await isLetGo
		}
		const answer = ask('PUT /v2/app/manifests/slow', { via, body: body() })
		await held
		return { letGo, answer }
	}

	it('of manifests are refused for now, and small ones are not', async () => {
		const via = createRegistry({ storage, bodyBytes: 500_000 })
		const { bytes } = await pushImage('app', 'small')
		const { bytes: large } = await pushImage('app', 'large', { annotations: { long: 'x'.repeat(150_000) } })
		const put = (tag: string, body: Uint8Array): Promise<Answered> =>
			ask(`PUT /v2/app/manifests/${tag}`, { via, body, headers: { 'content-type': MediaType.imageManifest } })
		const { letGo, answer } = await holdMost(via)
		for (let count = 0; count < 2; count++) {
			const refused = await put('v1', large)
			expect(refused).toMatchObject({ status: 503, code: 'TOOMANYREQUESTS', headers: { 'retry-after': '1' } })
			expect(await put('v2', bytes)).toMatchObject({ status: 201 })
		}
		letGo()
		expect(await answer).toMatchObject({ status: 400 })
		for (let count = 0; count < 6; count++) expect(await put('v1', large)).toMatchObject({ status: 201 })
	})

	it('of blobs are written into a file as they come', async () => {
		const via = createRegistry({ storage, bodyBytes: 500_000 })
		const content = Buffer.alloc(300_000, 'blob')
		const files: number[] = []
		async function* body(): AsyncGenerator<Uint8Array, void, undefined> {
			for (let start = 0; start < content.byteLength; start += 60_000)
				yield content.subarray(start, start + 60_000)
			files.push((await readdir(join(directory, 'uploads'))).length)
		}
		const push = async (): Promise<void> => {
			const digest = digestOf(content)
			const pushed = await ask(`POST /v2/app/blobs/uploads/?digest=${digest}`, { via, body: body() })
			expect(pushed).toMatchObject({ status: 201 })
			expect((await ask(`GET /v2/app/blobs/${digest}`)).bytes.equals(content)).toBe(true)
		}
		const { letGo, answer } = await holdMost(via)
		await push()
		letGo()
		await answer
		for (let count = 0; count < 3; count++) await push()
		// The bytes, and whose they are.
		expect(files).toEqual([2, 0, 0, 0])
	})
})

describe('requests that are none', () => {
	it.each([
		['GET /v2/../etc/passwd/blobs/sha256:x', 400, 'NAME_INVALID'],
		['GET /v2/a/../b/manifests/latest', 400, 'NAME_INVALID'],
		['GET /v2/%2e%2e/manifests/latest', 400, 'NAME_INVALID'],
		['GET /v2/a%00/manifests/latest', 400, 'NAME_INVALID'],
		['GET /v2/App/manifests/latest', 400, 'NAME_INVALID'],
		[`GET /v2/${'a'.repeat(300)}/manifests/latest`, 400, 'NAME_INVALID'],
		[`GET /v2/${'a/'.repeat(2000)}manifests/latest`, 400, 'NAME_INVALID'],
		['GET /v2/app/manifests/sha256:123', 400, 'DIGEST_INVALID'],
		['GET /v2/app/manifests/..', 404, 'MANIFEST_UNKNOWN'],
		['GET /v2/app/blobs/latest', 400, 'DIGEST_INVALID'],
		['PUT /v2/app/blobs/uploads/../../x?digest=x', 404, 'UNSUPPORTED'],
		['PUT /v2/app/blobs/uploads/x?digest=x', 400, 'DIGEST_INVALID'],
		['GET /v2/app/nothing', 404, 'UNSUPPORTED'],
		['GET /else', 404, 'UNSUPPORTED'],
		['POST /v2/app/manifests/latest', 405, 'UNSUPPORTED'],
		['DELETE /v2/app/tags/list', 405, 'UNSUPPORTED'],
	])('%s', async (line, status, code) => {
		expect(await ask(line)).toMatchObject({ status, code })
	})

	it('never throw, whatever the path, the query and the headers are', async () => {
		const part = fc.oneof(
			fc.constantFrom(
				'v2',
				'app',
				'blobs',
				'uploads',
				'manifests',
				'tags',
				'list',
				'referrers',
				'..',
				'',
				'%2f',
			),
			fc.constant(digestOf('x')),
			fc.string({ maxLength: 20 }),
		)
		await fc.assert(
			fc.asyncProperty(
				fc.constantFrom('GET', 'HEAD', 'PUT', 'POST', 'PATCH', 'DELETE', 'TRACE'),
				fc.array(part, { maxLength: 7 }),
				fc.string({ maxLength: 30 }),
				async (method, parts, text) => {
					const path = `/v2/${parts.join('/')}`.replaceAll(/[ ?]/g, '_')
					const headers = { range: text, 'content-range': text, 'content-type': text, authorization: text }
					const answer = await ask(`${method} ${path}?n=${encodeURIComponent(text)}`, { headers, body: text })
					expect(answer.status).toBeGreaterThanOrEqual(200)
					expect(answer.status).toBeLessThan(500)
				},
			),
			{ numRuns: 500 },
		)
	})
})

describe('GET /livez', () => {
	it('names the instance, without a password', async () => {
		const path = join(directory, 'htpasswd')
		await writeFile(path, '')
		const via = createRegistry({ storage, instance: 'i-1', auth: { htpasswd: path } })
		const answer = await ask('GET /livez', { via })
		expect(JSON.parse(answer.bytes.toString())).toEqual({ name: 'lading registry', instance: 'i-1' })
		expect(answer.headers['x-lading-instance']).toBe('i-1')
	})
})

describe('damaged content', () => {
	it('is an error to who reads it, absent to who asks, and good again after a push', async () => {
		const { digest, bytes } = await pushImage('app', 'v1')
		const blob = digestOf('layer')
		for (const [kind, each, content] of [
			['manifests', digest, bytes],
			['blobs', blob, Buffer.from('layer')],
		] as const) {
			rot(directory, each)
			const path = `${kind}/${each}`
			expect(await ask(`GET /v2/app/${path}`)).toMatchObject({ status: 500, code: 'UNKNOWN' })
			expect(await ask(`HEAD /v2/app/${path}`)).toMatchObject({ status: 404 })
			await pushImage('app', 'v1')
			expect(await ask(`HEAD /v2/app/${path}`)).toMatchObject({ status: 200 })
			expect((await ask(`GET /v2/app/${path}`)).bytes.equals(content)).toBe(true)
		}
	})
})

describe('a storage that fails', () => {
	it.each([
		['ENOSPC', 507],
		['EIO', 500],
	])('%s is answered with %i and the body of the specification', async (code, status) => {
		const failing: RegistryStorage = {
			...storage,
			startUpload: () => storage.startUpload('app'),
			finishUpload: () => Promise.reject(Object.assign(new Error('disk'), { code })),
		}
		const logged: string[] = []
		const via = createRegistry({ storage: failing, log: ({ message }) => logged.push(message) })
		const answer = await ask(`POST /v2/app/blobs/uploads/?digest=${digestOf('x')}`, { body: 'x', via })
		expect(answer).toMatchObject({ status, code: 'UNKNOWN' })
		expect(logged).toHaveLength(1)
	})
})
