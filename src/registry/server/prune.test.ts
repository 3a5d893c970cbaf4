import { mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Digest, digestHex, digestOf, emptyDescriptor, MediaType } from '../../oci/index.ts'
import type { Handler, ServerRequest, ServerResponse } from '../../http/server/index.ts'
import type { PruneOptions, PruneReport } from './pruning.ts'
import { createRegistry, createStorage, type RegistryStorage } from './index.ts'
import { Packs } from './packs.ts'

const HOUR = 3_600_000

let directory: string
let storage: RegistryStorage
let registry: Handler
let clock: number
const open = (inlineBytes?: number): void => {
	storage = createStorage(directory, { now: () => clock, compactLines: 50, inlineBytes })
	registry = createRegistry({ storage })
}
beforeEach(async () => {
	directory = await mkdtemp(join(tmpdir(), 'lading-'))
	clock = Date.now()
	open()
})
afterEach(async () => {
	await storage.close()
	await rm(directory, { recursive: true, force: true })
})

async function restart(): Promise<void> {
	await storage.close()
	open()
}

async function ask(line: string, { body = '', type = '' } = {}): Promise<ServerResponse> {
	const [method = '', target = ''] = line.split(' ')
	const [path = '', search = ''] = target.split('?')
	const request: ServerRequest = {
		method,
		path,
		query: new URLSearchParams(search),
		headers: type === '' ? {} : { 'content-type': type },
		body: (async function* () {
			yield Buffer.from(body)
		})(),
		signal: new AbortController().signal,
		remoteAddress: '127.0.0.1',
		scheme: 'https',
	}
	return await registry(request)
}

async function pushBlob(content: string, repository = 'app'): Promise<Digest> {
	const digest = digestOf(content)
	const { status } = await ask(`POST /v2/${repository}/blobs/uploads/?digest=${digest}`, { body: content })
	expect(status).toBe(201)
	return digest
}

function imageOf(layer: string, subject?: { readonly digest: Digest; readonly size: number }): string {
	return JSON.stringify({
		schemaVersion: 2,
		mediaType: MediaType.imageManifest,
		config: emptyDescriptor,
		layers: [{ mediaType: MediaType.layerTar, digest: digestOf(layer), size: Buffer.byteLength(layer) }],
		...(subject && { subject: { mediaType: MediaType.imageManifest, ...subject } }),
	})
}

interface Pushed {
	readonly digest: Digest
	readonly size: number
	readonly status: number
}

async function putManifest(tag: string | undefined, text: string, repository = 'app'): Promise<Pushed> {
	const digest = digestOf(text)
	const { status } = await ask(`PUT /v2/${repository}/manifests/${tag ?? digest}`, {
		body: text,
		type: (JSON.parse(text) as { mediaType: string }).mediaType,
	})
	return { digest, size: Buffer.byteLength(text), status }
}

async function push(tag: string | undefined, layer: string, repository = 'app'): Promise<Pushed> {
	await pushBlob('{}', repository)
	await pushBlob(layer, repository)
	const pushed = await putManifest(tag, imageOf(layer), repository)
	expect(pushed.status).toBe(201)
	return pushed
}

const head = async (what: string): Promise<number> => (await ask(`HEAD /v2/app/${what}`)).status

const prune = (options: PruneOptions = {}): Promise<PruneReport> => storage.prune(options)
const removed = ({ repositories }: PruneReport): string[] =>
	repositories.flatMap((plan) => plan.removed.map(({ tag, digest }) => tag ?? digest)).toSorted()

async function files(): Promise<string[]> {
	return (await readdir(join(directory, 'blobs/sha256'))).toSorted()
}

