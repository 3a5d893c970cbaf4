import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { digestOf } from '../../src/oci/index.ts'
import { type RunningRegistry, serveRegistry } from '../../src/registry/server/index.ts'
import { type Exchange, exchangeWith } from './exchange.ts'
import { CONFIG, type Image, imageOf, must, pushBlob, putManifest, WrongAnswer } from './image.ts'
import { chosenSeed, type Random, randomFrom } from './random.ts'

/** Nothing that somebody was told of is removed within this time; what it takes from a blob to its manifest at most. */
const GRACE_MS = 5000
/** How many pushes, pulls, moves of tags and deletions, together; garbage is collected all the while. */
const OPERATIONS = Number(process.env.LADING_SOAK ?? 5000)
const CLIENTS = 8
const REPOSITORIES = ['one', 'two', 'three'] as const
const TAGS = ['v1', 'v2', 'v3', 'v4', 'latest'] as const

const data = mkdtempSync(join(tmpdir(), 'lading-'))
let registry: RunningRegistry
let exchange: Exchange
beforeAll(async () => {
	registry = await serveRegistry({
		dataDirectory: data,
		port: 0,
		plainHttp: true,
		// Written anew now and then, so that content moves from pack to pack.
		limits: { journalBytes: 200_000 },
	})
	exchange = exchangeWith(registry.url)
})
afterAll(async () => {
	await registry.close()
	rmSync(data, { recursive: true, force: true })
})

const seed = chosenSeed()
it(`knows every blob of every manifest through ${OPERATIONS} operations (LADING_SEED=${seed})`, async () => {
	let left = OPERATIONS
	const over = new AbortController()
	const collected = collectGarbage(over.signal)
	const done = { push: 0, pull: 0, move: 0, delete: 0 }
	await Promise.all(
		Array.from({ length: CLIENTS }, async (_, client) => {
			const random = randomFrom(seed + client)
			while (left-- > 0) done[await operate(random)]++
		}),
	)
	over.abort()
	await collected
	expect(Object.values(done).reduce((sum, count) => sum + count)).toBe(OPERATIONS)
	expect(Math.min(...Object.values(done))).toBeGreaterThan(0)
	for (const repository of REPOSITORIES) {
		const list = must(await exchange(`GET /v2/${repository}/tags/list`), 200, 'tags/list')
		const { tags } = JSON.parse(list.bytes.toString()) as { readonly tags: string[] }
		for (const tag of tags) await pull(repository, tag)
	}
})

/** Removes what nothing names, over and over. */
async function collectGarbage(signal: AbortSignal): Promise<void> {
	const rules = [{ untagged: true, olderThanMs: GRACE_MS }]
	let freed = 0
	while (!signal.aborted) {
		freed += (await registry.storage.prune({ rules, graceMs: GRACE_MS })).freedBytes
		await delay(100)
	}
	const last = { rules: [{ untagged: true, olderThanMs: 0 }], graceMs: 0 }
	freed += (await registry.storage.prune(last)).freedBytes
	expect(freed).toBeGreaterThan(0)
}

async function operate(random: Random): Promise<'push' | 'pull' | 'move' | 'delete'> {
	const repository = random.of(REPOSITORIES)
	const tag = random.of(TAGS)
	const dice = random()
	if (dice < 0.5) {
		await pull(repository, tag)
		return 'pull'
	}
	if (dice < 0.75) {
		await push(repository, { tag, random })
		return 'push'
	}
	if (dice < 0.95) {
		const found = await exchange(`GET /v2/${repository}/manifests/${random.of(TAGS)}`)
		if (found.status === 200) {
			const image: Image = { digest: digestOf(found.bytes), bytes: found.bytes, layer: Buffer.alloc(0) }
			await putManifest(exchange, { repository, reference: tag, image })
		}
		return 'move'
	}
	// Somebody else may have been first.
	const { status } = await exchange(`DELETE /v2/${repository}/manifests/${tag}`)
	if (status !== 202 && status !== 404) throw new WrongAnswer(`DELETE of a tag: ${status}`)
	return 'delete'
}

/** Content of which there is not much, so that the same is pushed, named and let go of at the same time. */
async function push(
	repository: string,
	{ tag, random }: { readonly tag: string; readonly random: Random },
): Promise<void> {
	const layer = Buffer.alloc(2000, `content ${random.below(200)} `)
	const image = imageOf(layer, `${repository} ${random.below(1000)}`)
	for (const content of [CONFIG, layer]) await pushBlob(exchange, { repository, content, random })
	await putManifest(exchange, { repository, reference: tag, image })
}

/** A tag, if it is there, the manifest by its digest, as Argo CD does, and every blob it names. */
async function pull(repository: string, tag: string): Promise<void> {
	const head = await exchange(`HEAD /v2/${repository}/manifests/${tag}`)
	if (head.status === 404) return
	const digest = String(must(head, 200, 'HEAD of a tag').headers['docker-content-digest'])
	const { bytes } = must(
		await exchange(`GET /v2/${repository}/manifests/${digest}`),
		200,
		'a digest of a tag',
	)
	const manifest = JSON.parse(bytes.toString()) as {
		readonly config: { readonly digest: string }
		readonly layers: readonly { readonly digest: string }[]
	}
	for (const each of [manifest.config, ...manifest.layers]) {
		const blob = must(
			await exchange(`GET /v2/${repository}/blobs/${each.digest}`),
			200,
			'a blob of a manifest',
		)
		if (digestOf(blob.bytes) !== each.digest) throw new WrongAnswer(`${each.digest} has other content`)
	}
}

it('eight writers move a tag that eight readers read without one failure', async () => {
	const over = new AbortController()
	const images = Array.from({ length: 8 }, (_, writer) => imageOf(Buffer.from(`writer ${writer}`), 'tag'))
	const random = randomFrom(seed)
	for (const { layer } of images)
		for (const content of [CONFIG, layer]) await pushBlob(exchange, { repository: 'tag', content, random })
	const first = images[0]
	if (first) await putManifest(exchange, { repository: 'tag', reference: 'moving', image: first })
	let reads = 0
	const readers = Array.from({ length: 8 }, async () => {
		while (!over.signal.aborted) {
			const { bytes, headers } = must(await exchange('GET /v2/tag/manifests/moving'), 200, 'a read')
			expect(digestOf(bytes)).toBe(headers['docker-content-digest'])
			reads++
		}
	})
	await Promise.all(
		images.map(async (image) => {
			for (let round = 0; round < 50; round++)
				await putManifest(exchange, { repository: 'tag', reference: 'moving', image })
		}),
	)
	over.abort()
	await Promise.all(readers)
	expect(reads).toBeGreaterThan(100)
	for (const { digest } of images)
		must(await exchange(`GET /v2/tag/manifests/${digest}`), 200, 'a digest whose tag has moved')
})
