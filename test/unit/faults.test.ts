import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { assert, asyncProperty, boolean, constantFrom, nat } from 'fast-check'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type RunningRegistry, serveRegistry } from '../../src/registry/server/index.ts'
import {
	brokenBySeed,
	type Decide,
	type Fault,
	type FaultProxy,
	PASSING,
	startFaultProxy,
} from '../faults/fault-proxy.ts'
import {
	expectTagWholeOrAbsent,
	expectWhole,
	failureOf,
	packDirectory,
	type PackedDirectory,
	pullFrom,
	pushTo,
	type Visit,
	visit,
	type VisitOptions,
} from '../faults/road.ts'

/** Larger than what is sent anew sooner than resumed. */
const LARGE = 3 * 1024 * 1024
const SMALL = 50_000

let directory: string
let registry: RunningRegistry
let proxy: FaultProxy
let large: PackedDirectory
let small: PackedDirectory
let number = 0
const visits: Visit[] = []

beforeAll(async () => {
	directory = mkdtempSync(join(tmpdir(), 'lading-'))
	registry = await serveRegistry({ dataDirectory: join(directory, 'registry'), port: 0, plainHttp: true })
	large = await packDirectory(join(directory, 'large'), LARGE)
	small = await packDirectory(join(directory, 'small'), SMALL)
})
afterAll(async () => {
	await registry.close()
	rmSync(directory, { recursive: true, force: true })
})
beforeEach(async () => {
	proxy = await startFaultProxy({ target: `127.0.0.1:${registry.port}`, tokens: true })
})
afterEach(() => {
	for (const { http } of visits.splice(0)) http.close()
	proxy.close()
})

/** Long enough for a registry in this process, short enough to wait for it often. */
const PATIENCE = 1000

function through(name: string, options: VisitOptions = {}): Visit {
	const made = visit(proxy.host, name, options)
	visits.push(made)
	return made
}

function direct(name: string): Visit {
	const made = visit(`127.0.0.1:${registry.port}`, name)
	visits.push(made)
	return made
}

const newName = (): string => `team/app-${++number}`

/** Each of these, in turn, the first times that a kind of request comes. */
function inTurn(...faults: readonly Fault[]): Decide {
	const count = new Map<string, number>()
	return (kind) => {
		const before = count.get(kind) ?? 0
		count.set(kind, before + 1)
		return faults[before]
	}
}

describe('one push', () => {
	it('survives 503, 429 and a reset in every kind of request, and says each once', async () => {
		proxy.decide = inTurn(
			{ kind: 'status', status: 503, retryAfter: 'date' },
			{ kind: 'status', status: 429, retryAfter: 'seconds' },
			{ kind: 'reset' },
		)
		const name = newName()
		const visitor = through(name)
		await pushTo(visitor, large, ['v1', 'latest'])
		const kinds = new Set(proxy.log.map((line) => line.replace(/:.*/, '')))
		expect([...kinds].toSorted((a, b) => a.localeCompare(b))).toEqual([
			'GET blobs/uploads',
			'GET token',
			'HEAD blobs',
			'HEAD manifests',
			'POST blobs/uploads',
			'PUT blobs/uploads',
			'PUT manifests',
		])
		expect(visitor.said.map(({ reason }) => reason).toSorted((a, b) => a.localeCompare(b))).toEqual([
			expect.stringContaining('broke off the connection'),
			'status 429',
			'status 503',
		])
		expect(await expectTagWholeOrAbsent(direct(name), 'latest')).toBe(true)
	})

	it('goes on where the registry says that it stands', async () => {
		const name = newName()
		proxy.decide = inTurn({ kind: 'reset-midway' })
		await pushTo(through(name), large)
		expect(proxy.log).toContain('GET blobs/uploads')
		expect(proxy.log).toContain('PATCH blobs/uploads')
		expect(await expectTagWholeOrAbsent(direct(name), 'v1')).toBe(true)
	})

	it('goes on with what was sent ahead and broke off, where the registry says that it stands', async () => {
		const name = newName()
		let broken = 0
		proxy.decide = (kind) =>
			kind === 'PATCH blobs/uploads' && broken++ === 0 ? { kind: 'reset-midway' } : undefined
		await pushTo(through(name), large, ['v1'], { isAhead: true })
		const uploads = proxy.log.filter((line) => line.includes('blobs/uploads') && !line.startsWith('POST'))
		// A registry may not have noticed yet that the connection broke: it is asked again then.
		expect(uploads.slice(0, 3)).toEqual([
			'PATCH blobs/uploads: reset-midway',
			'GET blobs/uploads',
			'PATCH blobs/uploads',
		])
		expect(uploads.at(-1)).toBe('PUT blobs/uploads')
		expect(await expectTagWholeOrAbsent(direct(name), 'v1')).toBe(true)
	})

	it('asks whether the blob is there when the answer to its last byte was lost', async () => {
		const name = newName()
		let lost = false
		proxy.decide = (kind) => {
			if (lost || kind !== 'PUT blobs/uploads') return undefined
			lost = true
			return { kind: 'lost' }
		}
		await pushTo(through(name), large)
		expect(proxy.log.filter((line) => line.startsWith('PUT blobs/uploads'))).toHaveLength(1)
	})

	it('fetches a new token in the middle of an upload', async () => {
		const name = newName()
		let expired = 0
		proxy.decide = (kind) =>
			kind === 'PUT blobs/uploads' && expired++ === 0 ? { kind: 'expired' } : undefined
		await pushTo(through(name), large)
		expect(proxy.log.filter((line) => line === 'GET token')).toHaveLength(2)
		expect(proxy.log.slice(proxy.log.indexOf('PUT blobs/uploads: expired')).slice(0, 3)).toEqual([
			'PUT blobs/uploads: expired',
			'GET token',
			'PUT blobs/uploads',
		])
	})

	it.each([507, 400, 403, 404, 405, 413, 501])('fails at once on %i', async (status) => {
		const name = newName()
		proxy.decide = (kind) => (kind.startsWith('PUT') ? { kind: 'status', status } : undefined)
		const failure = await failureOf(pushTo(through(name), large))
		expect(failure).toMatchObject({ wire: { status } })
		expect(proxy.log.filter((line) => line.startsWith('PUT'))).toHaveLength(1)
		expect(await expectTagWholeOrAbsent(direct(name), 'v1')).toBe(false)
	})

	it('gives up on a registry that stays silent before minutes have passed', async () => {
		proxy.decide = () => ({ kind: 'stalled' })
		const failure = await failureOf(pushTo(through(newName(), { patience: 100 }), small))
		expect(failure).toMatchObject({ code: 'CONNECTION_FAILED' })
		expect(proxy.log.length).toBeLessThanOrEqual(6)
	})
})

