import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { digestHex, digestOf } from '../../src/oci/index.ts'
import { type Answer, type Exchange, exchangeWith } from './exchange.ts'
import type { Fault } from './faulty-disk.ts'
import { CONFIG, type Image, imageOf, pushBlob, putManifest } from './image.ts'
import { randomFrom } from './random.ts'
import { buildServer, type RegistryProcess, startServer } from './server.ts'

const root = mkdtempSync(join(tmpdir(), 'lading-'))
const data = join(root, 'data')
let program: string
let server: RegistryProcess
let exchange: Exchange

async function start(): Promise<void> {
	server = await startServer({ program, data, faulty: true })
	exchange = exchangeWith(server.url)
}
beforeAll(async () => {
	program = await buildServer(root)
	await start()
	await push(old, 'old')
})
afterAll(async () => {
	await server.kill()
	rmSync(root, { recursive: true, force: true })
})

const old = imageOf(Buffer.from('old content'), 'old')
let serial = 0
beforeEach(() => {
	serial++
})

async function push(image: Image, tag: string): Promise<void> {
	const random = randomFrom(serial)
	for (const content of [CONFIG, image.layer])
		await pushBlob(exchange, { repository: 'app', content, random })
	await putManifest(exchange, { repository: 'app', reference: tag, image })
}

const get = (tag: string): Promise<Answer> => exchange(`GET /v2/app/manifests/${tag}`)
const filesOf = (folder: string): readonly string[] => readdirSync(join(data, folder)).toSorted()

/** The error body of the specification, and nothing that a client is not to know. */
function expectFault(answer: Answer, status: number): void {
	expect(answer.status).toBe(status)
	const { errors } = JSON.parse(answer.bytes.toString()) as { errors: { code: string; message: string }[] }
	expect(errors).toEqual([{ code: 'UNKNOWN', message: expect.any(String) }])
	expect(errors[0]?.message).not.toContain(root)
}

/** For content that is made elsewhere and gets its name at the end, and for such that has it from the beginning. */
const everywhere = (fault: Omit<Fault, 'path'>): readonly Fault[] =>
	['uploads', 'blobs/sha256/'].map((path) => ({ ...fault, path }))

const FILES: readonly (readonly [string, readonly Fault[], number])[] = [
	['no file can be made', everywhere({ call: 'open', code: 'ENOSPC' }), 507],
	['the disk is full', everywhere({ call: 'write', code: 'ENOSPC' }), 507],
	['the disk fills half-way', everywhere({ call: 'write', code: 'ENOSPC', half: true }), 507],
	['content cannot be flushed', everywhere({ call: 'fsync', code: 'EIO' }), 500],
	[
		'content cannot get its name',
		[
			{ call: 'rename', path: 'blobs', code: 'EIO' },
			{ call: 'open', path: 'blobs', code: 'EIO' },
		],
		500,
	],
	['the name cannot be flushed', [{ call: 'fsync', path: 'blobs', code: 'EIO' }], 500],
]
const JOURNAL: readonly (readonly [string, readonly Fault[], number])[] = [
	['the journal is full', [{ call: 'write', path: 'journal', code: 'ENOSPC' }], 507],
	['the journal fills half-way', [{ call: 'write', path: 'journal', code: 'ENOSPC', half: true }], 507],
	['the journal cannot be flushed', [{ call: 'fsync', path: 'journal', code: 'EIO' }], 500],
	[
		'the journal cannot be flushed, nor cut back',
		[
			{ call: 'fsync', path: 'journal', code: 'EIO' },
			{ call: 'truncate', path: 'journal', code: 'EIO' },
		],
		500,
	],
]
/** Layers and manifests that lie in the journal, and such as have files of their own. */
const SIZES = { small: 10, large: 50_000 } as const
const DISKS = [
	...FILES.map((each) => [...each, 'large'] as const),
	...JOURNAL.flatMap((each) => [[...each, 'small'] as const, [...each, 'large'] as const]),
]

