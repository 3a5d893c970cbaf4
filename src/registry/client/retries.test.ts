import { randomBytes } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { bytesSource, type ContentSource } from '../../content/index.ts'
import { RemoteError } from '../../errors/index.ts'
import { createHttpClient, type HttpClient } from '../../http/client/index.ts'
import { MediaType } from '../../oci/index.ts'
import { type FakeRegistry, type Fault, startFakeRegistry } from './fake-registry.fixture.ts'
import { createRegistryClient, type RemoteRepository } from './index.ts'

/** The policy's, in milliseconds. */
const BUDGET = 120_000
const ATTEMPTS = 6

let registry: FakeRegistry
let service: FakeRegistry
let http: HttpClient
let slept: number[]
beforeEach(async () => {
	registry = await startFakeRegistry()
	service = await startFakeRegistry()
	slept = []
	let clock = Date.now()
	http = createHttpClient({
		sleep: async (milliseconds) => {
			slept.push(milliseconds)
			clock += milliseconds
		},
		now: () => clock,
	})
})
afterEach(() => {
	http.close()
	registry.close()
	service.close()
})

interface Place {
	readonly chunkSize?: number | undefined
	readonly writes?: boolean
	readonly at?: FakeRegistry
}

function repository({ at = registry, ...options }: Place = {}): RemoteRepository {
	const keychain = { resolve: async () => undefined }
	return createRegistryClient({ http, keychain, plainHttp: true }).repository(at.host, 'team/app', options)
}

const kindOf = ({ method, url = '' }: IncomingMessage): string =>
	`${method} ${/(manifests|blobs\/uploads|blobs|tags|referrers|token)/.exec(url)?.[0]}`

interface Trouble {
	readonly status: number
	/** Seconds. */
	readonly retryAfter?: number
	/** Whether a request is answered so. */
	readonly when: (kind: string) => boolean
}

/** Answers, for ever, some requests with a passing fault. @returns how many there were of each kind */
function trouble(at: FakeRegistry, { status, retryAfter, when }: Trouble): Map<string, number> {
	const refused = new Map<string, number>()
	const { fault } = at
	at.fault = (request, response) => {
		const kind = kindOf(request)
		if (!when(kind)) return fault(request, response)
		refused.set(kind, (refused.get(kind) ?? 0) + 1)
		// The body is read, so that no reset is taken for the answer.
		request.resume().once('end', () => {
			response.writeHead(status, retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) }).end()
		})
		return true
	}
	return refused
}

function whenever(isSo: () => boolean, then: () => void): void {
	if (isSo()) setTimeout(then, 20)
	else setTimeout(whenever, 5, isSo, then)
}

/** The same, once something else has come to pass. */
function inTime(fault: Fault, isSo: () => boolean): Fault {
	return (request, response) => {
		whenever(isSo, () => void fault(request, response))
		return true
	}
}

const statusOf = (error: unknown): number | undefined =>
	error instanceof RemoteError ? error.wire?.status : undefined

const waited = (): number => slept.reduce((sum, each) => sum + each, 0)

const small = bytesSource(MediaType.layerTar, Buffer.from('small'))
const large = bytesSource(MediaType.layerTar, randomBytes(2 * 1024 * 1024))
const manifest = bytesSource(
	MediaType.imageManifest,
	Buffer.from(
		JSON.stringify({
			schemaVersion: 2,
			mediaType: MediaType.imageManifest,
			config: small.descriptor,
			layers: [],
		}),
	),
)

async function read(at: RemoteRepository, { descriptor }: ContentSource): Promise<void> {
	for await (const _ of (await at.fetch(descriptor)) ?? []);
}

const CHUNK = 1024 * 1024

const operations: readonly (readonly [name: string, kind: string, run: () => Promise<unknown>])[] = [
	['resolving a tag', 'HEAD manifests', () => repository().resolve('v1')],
	['reading a manifest', 'GET manifests', () => read(repository(), manifest)],
	['looking for a blob', 'HEAD blobs', () => repository().exists(small.descriptor)],
	['reading a blob', 'GET blobs', () => read(repository(), small)],
	['sending a small blob', 'POST blobs/uploads', () => repository().push(small)],
	['starting an upload', 'POST blobs/uploads', () => repository().push(large)],
	['storing a small blob', 'PUT blobs/uploads', () => repository().push(small)],
	['storing a large blob', 'PUT blobs/uploads', () => repository().push(large)],
	['sending a piece', 'PATCH blobs/uploads', () => repository({ chunkSize: CHUNK }).push(large)],
	['storing a manifest', 'PUT manifests', () => repository().pushTagged(manifest, 'v1')],
	['listing tags', 'GET tags', () => repository().tags()],
	['listing referrers', 'GET referrers', () => repository().referrers(manifest.descriptor)],
	['deleting', 'DELETE manifests', () => repository().delete('v1')],
]

const troubles = [
	{ status: 429, retryAfter: 1, attempts: ATTEMPTS },
	{ status: 503, attempts: ATTEMPTS },
	{ status: 429, retryAfter: 60, attempts: 3 },
	{ status: 503, retryAfter: 60, attempts: 3 },
]