interface Way {
	readonly chunkSize?: number
	readonly isAhead?: boolean
}

// A failure names its seed; `seed` and `path` of fast-check repeat it.
describe('whatever breaks', () => {
	it('within the budget, what is pushed and pulled arrives whole', async () => {
		const ways = constantFrom({}, { chunkSize: 1_000_000 }, { isAhead: true })
		await assert(
			asyncProperty(nat(), boolean(), ways, async (seed, isLarge, { isAhead, ...way }: Way) => {
				const name = newName()
				const packed = isLarge ? large : small
				proxy.decide = brokenBySeed(seed, { faults: PASSING, share: 0.6, most: 2 })
				await pushTo(through(name, { patience: PATIENCE, ...way }), packed, ['v1', 'v2'], {
					isAhead: isAhead ?? false,
				})
				expect(await expectTagWholeOrAbsent(direct(name), 'v1')).toBe(true)
				const pulled = join(directory, `pulled-${number}`)
				proxy.decide = brokenBySeed(seed + 1, { faults: PASSING, share: 0.6, most: 2 })
				await pullFrom(through(name, { patience: PATIENCE }), 'v2', pulled)
				expectWhole(pulled, packed)
				rmSync(pulled, { recursive: true })
			}),
			{ numRuns: 15 },
		)
	}, 120_000)

	it('beyond the budget, the error is right, nothing half-written has a tag and no directory is half-written', async () => {
		const faults: readonly Fault[] = [
			...PASSING,
			...[400, 401, 403, 404, 405, 409, 413, 416, 501, 507].map((status): Fault => ({
				kind: 'status',
				status,
			})),
		]
		const parent = join(directory, 'pulls')
		await assert(
			asyncProperty(nat(), boolean(), boolean(), async (seed, isLarge, isAhead) => {
				const name = newName()
				const packed = isLarge ? large : small
				proxy.decide = brokenBySeed(seed, { faults, share: 0.3, most: 100 })
				const pushing = pushTo(through(name, { patience: PATIENCE }), packed, ['v1'], { isAhead })
				const failure = await failureOf(pushing)
				const isTagged = await expectTagWholeOrAbsent(direct(name), 'v1')
				expect(failure !== undefined || isTagged).toBe(true)
				expect(failure?.kind).not.toBe('bug')
				proxy.decide = () => undefined
				await pushTo(through(name), packed)
				proxy.decide = brokenBySeed(seed + 1, { faults, share: 0.4, most: 100 })
				const pulled = join(parent, name.replaceAll('/', '-'))
				const refused = await failureOf(pullFrom(through(name, { patience: PATIENCE }), 'v1', pulled))
				expect(refused?.kind).not.toBe('bug')
				expect(existsSync(pulled)).toBe(refused === undefined)
				rmSync(pulled, { recursive: true, force: true })
				// Nothing is left beside it either.
				expect(existingNames(parent)).toEqual([])
			}),
			{ numRuns: 15 },
		)
	}, 120_000)
})

function existingNames(path: string): readonly string[] {
	try {
		return readdirSync(path)
	} catch {
		return []
	}
}
