import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Listener, listen } from '../../src/http/server/index.ts'
import { digestOf, MAX_MANIFEST_BYTES, MediaType } from '../../src/oci/index.ts'
import { createRegistry, createStorage, type RegistryStorage } from '../../src/registry/server/index.ts'

const data = mkdtempSync(join(tmpdir(), 'lading-'))
let storage: RegistryStorage
let listener: Listener
let before: readonly string[]
beforeAll(async () => {
	storage = createStorage(data)
	listener = await listen(createRegistry({ storage }), {
		host: '127.0.0.1',
		port: 0,
		limits: { stallMs: 200, headersTimeoutMs: 200 },
	})
	before = everything()
})
afterAll(async () => {
	await listener.close()
	await storage.close()
	rmSync(data, { recursive: true, force: true })
})

/** Every file, and what is in the journal. */
function everything(): readonly string[] {
	const names = readdirSync(data, { recursive: true, encoding: 'utf8' }).toSorted()
	return [...names, readFileSync(join(data, 'journal'), 'utf8')]
}

interface Heard {
	/** `undefined` when the connection ended without an answer. */
	readonly status: number | undefined
	readonly body: string
}

/** Sends bytes as they are and hears until the server closes, or has answered as long as it says. */
function say(text: string): Promise<Heard> {
	return new Promise((resolve) => {
		let heard = ''
		const socket = connect(listener.port, '127.0.0.1', () => socket.write(text))
		const end = (): void => {
			socket.destroy()
			const [head = '', ...rest] = heard.split('\r\n\r\n')
			const status = /^HTTP\/1\.1 (\d{3})/.exec(head)?.[1]
			resolve({ status: status === undefined ? undefined : Number(status), body: rest.join('\r\n\r\n') })
		}
		socket.on('data', (chunk) => {
			heard += chunk.toString()
			const head = heard.indexOf('\r\n\r\n')
			const length = Number(/content-length: (\d+)/i.exec(heard)?.[1] ?? Number.NaN)
			if (head >= 0 && heard.length >= head + 4 + length) end()
		})
		socket.on('error', end)
		socket.on('close', end)
	})
}

const digest = digestOf('x')
const lines = (first: string, headers: Readonly<Record<string, string | number>> = {}, body = ''): string =>
	[
		`${first} HTTP/1.1`,
		'host: registry',
		...Object.entries({ 'content-length': Buffer.byteLength(body), ...headers }).map(
			([name, value]) => `${name}: ${value}`,
		),
		'',
		body,
	].join('\r\n')
const manifest = (body: string): string =>
	lines('PUT /v2/app/manifests/v1', { 'content-type': MediaType.imageManifest }, body)

const CASES: readonly (readonly [string, string, number, string])[] = [
	['a path out of the directory', lines('GET /v2/../../journal/manifests/v1'), 400, 'NAME_INVALID'],
	['the same, encoded', lines('GET /v2/%2e%2e/%2e%2e/manifests/v1'), 400, 'NAME_INVALID'],
	[
		'an upload out of the directory',
		lines('PATCH /v2/app/blobs/uploads/..%2f..%2fjournal'),
		404,
		'BLOB_UPLOAD_UNKNOWN',
	],
	['a digest that is a path', lines('GET /v2/app/blobs/sha256:../../journal'), 404, 'UNSUPPORTED'],
	['a digest with a null byte', lines(`GET /v2/app/blobs/${digest}%00`), 400, 'DIGEST_INVALID'],
	['a doubled slash', lines('GET //v2//app/manifests/v1'), 404, 'UNSUPPORTED'],
	['a name that is too long', lines(`GET /v2/${'a'.repeat(300)}/manifests/v1`), 400, 'NAME_INVALID'],
	['a tag that is too long', lines(`GET /v2/app/manifests/${'a'.repeat(129)}`), 404, 'MANIFEST_UNKNOWN'],
	['a digest of no algorithm', lines('PUT /v2/app/blobs/uploads/x?digest=md5:00'), 400, 'DIGEST_INVALID'],
	[
		'an upload that nobody began',
		lines(`PUT /v2/app/blobs/uploads/x?digest=${digest}`),
		404,
		'BLOB_UPLOAD_UNKNOWN',
	],
	[
		'content of another digest',
		lines(`POST /v2/app/blobs/uploads/?digest=${digest}`, {}, 'y'),
		400,
		'DIGEST_INVALID',
	],
	['a mount of no digest', lines('POST /v2/app/blobs/uploads/?mount=x&from=y'), 400, 'DIGEST_INVALID'],
	['a page of letters', lines('GET /v2/app/tags/list?n=many'), 400, 'UNSUPPORTED'],
	['a manifest that is no JSON', manifest('{"schemaVersion": 2'), 400, 'MANIFEST_INVALID'],
	[
		'a manifest that is no UTF-8',
		manifest('{"a":"\uD800"}'.replace('\uD800', '\u0080')),
		400,
		'MANIFEST_INVALID',
	],
	['a manifest that is a list', manifest('[]'), 400, 'MANIFEST_INVALID'],
	['a manifest nested without end', manifest('['.repeat(100_000)), 400, 'MANIFEST_INVALID'],
	[
		'a manifest of unknown blobs',
		manifest(JSON.stringify({ schemaVersion: 2, config: { mediaType: 'a/b', digest, size: 1 }, layers: [] })),
		400,
		'MANIFEST_BLOB_UNKNOWN',
	],
	['a manifest of 5 MiB', manifest(JSON.stringify({ a: 'a'.repeat(5 * 1024 * 1024) })), 413, 'SIZE_INVALID'],
	[
		'a manifest that says it is large',
		lines('PUT /v2/app/manifests/v1', { 'content-length': MAX_MANIFEST_BYTES + 1 }),
		413,
		'SIZE_INVALID',
	],
	['a method that is not there', lines('POST /v2/app/manifests/v1'), 405, 'UNSUPPORTED'],
]