describe.each(troubles)('a permanent $status (Retry-After: $retryAfter)', ({ attempts, ...fault }) => {
	it.each(operations)('costs one budget: %s (%s)', async (_, kind, run) => {
		const refused = trouble(registry, { ...fault, when: (each) => each === kind })
		const outcome = await run().catch(statusOf)
		// A manifest that HEAD tells nothing of is asked for by GET.
		expect(outcome).toBe(kind === 'HEAD manifests' ? undefined : fault.status)
		expect([...refused]).toEqual([[kind, attempts]])
		expect(waited()).toBeGreaterThan(0)
		expect(waited()).toBeLessThanOrEqual(BUDGET)
	})

	it.each(operations)('of all requests costs one budget: %s', async (_, __, run) => {
		const refused = trouble(registry, { ...fault, when: () => true })
		await expect(run()).rejects.toMatchObject({ wire: { status: fault.status } })
		for (const count of refused.values()) expect(count).toBeLessThanOrEqual(attempts)
		expect(waited()).toBeLessThanOrEqual(BUDGET)
	})

	it.each([undefined, CHUNK])(
		'that begins in the middle of an upload costs one budget, in pieces of %s',
		async (chunkSize) => {
			let began = false
			const refused = trouble(registry, {
				...fault,
				when: (kind) => {
					const sends = kind.startsWith(chunkSize === undefined ? 'PUT' : 'PATCH')
					const before = registry.log.filter((line) => line.startsWith('PATCH')).length
					began ||= sends && (chunkSize === undefined || before > 1)
					return began
				},
			})
			await expect(repository({ chunkSize }).push(large)).rejects.toMatchObject({
				wire: { status: fault.status },
			})
			for (const count of refused.values()) expect(count).toBeLessThanOrEqual(attempts)
			expect(waited()).toBeLessThanOrEqual(BUDGET)
		},
	)

	it('of the second piece of an upload costs one budget', async () => {
		const refused = trouble(registry, {
			...fault,
			when: (kind) =>
				kind.startsWith('PATCH') && registry.log.filter((line) => line.startsWith('PATCH')).length > 1,
		})
		const failing = repository({ chunkSize: CHUNK }).push(large)
		await expect(failing).rejects.toMatchObject({ wire: { status: fault.status } })
		expect([...refused]).toEqual([['PATCH blobs/uploads', attempts]])
		expect(waited()).toBeLessThanOrEqual(BUDGET)
	})

	it('of the registry that a blob is copied from costs one budget', async () => {
		const source = repository({ at: service })
		const refused = trouble(service, { ...fault, when: () => true })
		const { descriptor } = large
		const copied = {
			descriptor,
			open: async function* () {
				yield* (await source.fetch(descriptor)) ?? []
			},
		}
		await expect(repository().push(copied)).rejects.toMatchObject({ wire: { status: fault.status } })
		expect([...refused]).toEqual([['GET blobs', attempts]])
		expect(waited()).toBeLessThanOrEqual(BUDGET)
	})

	describe('of the token service', () => {
		beforeEach(() => {
			registry.fault = (_, response) => {
				response.writeHead(401, { 'www-authenticate': `Bearer realm="http://${service.host}/token"` }).end()
				return true
			}
		})

		it.each(operations)('costs one budget: %s', async (_, __, run) => {
			const refused = trouble(service, { ...fault, when: () => true })
			await expect(run()).rejects.toMatchObject({ wire: { status: fault.status } })
			expect([...refused]).toEqual([['GET token', attempts]])
			expect(waited()).toBeLessThanOrEqual(BUDGET)
		})

		it('costs one budget for all who need the same token at once', async () => {
			const refused = trouble(service, { ...fault, when: () => true })
			const at = repository({ writes: true })
			service.fault = inTime(service.fault, () => registry.log.length === 4)
			const all = await Promise.allSettled([at.push(small), at.push(large), at.tags(), at.push(manifest)])
			expect(all.map(({ status }) => status)).toEqual(all.map(() => 'rejected'))
			expect(refused.get('GET token')).toBe(attempts)
		})
	})
})

it('asks for a token again where who asked for it first has gone', async () => {
	let asked = 0
	const gone = new AbortController()
	registry.fault = (request, response) => {
		if (request.headers.authorization === 'Bearer t') return false
		response.writeHead(401, { 'www-authenticate': `Bearer realm="http://${service.host}/token"` }).end()
		return true
	}
	service.fault = (_, response) => {
		if (asked++ > 0) response.end('{"token":"t"}')
		else
			whenever(
				() => registry.log.length === 2,
				() => gone.abort(),
			)
		return true
	}
	const at = repository()
	const [first, second] = await Promise.allSettled([at.tags({ signal: gone.signal }), at.tags()])
	expect(first).toEqual({ status: 'rejected', reason: gone.signal.reason })
	expect(second).toEqual({ status: 'fulfilled', value: [] })
	expect(asked).toBe(2)
})

it('counts attempts and waiting anew from where an upload has come further', async () => {
	const pieces = bytesSource(MediaType.layerTar, randomBytes(8 * 1000))
	let patches = 0
	// Every piece comes through at the fifth time, and each is waited for nearly as long as the budget.
	registry.fault = (request, response) => {
		if (request.method !== 'PATCH' || ++patches % 5 === 0) return false
		request.resume().once('end', () => response.writeHead(503, { 'retry-after': '25' }).end())
		return true
	}
	await repository({ chunkSize: 1000 }).push(pieces)
	expect(registry.blobs.get(pieces.descriptor.digest)).toEqual(pieces.bytes)
})
