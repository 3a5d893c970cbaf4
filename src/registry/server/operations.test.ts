import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ServerRequest, ServerResponse } from '../../http/server/index.ts'
import { digestOf, MediaType } from '../../oci/index.ts'
import type { ToldEvent } from './events/registry-event.ts'
import { type AccessEntry, formatAccess } from './observe/exchange.ts'
import { Health } from './observe/health.ts'
import { createToken } from './access/token-file.ts'
import { createStorage, type RegistryStorage } from './index.ts'
import { type OpenedRegistry, openRegistry, type RegistryOptions } from './registry.ts'

let directory: string
let storage: RegistryStorage
let registry: OpenedRegistry
let entries: AccessEntry[]
let events: ToldEvent[]
const opened: OpenedRegistry[] = []

beforeEach(async () => {
	directory = await mkdtemp(join(tmpdir(), 'lading-'))
	storage = createStorage(directory)
	entries = []
	events = []
	registry = open()
})
afterEach(async () => {
	for (const each of opened.splice(0)) each.close()
	await storage.close()
	await rm(directory, { recursive: true, force: true })
})

function open(options: Partial<RegistryOptions> = {}): OpenedRegistry {
	const made = openRegistry({
		storage,
		onAccess: (entry) => entries.push(entry),
		onEvent: (event) => events.push(event),
		...options,
	})
	opened.push(made)
	return made
}

interface Ask {
	readonly body?: string
	readonly headers?: Record<string, string>
	readonly via?: OpenedRegistry
}

async function ask(
	line: string,
	{ body = '', headers = {}, via = registry }: Ask = {},
): Promise<ServerResponse & { readonly text: string }> {
	const [method = '', target = ''] = line.split(' ')
	const [path = '', search = ''] = target.split('?')
	const request: ServerRequest = {
		method,
		path,
		query: new URLSearchParams(search),
		headers: { 'user-agent': 'test/1', host: 'registry.lan', ...headers },
		body: (async function* () {
			yield Buffer.from(body)
		})(),
		received: Buffer.byteLength(body),
		signal: new AbortController().signal,
		remoteAddress: '::ffff:10.0.0.1',
		scheme: 'https',
	}
	const answer = await via.handler(request)
	let text = ''
	if (typeof answer.body === 'string') text = answer.body
	else if (answer.body instanceof Uint8Array) text = Buffer.from(answer.body).toString()
	else if (answer.body) for await (const chunk of answer.body) text += Buffer.from(chunk).toString()
	return { ...answer, text }
}

async function pushBlob(content: string, repository = 'app'): Promise<string> {
	const digest = digestOf(Buffer.from(content))
	const { status } = await ask(`POST /v2/${repository}/blobs/uploads/?digest=${digest}`, { body: content })
	expect(status).toBe(201)
	return digest
}

async function pushImage(tag: string, options: Ask = {}): Promise<string> {
	const config = await pushBlob('{}')
	const manifest = JSON.stringify({
		schemaVersion: 2,
		mediaType: MediaType.imageManifest,
		config: { mediaType: MediaType.imageConfig, digest: config, size: 2 },
		layers: [],
	})
	const headers = { 'content-type': MediaType.imageManifest, ...options.headers }
	expect((await ask(`PUT /v2/app/manifests/${tag}`, { ...options, body: manifest, headers })).status).toBe(
		201,
	)
	return digestOf(Buffer.from(manifest))
}