describe('pruning', () => {
	it('says in a dry run what it then does, with the bytes', async () => {
		await storage.close()
		open(0)
		for (const [index, tag] of ['v1', 'v2', 'v3'].entries()) {
			await push(tag, `layer ${index}`)
			await push(tag, `layer ${index}`, 'copy')
			clock += HOUR
		}
		await push('v9', 'layer 0', 'other')
		clock += 2 * HOUR
		const rules = [{ keep: 1 }]
		const before = storage.statistics()
		const dry = await prune({ rules, dryRun: true })
		expect(storage.statistics()).toEqual(before)
		expect(await prune({ rules, dryRun: true })).toEqual(dry)
		const done = await prune({ rules })
		expect({ ...done, dryRun: true }).toEqual(dry)
		expect(done.freedBytes).toBe(before.bytes - storage.statistics().bytes)
		expect(removed(done)).toContain('v1')
		// What another repository has stays on the disk; what none has does not.
		expect(await files()).toContain(digestHex(digestOf('layer 0')))
		expect(await files()).not.toContain(digestHex(digestOf('layer 1')))
		expect((await files()).length).toBe(5)
		expect(removed(await prune({ rules }))).toEqual([])
		await restart()
		expect(storage.listTags('app', { limit: 10 })?.tags).toEqual(['v3'])
		expect(await head(`manifests/${digestOf(imageOf('layer 1'))}`)).toBe(404)
	})

	it('waits for the grace period, also across a restart', async () => {
		const blob = await pushBlob('stray')
		clock += HOUR - 1000
		await restart()
		expect(removed(await prune())).toEqual([])
		clock += 1000
		expect(removed(await prune())).toEqual([blob])
		expect(await head(`blobs/${blob}`)).toBe(404)
	})

	it('leaves alone what a client was told is there, also across a restart', async () => {
		const [told, mounted, untold] = await Promise.all([
			pushBlob('told'),
			pushBlob('mounted'),
			pushBlob('untold'),
		])
		clock += 2 * HOUR
		expect(await head(`blobs/${told}`)).toBe(200)
		expect((await ask(`POST /v2/app/blobs/uploads/?mount=${mounted}&from=app`)).status).toBe(201)
		await restart()
		clock += HOUR - 1000
		expect(removed(await prune())).toEqual([untold])
		clock += 2000
		expect(removed(await prune())).toEqual([told, mounted].toSorted())
	})

	it('leaves alone what was sent before a part that is still being sent', async () => {
		const early = await pushBlob('early')
		const { headers } = await ask('POST /v2/app/blobs/uploads/')
		const upload = String(headers?.location)
		for (let hour = 0; hour < 5; hour++) {
			clock += 50 * 60_000
			expect((await ask(`PATCH ${upload}`, { body: 'x' })).status).toBe(202)
			if (hour === 2) {
				// As the system would have it, did it know this clock.
				await utimes(join(directory, 'uploads', upload.slice(upload.lastIndexOf('/') + 1)), 0, clock / 1000)
				await restart()
			}
			expect(removed(await prune())).toEqual([])
		}
		expect((await ask(`DELETE ${upload}`)).status).toBe(204)
		expect(removed(await prune())).toEqual([early])
	})

	it('keeps what was pushed last, also by a clock that was put back, after a start and in a journal written anew', async () => {
		await push('a', 'layer a')
		clock += HOUR
		await push('b', 'layer b')
		clock -= 10 * HOUR
		await push('c', 'layer c')
		clock += 1
		// The same manifest again, under another tag.
		await push('d', 'layer a')
		clock += 20 * HOUR
		const rules = [{ keep: 2 }]
		const expected = ['a', digestOf(imageOf('layer b')), 'b', digestOf('layer b')].toSorted()
		expect(removed(await prune({ rules, dryRun: true }))).toEqual(expected)
		await restart()
		expect(removed(await prune({ rules, dryRun: true }))).toEqual(expected)
		for (let index = 0; index < 60; index++) await pushBlob('{}', 'other')
		expect(await readFile(join(directory, 'journal'), 'utf8')).toContain('"order"')
		await restart()
		await push('e', 'layer e')
		expect(storage.lastPushes(9).map(({ tag }) => tag)).toEqual(['e', 'd', 'c', 'b', 'a'])
		clock += 20 * HOUR
		const repository = 'app'
		expect(removed(await prune({ rules: [{ repository, keep: 3 }] }))).toEqual(
			[...expected, digestOf('{}')].toSorted(),
		)
		expect(storage.listTags('app', { limit: 10 })?.tags).toEqual(['c', 'd', 'e'])
	})

	it('keeps the manifests of an index and the referrers of an artifact, and lets them go together', async () => {
		const child = await push(undefined, 'child')
		const index = await putManifest(
			'v1',
			JSON.stringify({
				schemaVersion: 2,
				mediaType: MediaType.imageIndex,
				manifests: [{ mediaType: MediaType.imageManifest, digest: child.digest, size: child.size }],
			}),
		)
		await pushBlob('signature')
		const signature = await putManifest(undefined, imageOf('signature', index))
		expect([index.status, signature.status]).toEqual([201, 201])
		clock += 2 * HOUR
		await push('v2', 'next')
		expect(removed(await prune({ rules: [{ untagged: true }] }))).toEqual([])
		expect(removed(await prune({ rules: [{ keep: 1 }] }))).toEqual(
			[
				'v1',
				index.digest,
				child.digest,
				signature.digest,
				digestOf('child'),
				digestOf('signature'),
			].toSorted(),
		)
		expect(await head('manifests/v2')).toBe(200)
		expect(await head(`blobs/${digestOf('next')}`)).toBe(200)
	})

	it.each([
		['moves', async () => await push('main', 'new')],
		['is deleted', async () => await ask('DELETE /v2/app/manifests/main')],
	])(
		'leaves what a tag named for the grace period, and as long as its rule says, once it %s',
		async (_, lose) => {
			const { digest } = await push('main', 'old')
			clock += 60 * 24 * HOUR
			await lose()
			clock += 1000
			await restart()
			expect(removed(await prune({ rules: [{ untagged: true, olderThanMs: 30 * 24 * HOUR }] }))).toEqual([])
			expect(removed(await prune({ rules: [{ untagged: true }] }))).toEqual([])
			expect((await ask(`GET /v2/app/blobs/${digestOf('old')}`)).status).toBe(200)
			clock += 31 * 24 * HOUR
			const rules = [{ untagged: true, olderThanMs: 30 * 24 * HOUR }]
			expect(removed(await prune({ rules }))).toContain(digest)
		},
	)

	it('leaves what was asked for: HEAD by tag, HEAD and GET by digest', async () => {
		const byTag = await push('main', 'by tag')
		const headed = await push(undefined, 'by HEAD')
		const got = await push(undefined, 'by GET')
		const unasked = await push(undefined, 'unasked')
		clock += 2 * HOUR
		for (const asked of ['HEAD main', `HEAD ${headed.digest}`, `GET ${got.digest}`])
			expect((await ask(asked.replace(' ', ' /v2/app/manifests/'))).status).toBe(200)
		// By a clock that was put back: the time of the loss says nothing.
		clock -= 2 * HOUR
		await ask('DELETE /v2/app/manifests/main')
		clock += 2 * HOUR + 1000
		await restart()
		const gone = removed(await prune({ rules: [{ untagged: true }] }))
		expect(gone).toContain(unasked.digest)
		for (const each of [byTag, headed, got]) expect(gone).not.toContain(each.digest)
	})

	it('has a crash leave all of it or nothing', async () => {
		for (const tag of ['v1', 'v2', 'v3']) {
			await push(tag, `layer of ${tag}`)
			clock += HOUR
		}
		clock += HOUR
		await storage.close()
		const before = await readFile(join(directory, 'journal'))
		open()
		await prune({ rules: [{ keep: 1 }] })
		await storage.close()
		const after = await readFile(join(directory, 'journal'))
		for (let length = before.byteLength; length <= after.byteLength; length += 7) {
			// The files that were removed count for nothing here.
			await writeFile(join(directory, 'journal'), after.subarray(0, length))
			open()
			const tags = storage.listTags('app', { limit: 10 })?.tags ?? []
			const { artifacts } = storage.statistics()
			expect([`${tags.join()} ${artifacts}`]).toEqual([tags.length === 3 ? 'v1,v2,v3 3' : 'v3 1'])
			await storage.close()
		}
		await writeFile(join(directory, 'journal'), after)
		open()
		expect(storage.listTags('app', { limit: 10 })?.tags).toEqual(['v3'])
	})

	it('reads journals of before times were kept', async () => {
		await storage.close()
		open(0)
		await push('v1', 'layer')
		await storage.close()
		const { formatRecord, parseRecord } = await import('./record.ts')
		const lines = (await readFile(join(directory, 'journal'), 'utf8'))
			.split('\n')
			.filter((line) => line.length > 1)
		const old = lines.map((line) => {
			const record = parseRecord(line)
			if (!record) throw new Error('no record')
			const {
				at: _,
				references: __,
				...rest
			} = record as typeof record & { at?: number; references?: unknown }
			return formatRecord(rest as typeof record)
		})
		await writeFile(join(directory, 'journal'), old.join(''))
		open()
		expect(removed(await prune({ rules: [{ untagged: true }], graceMs: 0 }))).toEqual([])
		clock = (await stat(join(directory, 'journal'))).mtimeMs + 3 * HOUR
		await restart()
		expect(removed(await prune({ rules: [{ tag: 'v1' }] }))).toHaveLength(4)
	})
})