/** What never reaches the registry: the status of HTTP, or a connection that is cut. */
const BROKEN: readonly (readonly [string, string, number | undefined])[] = [
	['headers of 20 KiB', lines('GET /v2/', { 'x-large': 'a'.repeat(20_000) }), 431],
	['a length that is no number', lines('PUT /v2/app/manifests/v1', { 'content-length': 'many' }), 400],
	['a negative length', lines('PUT /v2/app/manifests/v1', { 'content-length': -1 }), 400],
	[
		'two lengths',
		`PUT /v2/app/manifests/v1 HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\na`,
		400,
	],
	['a length and chunks', lines('PUT /v2/app/manifests/v1', { 'transfer-encoding': 'chunked' }, '{}'), 400],
	[
		'a chunk of no size',
		'PUT /v2/app/manifests/v1 HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n',
		400,
	],
	['headers that never end', 'GET /v2/ HTTP/1.1\r\nhost: a\r\n', 408],
	[
		'a manifest that never comes',
		lines('PUT /v2/app/manifests/v1', { 'content-length': 100 }, '{'),
		undefined,
	],
	[
		'a blob that never comes',
		lines(
			`POST /v2/app/blobs/uploads/?digest=${digest}`,
			{ 'content-length': 9_000_000 },
			'a'.repeat(2_000_000),
		),
		undefined,
	],
	['what is no HTTP', 'EHLO registry\r\n\r\n', 400],
]

describe('a bad request', () => {
	it.each(CASES)('%s is told so', async (_, text, status, code) => {
		const { status: heard, body } = await say(text)
		expect(heard).toBe(status)
		expect(JSON.parse(body)).toMatchObject({ errors: [{ code, message: expect.any(String) }] })
		expect(body).not.toContain(data)
	})

	it.each(BROKEN)('%s is refused', async (_, text, status) => {
		expect((await say(text)).status).toBe(status)
	})

	it('leaves no file behind and no memory in use', async () => {
		setFlagsFromString('--expose-gc')
		const collect = runInNewContext('gc') as () => void
		const small = [...CASES, ...BROKEN].map(([, text]) => text).filter((text) => text.length < 1000)
		const answered = small.filter((text) => !/never|\r\nhost: a\r\n$|: 100\r|9000000/.test(text))
		const used = async (): Promise<number> => {
			await Promise.all(answered.map(say))
			await new Promise((resolve) => setTimeout(resolve, 100))
			collect()
			return process.memoryUsage().heapUsed
		}
		for (let warm = 0; warm < 5; warm++) await used()
		const first = await used()
		for (let round = 0; round < 15; round++) await used()
		expect((await used()) - first).toBeLessThan(4 * 1024 * 1024)
		expect(everything()).toEqual(before)
		expect(storage.statistics()).toEqual({ repositories: 0, tags: 0, artifacts: 0, bytes: 0 })
	}, 60_000)

	it('leaves the registry as good as new', async () => {
		expect((await say(lines(`POST /v2/app/blobs/uploads/?digest=${digest}`, {}, 'x'))).status).toBe(201)
	})
})
