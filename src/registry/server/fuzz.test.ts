import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Handler } from '../../http/server/index.ts'
import { digestOf, emptyContent, emptyDescriptor, MediaType } from '../../oci/index.ts'
import { createRegistry, createStorage, type RegistryStorage } from './index.ts'

let directory: string
let storage: RegistryStorage
let registry: Handler
beforeAll(async () => {
	directory = await mkdtemp(join(tmpdir(), 'lading-'))
	storage = createStorage(directory)
	registry = createRegistry({ storage })
})
afterAll(async () => {
	await storage.close()
	await rm(directory, { recursive: true, force: true })
})

const digest = digestOf(emptyContent)
const word = fc.oneof(
	fc.constantFrom(
		'a',
		'a/b',
		'A',
		'..',
		'.',
		'',
		'%2e%2e',
		'%00',
		'v1',
		'_catalog',
		'uploads',
		'tags',
		'list',
	),
	fc.constantFrom(
		digest,
		digest.replace(':', '%3A'),
		digest.toUpperCase(),
		'sha256:',
		`sha1:${'0'.repeat(40)}`,
	),
	fc.string({ maxLength: 12 }),
	fc.constant('a'.repeat(300)),
)
const path = fc
	.tuple(word, fc.constantFrom('blobs', 'manifests', 'tags', 'referrers', 'blobs/uploads', 'x'), word)
	.map(([repository, kind, last]) => `/v2/${repository}/${kind}/${last}`)
const number = fc.oneof(fc.constantFrom('0', '-1', '1e9', '9'.repeat(30), 'NaN', ''), fc.nat().map(String))
const range = fc.oneof(
	fc.tuple(number, number).map(([first, last]) => `bytes=${first}-${last}`),
	fc.tuple(number, number).map(([first, last]) => `${first}-${last}`),
	fc.string({ maxLength: 20 }),
)
const headers = fc.record(
	{
		range,
		'content-range': range,
		'content-length': number,
		'content-type': fc.oneof(
			fc.constantFrom(MediaType.imageManifest, MediaType.imageIndex, 'application/json', 'text/html;', ';'),
			fc.string({ maxLength: 20 }),
		),
		authorization: fc.string({ maxLength: 30 }),
		'if-none-match': fc.string({ maxLength: 30 }),
	},
	{ requiredKeys: [] },
)
const query = fc.dictionary(
	fc.constantFrom('digest', 'mount', 'from', 'n', 'last', 'tag', 'artifactType', '__proto__'),
	fc.oneof(word, number),
	{ maxKeys: 4 },
)
const manifest = fc.oneof(
	fc.json({ maxDepth: 4 }),
	fc.string({ maxLength: 40 }),
	fc.constant('['.repeat(100_000)),
	fc.constant(`{"mediaType":"${MediaType.imageIndex}","subject":${'['.repeat(50_000)}${']'.repeat(50_000)}}`),
	fc
		.record({
			schemaVersion: fc.constantFrom<unknown>(2, 1, '2', null),
			mediaType: fc.constantFrom<unknown>(MediaType.imageManifest, '', 7),
			config: fc.oneof(fc.constant<unknown>({ ...emptyDescriptor, size: 3 }), fc.jsonValue()),
			layers: fc.oneof(fc.constant<unknown>([]), fc.jsonValue()),
			subject: fc.jsonValue(),
		})
		.map((value) => JSON.stringify(value)),
)
const method = fc.constantFrom('GET', 'HEAD', 'PUT', 'POST', 'PATCH', 'DELETE', 'OPTIONS', 'BREW')

async function* once(text: string): AsyncGenerator<Uint8Array, void, undefined> {
	yield Buffer.from(text)
}

describe('the registry', () => {
	it('answers whatever is asked, never with a fault of its own, and keeps nothing of nonsense', async () => {
		await fc.assert(
			fc.asyncProperty(method, path, query, headers, manifest, async (...parts) => {
				const [method, path, query, headers, sent] = parts
				const answer = await registry({
					method,
					path,
					query: new URLSearchParams(Object.entries(query)),
					headers,
					body: once(sent),
					signal: new AbortController().signal,
					remoteAddress: '127.0.0.1',
					scheme: 'https',
				})
				expect(answer.status).toBeGreaterThanOrEqual(200)
				expect(answer.status).toBeLessThan(500)
				for (const value of Object.values(answer.headers ?? {})) {
					// oxlint-disable-next-line no-control-regex -- what a header must not hold
					expect(String(value)).not.toMatch(/[\u0000-\u001F]/)
				}
				const body: unknown =
					answer.status < 400 ? { errors: [{ code: '' }] } : JSON.parse(answer.body as string)
				expect(body).toMatchObject({ errors: [{ code: expect.any(String) }] })
			}),
			{ numRuns: 1500 },
		)
		expect(
			storage.repositories().filter((name) => storage.listTags(name, { limit: 1 })?.tags.length),
		).toEqual([])
	}, 60_000)
})