describe('pruning beside pushes', () => {
	/** Numbers that look random and are the same each time. */
	const numbers = (seed: number): (() => number) => {
		let state = seed
		return () => {
			state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
			return state / 2 ** 32
		}
	}

	const pause = async (turns: number): Promise<void> => {
		for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve))
	}

	/** A client that sends only what the registry says it does not have, and tells when that was not true. */
	async function client(random: () => number, name: number): Promise<number> {
		let pushes = 0
		for (let round = 0; round < 10; round++) {
			// Time passes with what the clients do, so that no push takes longer than the grace period.
			clock += Math.floor(random() * 3000)
			const layer = `layer ${Math.floor(random() * 12)}`
			for (const content of ['{}', layer]) {
				if ((await head(`blobs/${digestOf(content)}`)) === 404) await pushBlob(content)
				await pause(Math.floor(random() * 6))
			}
			const { status, digest } = await putManifest(`c${name}-${Math.floor(random() * 3)}`, imageOf(layer))
			expect(status).toBe(201)
			pushes++
			await pause(Math.floor(random() * 4))
			// Nobody else moves it, and within the grace period it is not let go.
			expect(await head(`manifests/${digest}`)).toBe(200)
		}
		return pushes
	}

	it.each(Array.from({ length: 25 }, (_, index) => index + 1))(
		'loses nothing that was acknowledged, however they meet (%i)',
		async (seed) => {
			const random = numbers(seed)
			// So short that old rounds are let go while new ones are pushed.
			const graceMs = 10_000
			const stopped = new AbortController()
			const pruner = (async () => {
				let count = 0
				while (!stopped.signal.aborted) {
					const report = await prune({ graceMs, rules: [{ untagged: true }, { tag: 'c?-2' }] })
					count += removed(report).length
					await pause(Math.floor(random() * 5))
				}
				return count
			})()
			const clients = await Promise.allSettled([1, 2, 3].map((name) => client(random, name)))
			stopped.abort()
			expect(await pruner).toBeGreaterThan(0)
			for (const each of clients) expect(each).toMatchObject({ status: 'fulfilled' })

			const check = async (): Promise<void> => {
				for (const tag of storage.listTags('app', { limit: 100 })?.tags ?? []) {
					const digest = storage.resolveTag('app', tag)
					if (!digest) throw new Error('a tag without a digest')
					const bytes = storage.readManifest('app', digest)
					const { layers } = JSON.parse(String(bytes)) as { layers: { digest: Digest }[] }
					for (const each of layers) {
						const content = storage.openBlob('app', each.digest)?.read()
						if (!(content instanceof Uint8Array)) throw new Error('no layer')
						expect(digestOf(content)).toBe(each.digest)
					}
				}
			}
			await check()
			const before = storage.statistics()
			await restart()
			expect(storage.statistics()).toEqual(before)
			await check()
		},
	)

	it('has a blob that came a moment before, and its manifest after', async () => {
		await push('v1', 'old')
		clock += 2 * HOUR
		await pushBlob('{}')
		await pushBlob('new')
		clock += 50
		await prune({ rules: [{ keep: 1 }] })
		clock += 50
		expect((await putManifest('v2', imageOf('new'))).status).toBe(201)
	})

	it('never takes what a manifest on its way refers to, without any grace', async () => {
		await pushBlob('{}')
		await pushBlob('layer')
		const pushing = putManifest('v1', imageOf('layer'))
		// Its answer is not there yet; what it refers to was seen.
		await pause(1)
		const [report] = await Promise.all([prune({ graceMs: 0 }), pushing])
		expect((await pushing).status).toBe(201)
		expect(removed(report)).toEqual([])
		expect(await head(`blobs/${digestOf('layer')}`)).toBe(200)
	})
})