describe.each(DISKS)('when %s', (_, faults, status, size) => {
	const imageFor = (name: string): Image =>
		imageOf(Buffer.alloc(SIZES[size], `content ${serial} `), name.padEnd(SIZES[size]))

	it(`a push of ${size} content is refused and leaves nothing, what is there is served, and the next push succeeds`, async () => {
		const fresh = imageFor('fresh')
		const before = { blobs: filesOf('blobs/sha256'), uploads: filesOf('uploads') }
		await server.arm(...faults)
		const whole = `POST /v2/app/blobs/uploads/?digest=${digestOf(fresh.layer)}`
		expectFault(await exchange(whole, { body: fresh.layer }), status)
		const { headers } = await exchange('POST /v2/app/blobs/uploads/')
		const large = Buffer.alloc(1_500_000, fresh.layer)
		const put = `PUT ${String(headers.location)}?digest=${digestOf(large)}`
		expectFault(await exchange(put, { body: large }), status)
		expect((await exchange(`HEAD /v2/app/blobs/${digestOf(fresh.layer)}`)).status).toBe(404)
		expect((await get('old')).bytes.equals(old.bytes)).toBe(true)

		await server.arm()
		await push(fresh, 'now')
		expect((await get('now')).bytes.equals(fresh.bytes)).toBe(true)
		expect(filesOf('uploads')).toEqual(before.uploads)
		const added = [fresh.layer, fresh.bytes].map((bytes) => digestHex(digestOf(bytes)))
		const files = size === 'large' ? added : []
		expect(filesOf('blobs/sha256')).toEqual([...new Set([...before.blobs, ...files])].toSorted())
	})

	it(`a tag of a ${size} manifest stays where it was, also after a restart`, async () => {
		const fresh = imageFor('fresh')
		await push(fresh, 'moves')
		const next = imageOf(fresh.layer, 'next'.padEnd(SIZES[size]))
		await server.arm(...faults)
		const headers = { 'content-type': 'application/vnd.oci.image.manifest.v1+json' }
		expectFault(await exchange('PUT /v2/app/manifests/moves', { headers, body: next.bytes }), status)
		expect((await get('moves')).bytes.equals(fresh.bytes)).toBe(true)
		await server.kill()
		await start()
		// Not acknowledged: it may have reached the disk, but then it is there as a whole.
		const { status: found, bytes } = await get('moves')
		expect(found).toBe(200)
		expect([digestOf(fresh.bytes), digestOf(next.bytes)]).toContain(digestOf(bytes))
		expect(server.log()).toBe('')
		await push(next, 'moves')
		expect((await get('moves')).bytes.equals(next.bytes)).toBe(true)
	})
})

describe('what cannot be read', () => {
	it.each([
		['journal', 'small'],
		['blobs', 'large'],
	] as const)('is an error that says so, and served again when the disk answers: %s', async (path, size) => {
		const fresh = imageOf(Buffer.from(`content ${serial}`), 'fresh'.padEnd(SIZES[size]))
		await push(fresh, 'unread')
		await server.kill()
		await start()
		await server.arm({ call: 'read', path, code: 'EIO' })
		expectFault(await get('unread'), 500)
		await server.arm()
		expect((await get('unread')).bytes.equals(fresh.bytes)).toBe(true)
	})

	it('is never a whole answer when a bit has flipped, and pushing it again heals it', async () => {
		const large = imageOf(Buffer.alloc(2_500_000, 'large '), 'large')
		await push(large, 'large')
		const path = `/v2/app/blobs/${digestOf(large.layer)}`
		const file = join(data, 'blobs/sha256', digestHex(digestOf(large.layer)))
		const bytes = readFileSync(file)
		bytes[2_000_000] = (bytes[2_000_000] ?? 0) ^ 4
		writeFileSync(file, bytes)
		await expect(exchange(`GET ${path}`)).rejects.toThrow(/aborted|hang up|closed|Parse/)
		await expect(exchange(`GET ${path}`, { headers: { range: 'bytes=0-9' } })).rejects.toThrow(/.+/)
		expect((await exchange(`HEAD ${path}`)).status).toBe(404)
		await push(large, 'large')
		expect((await exchange(`GET ${path}`)).bytes.equals(large.layer)).toBe(true)
	})
})