describe('the access log', () => {
	it('has who did what, and no secret', async () => {
		const { text: token } = await createToken(directory, { name: 'ci', right: 'write', now: new Date() })
		const via = open({ auth: { tokenDirectory: directory } })
		const authorization = `Bearer ${token}`
		await ask('POST /v2/app/blobs/uploads/?digest=x&secret=y', { headers: { authorization }, via })
		await ask('GET /v2/', { headers: { authorization: 'Basic bm90OmhlcmU=' }, via })
		await ask('GET /v2/\u001b[2J\u009b', { via })
		expect(entries).toMatchObject([
			{
				client: '10.0.0.1',
				user: 'ci',
				method: 'POST',
				path: '/v2/app/blobs/uploads/',
				route: 'uploads',
				status: 400,
			},
			{ method: 'GET', path: '/v2/', status: 401, agent: 'test/1' },
			{ status: 401 },
		])
		expect(entries[1]).not.toHaveProperty('user')
		const lines = entries.map(formatAccess).join('')
		expect(lines).not.toContain(token)
		expect(lines).not.toContain('secret')
		expect(lines).toMatch(/^[\x20-\x7e\n]*$/)
		expect(
			lines
				.trim()
				.split('\n')
				.map((line) => (JSON.parse(line) as AccessEntry).path)[2],
		).toBe('/v2/\u001b[2J\u009b')
	})

	it('counts the bytes of a body that is streamed, and says when it was cut', async () => {
		const content = 'x'.repeat(3_000_000)
		const digest = await pushBlob(content)
		entries = []
		await ask(`GET /v2/app/blobs/${digest}`)
		expect(entries).toMatchObject([{ route: 'blob', status: 200, sent: 3_000_000 }])
		const { body } = await registry.handler({
			method: 'GET',
			path: `/v2/app/blobs/${digest}`,
			query: new URLSearchParams(),
			headers: {},
			body: (async function* () {})(),
			signal: new AbortController().signal,
			remoteAddress: '10.0.0.1',
			scheme: 'https',
		})
		if (typeof body !== 'object' || body instanceof Uint8Array) throw new Error('it is not streamed')
		for await (const _ of body) break
		expect(entries.at(-1)).toMatchObject({ aborted: true, sent: 1024 * 1024 })
	})
})