it('a full disk leaves everything as it was', async () => {
	const { digest } = await push('v1', 'layer')
	clock += 2 * HOUR
	const { Journal } = await import('./journal.ts')
	const { Catalog } = await import('./catalog.ts')
	const { prune: pruneParts } = await import('./prune.ts')
	const { Holds } = await import('./holds.ts')
	const catalog = new Catalog()
	const at = clock - 2 * HOUR
	catalog.apply({ type: 'blob', repository: 'app', digest: digestOf('layer'), size: 5, at })
	catalog.apply({
		type: 'manifest',
		repository: 'app',
		digest,
		size: 3,
		mediaType: MediaType.imageManifest,
		references: [digestOf('layer')],
		tags: ['v1', 'v2'],
		at,
	})
	const path = join(directory, 'other')
	const journal = new Journal(path, {
		lines: 0,
		length: 0,
		live: () => catalog.records(),
		packs: new Packs(join(directory, 'other-packs'), { journalPath: path }),
		compactLines: 10,
	})
	const held = (): unknown[] =>
		[...catalog.records()].map((record) =>
			'tags' in record ? { ...record, tags: record.tags?.toSorted() } : record,
		)
	const before = held()
	const contentHeld = new Holds<Digest>()
	const heldMeanwhile: boolean[] = []
	journal.append = () => {
		// Whoever finds that nobody has it must not remove it yet.
		heldMeanwhile.push(catalog.contentSize(digest) === undefined && contentHeld.has(digest))
		return Promise.reject(Object.assign(new Error('full'), { code: 'ENOSPC' }))
	}
	const removedFiles: Digest[] = []
	const parts = {
		catalog,
		journal,
		needs: { references: () => [digestOf('layer')] },
		removeFile: (each: Digest) => void removedFiles.push(each),
		uploads: { oldestActive: () => undefined },
		isHeld: () => false,
		held: contentHeld,
		heldTags: new Holds(),
		now: () => clock,
	}
	await expect(
		pruneParts(parts as unknown as Parameters<typeof pruneParts>[0], { rules: [{ tag: '*' }] }),
	).rejects.toMatchObject({ code: 'ENOSPC' })
	expect(held()).toEqual(before)
	expect(removedFiles).toEqual([])
	expect(heldMeanwhile).toEqual([true])
	expect(contentHeld.has(digest)).toBe(false)
	await journal.close()
})