describe('metrics', () => {
	it('count requests by what they were, whatever clients send', async () => {
		await pushImage('v1')
		for (let index = 0; index < 100; index++) await ask(`GET /v2/app/manifests/v${index}`)
		await ask('BREW /teapot')
		await ask(`GET /${'x'.repeat(20)}"}`)
		const { text } = await ask('GET /metrics')
		expect(text).toContain('lading_registry_requests_total{method="GET",route="manifest",status="200"} 1\n')
		expect(text).toContain('lading_registry_requests_total{method="GET",route="manifest",status="404"} 99\n')
		expect(text).toContain('lading_registry_requests_total{method="other",route="other",status="404"} 1\n')
		expect(text).toContain('lading_registry_request_duration_seconds_count{route="manifest"} 101\n')
		expect(text).toContain(
			'lading_registry_request_duration_seconds_bucket{route="manifest",le="+Inf"} 101\n',
		)
		expect(text).toContain('lading_registry_pushes_total 1\n')
		expect(text).toContain('lading_registry_tags 1\n')
		expect(text).not.toContain('teapot')
		const names = text
			.split('\n')
			.filter((line) => line.startsWith('# TYPE'))
			.map((line) => line.split(' ')[2])
		expect(new Set(names).size).toBe(names.length)
		for (const line of text.trimEnd().split('\n')) {
			expect(line).toMatch(
				/^(?:# (?:HELP|TYPE) \S+ .+|[a-z_]+(?:\{[a-z]+="[^"]*"(?:,[a-z]+="[^"]*")*\})? [0-9.e+-]+)$/,
			)
		}
		const received = Number(/received_bytes_total (\d+)/.exec(text)?.[1])
		expect(received).toBeGreaterThan(100)
	})

	it('count failed logins, and are for who may read', async () => {
		await createToken(directory, { name: 'prometheus', right: 'read', now: new Date() })
		const via = open({ auth: { tokenDirectory: directory } })
		expect((await ask('GET /metrics', { via })).status).toBe(401)
		await ask('GET /v2/', { via, headers: { authorization: 'Bearer ldr_wrong' } })
		const answer = await via.operations({ ...(await plain('/metrics')) })
		expect(answer.body).toContain('lading_registry_login_failures_total{kind="token"} 1\n')
		expect((await via.operations(await plain('/v2/'))).status).toBe(404)
	})
})

async function plain(path: string): Promise<ServerRequest> {
	return {
		method: 'GET',
		path,
		query: new URLSearchParams(),
		headers: {},
		body: (async function* () {})(),
		signal: new AbortController().signal,
		remoteAddress: '127.0.0.1',
		scheme: 'http',
	}
}

describe('health', () => {
	it('is ready until it stops, cannot write, or the disk is full', async () => {
		let now = 0
		const health = new Health({ directory, now: () => now })
		const via = open({ health })
		expect(await ask('GET /readyz', { via })).toMatchObject({
			status: 200,
			text: '{"ready":true,"troubles":[]}',
		})
		const damaged = open({ health, storage: { ...storage, damage: () => 'lines are damaged' } })
		expect(await ask('GET /readyz', { via: damaged })).toMatchObject({
			status: 200,
			text: '{"ready":true,"troubles":["lines are damaged"]}',
		})
		expect((await ask('GET /metrics', { via: damaged })).text).toContain(
			'lading_registry_journal_damaged 1\n',
		)
		expect((await ask('GET /metrics', { via })).text).toContain('lading_registry_journal_damaged 0\n')
		expect(JSON.parse((await ask('GET /statistics', { via: damaged })).text)).toMatchObject({
			damage: 'lines are damaged',
		})
		const full = open({
			health: new Health({ directory, freeBytes: Number.MAX_SAFE_INTEGER, now: () => now }),
		})
		expect(await ask('GET /readyz', { via: full })).toMatchObject({
			status: 503,
			text: expect.stringContaining('the disk is nearly full'),
		})
		const gone = open({ health: new Health({ directory: join(directory, 'none'), now: () => now }) })
		expect((await ask('GET /readyz', { via: gone })).text).toContain('cannot be written (ENOENT)')
		now = 10_000
		health.close()
		expect((await ask('GET /readyz', { via })).status).toBe(503)
		expect((await ask('GET /livez', { via })).status).toBe(200)
	})
})

describe('events', () => {
	const seen = (): unknown[] =>
		events.map(({ action, kind, repository, fromRepository, tag }) => [
			action,
			kind,
			repository,
			fromRepository,
			tag,
		])

	it('tell pushes, mounts and deletions of who made them', async () => {
		const digest = await pushImage('v1')
		const config = digestOf(Buffer.from('{}'))
		expect((await ask(`POST /v2/other/blobs/uploads/?mount=${config}&from=app`)).status).toBe(201)
		await ask('DELETE /v2/app/manifests/v1')
		await ask(`DELETE /v2/app/manifests/${digest}`)
		await ask(`DELETE /v2/other/blobs/${config}`)
		await ask('DELETE /v2/app/manifests/none')
		await ask('GET /v2/app/tags/list')
		expect(seen()).toEqual([
			['push', 'blob', 'app', undefined, undefined],
			['push', 'manifest', 'app', undefined, 'v1'],
			['mount', 'blob', 'other', 'app', undefined],
			['delete', 'manifest', 'app', undefined, 'v1'],
			['delete', 'manifest', 'app', undefined, undefined],
			['delete', 'blob', 'other', undefined, undefined],
		])
		expect(events[1]).toMatchObject({
			digest,
			size: expect.any(Number),
			client: '10.0.0.1',
			userAgent: 'test/1',
		})
	})

	it('tell pulls where they are asked for', async () => {
		await pushImage('v1')
		events = []
		await ask('GET /v2/app/manifests/v1')
		const via = open({ tellPulls: true })
		await ask('GET /v2/app/manifests/v1', { via })
		await ask('HEAD /v2/app/manifests/v1', { via })
		await ask(`GET /v2/app/blobs/${digestOf(Buffer.from('{}'))}`, { via })
		expect(seen()).toEqual([
			['pull', 'manifest', 'app', undefined, 'v1'],
			['pull', 'blob', 'app', undefined, undefined],
		])
	})

	it('are in the statistics: the last pushes, newest first', async () => {
		for (let version = 0; version < 25; version++) await pushImage(`v${version}`)
		const { pushes } = JSON.parse((await ask('GET /statistics')).text) as { pushes: { tag: string }[] }
		expect(pushes).toHaveLength(20)
		expect(pushes[0]).toMatchObject({ repository: 'app', tag: 'v24', client: '10.0.0.1' })
	})

	it('are there without who made them, and from where, for whoever may not push', async () => {
		const { text: token } = await createToken(directory, { name: 'ci', right: 'write', now: new Date() })
		const { text: reading } = await createToken(directory, { name: 'argocd', right: 'read', now: new Date() })
		const via = open({ auth: { tokenDirectory: directory, anonymous: 'read' } })
		const bearer = (text: string): Record<string, string> => ({ authorization: `Bearer ${text}` })
		const headers = bearer(token)
		const config = digestOf(Buffer.from('{}'))
		await ask(`POST /v2/app/blobs/uploads/?digest=${config}`, { body: '{}', headers, via })
		await pushImage('v1', { headers, via })
		const shown = async (shows: Record<string, string>): Promise<unknown> =>
			(JSON.parse((await ask('GET /statistics', { headers: shows, via })).text) as { pushes: unknown[] })
				.pushes[0]
		expect(await shown(headers)).toMatchObject({ tag: 'v1', user: 'ci', client: '10.0.0.1' })
		for (const shows of [{}, bearer(reading)]) {
			const push = await shown(shows)
			expect(push).toMatchObject({ tag: 'v1' })
			expect(push).not.toHaveProperty('user')
			expect(push).not.toHaveProperty('client')
		}
	})

	it('are still known after a start, but for who it was', async () => {
		let now = 1_000_000
		const before = createStorage(join(directory, 'other'), { now: () => now })
		const via = open({ storage: before })
		const config = digestOf(Buffer.from('{}'))
		await ask(`POST /v2/app/blobs/uploads/?digest=${config}`, { body: '{}', via })
		for (const tag of ['b', 'a', 'c']) {
			now += 1000
			await pushImage(tag, { via })
		}
		await before.close()
		const after = createStorage(join(directory, 'other'))
		const { text } = await ask('GET /statistics', { via: open({ storage: after }) })
		await after.close()
		const { pushes } = JSON.parse(text) as { pushes: { tag: string; time: string; client?: string }[] }
		expect(pushes.map(({ tag, client }) => [tag, client])).toEqual([
			['c', undefined],
			['a', undefined],
			['b', undefined],
		])
		expect(pushes[0]?.time).toBe('1970-01-01T00:16:43.000Z')
	})
})

describe('rights', () => {
	it('a reader can neither push, nor mount, nor delete', async () => {
		const { text } = await createToken(directory, { name: 'argocd', right: 'read', now: new Date() })
		const digest = await pushImage('v1')
		const via = open({ auth: { tokenDirectory: directory } })
		const headers = { authorization: `Bearer ${text}` }
		const config = digestOf(Buffer.from('{}'))
		for (const line of [
			'PUT /v2/app/manifests/v2',
			'DELETE /v2/app/manifests/v1',
			`DELETE /v2/app/manifests/${digest}`,
			`POST /v2/other/blobs/uploads/?mount=${config}&from=app`,
			`POST /v2/other/blobs/uploads/?digest=${config}`,
			'POST /v2/app/blobs/uploads/',
			'PATCH /v2/app/blobs/uploads/x',
		]) {
			const answer = await ask(line, { headers, via, body: '{}' })
			expect(answer.status, line).toBe(403)
			expect(answer.text).toContain('"DENIED"')
		}
		expect((await ask('GET /v2/app/manifests/v1', { headers, via })).status).toBe(200)
		expect(storage.hasRepository('other')).toBe(false)
	})
})

describe('limits', () => {
	it('bound manifests and uploads', async () => {
		const via = open({ manifestBytes: 10 })
		expect((await ask('PUT /v2/app/manifests/v1', { via, body: 'x'.repeat(11) })).status).toBe(413)
		await storage.close()
		storage = createStorage(directory, { maxUploads: 2 })
		const few = open({ storage })
		const begin = async (): Promise<string> => {
			const answer = await ask('POST /v2/app/blobs/uploads/', { via: few })
			return answer.status === 202 ? String(answer.headers?.location) : String(answer.status)
		}
		for (const location of [await begin(), await begin()]) {
			expect((await ask(`PATCH ${location}`, { via: few, body: 'x' })).status).toBe(202)
		}
		// Those that have something are not forgotten for one that has nothing.
		expect(await begin()).toBe('429')
		// One that does not outlive its request takes nobody's place.
		const whole = `POST /v2/app/blobs/uploads/?digest=${digestOf('whole')}`
		expect((await ask(whole, { via: few, body: 'whole' })).status).toBe(201)
		expect((await ask('GET /metrics', { via: few })).text).toContain('lading_registry_uploads 2\n')
	})
})
