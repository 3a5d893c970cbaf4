import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { type Digest, digestOf } from '../../src/oci/index.ts'
import { inlineContent, packsOf } from '../../src/registry/server/stored-content.fixture.ts'
import { type Exchange, exchangeWith } from './exchange.ts'
import { CONFIG, type Image, imageOf, must, pushBlob, putManifest, WrongAnswer } from './image.ts'
import { Expectations, type Key } from './expectations.ts'
import type { Random } from './random.ts'
import { type RegistryProcess, startServer } from './server.ts'

export interface CrashOptions {
	readonly program: string
	readonly data: string
	readonly rounds: number
	readonly random: Random
}

export interface Crashed {
	/** Changes that were acknowledged, over all rounds. */
	readonly acknowledged: number
	/** Uploads that went on after a restart. */
	readonly resumed: number
	/** Journals that were written anew. */
	readonly packs: number
}

/** So few that the journal is written anew in most rounds, in bytes. */
const JOURNAL_BYTES = 20_000
const WRITERS = 4
const TAGS = ['v1', 'v2', 'v3', 'latest'] as const
/** A round ends after fewer changes than this, and as many milliseconds after the last. */
const CHANGES = 15
const EXTRA_MS = 10

interface Unfinished {
	readonly location: string
	readonly content: Buffer
	readonly repository: string
	/** Bytes of it that the registry said it has. */
	acknowledged: number
}

interface World {
	readonly expected: Expectations
	readonly unfinished: Set<Unfinished>
	readonly random: Random
	/** Images that were begun to be pushed, by repository. */
	readonly images: Map<string, Image[]>
	serial: number
}

/**
 * Kills a registry over and over while several clients push, tag and delete, and checks after every
 * restart that it is as it said: what was acknowledged, and at most what was under way besides.
 */
export async function crashRounds(options: CrashOptions): Promise<Crashed> {
	const { random, rounds } = options
	const world: World = {
		expected: new Expectations(),
		unfinished: new Set(),
		random,
		images: new Map(),
		serial: 0,
	}
	let resumed = 0
	for (let round = 0; round <= rounds; round++) {
		const server = await startServer({ ...options, journalBytes: JOURNAL_BYTES })
		try {
			const exchange = exchangeWith(server.url)
			const isLast = round === rounds
			resumed += await resume(exchange, world)
			for (const key of isLast ? world.expected.keys() : world.expected.touched())
				await verify(exchange, world.expected, key)
			world.expected.forgetTouched()
			await everyTagResolves(exchange, world)
			if (isLast) filesAreThoseNamed(options.data, world.expected)
			else await workUntilKilled(server, { exchange, world })
			if (server.log() !== '') throw new WrongAnswer(`the registry complains: ${server.log()}`)
		} finally {
			await server.kill()
		}
	}
	const packs = Math.max(0, ...packsOf(options.data).map(Number))
	return { acknowledged: world.expected.settled, resumed, packs }
}

async function workUntilKilled(
	server: RegistryProcess,
	{ exchange, world }: { readonly exchange: Exchange; readonly world: World },
): Promise<void> {
	const killed = new AbortController()
	const writers = Array.from({ length: WRITERS }, async (_, writer) => {
		try {
			while (!killed.signal.aborted) await change(exchange, { world, repository: `w${writer}` })
		} catch (error) {
			if (error instanceof WrongAnswer || !killed.signal.aborted) throw error
		}
	})
	const failed = Promise.all(writers)
	await Promise.race([failed, someTime(world)])
	killed.abort()
	await server.kill()
	await failed
}

/** Counted in changes, so that slow machines do as much as fast ones. */
async function someTime({ expected, random }: World): Promise<void> {
	const end = expected.settled + random.below(CHANGES)
	while (expected.settled < end) await delay(1)
	await delay(random() * EXTRA_MS)
}

/** One thing that a client does. */
async function change(
	exchange: Exchange,
	{ world, repository }: { readonly world: World; readonly repository: string },
): Promise<void> {
	const { random, expected } = world
	const known = world.images.get(repository) ?? []
	const image = known[random.below(known.length)]
	const dice = random()
	if (image === undefined || dice < 0.55) return push(exchange, { world, repository })
	if (dice < 0.65) return beginUpload(exchange, { world, repository })
	const { digest } = image
	if (dice < 0.8) {
		const tag = random.of(TAGS)
		const key = { repository, kind: 'tag', name: tag } as const
		if (expected.value(key) === undefined || expected.value(key) === 'absent') return
		expected.attempt(key, 'absent')
		must(await exchange(`DELETE /v2/${repository}/manifests/${tag}`), 202, 'DELETE of a tag')
		return expected.settle(key, 'absent')
	}
	const kind = dice < 0.9 ? 'manifest' : 'blob'
	const name = kind === 'manifest' ? digest : digestOf(image.layer)
	const key = { repository, kind, name } as const
	if (expected.value(key) !== 'present') return
	if (kind === 'blob') {
		const whole = expected.value({ repository, kind: 'manifest', name: image.digest })
		const path = `/v2/${repository}/blobs/${name}`
		// What a manifest needs stays.
		if (whole === 'present') must(await exchange(`DELETE ${path}`), 409, 'DELETE of a layer that is needed')
		if (whole !== 'absent') return
	}
	const tags = kind === 'blob' ? [] : TAGS.map((tag) => ({ repository, kind: 'tag', name: tag }) as const)
	const gone = [key, ...tags.filter((each) => expected.value(each) === digest)]
	for (const each of gone) expected.attempt(each, 'absent')
	must(await exchange(`DELETE /v2/${repository}/${kind}s/${name}`), 202, `DELETE of a ${kind}`)
	for (const each of gone) expected.settle(each, 'absent')
}

async function push(
	exchange: Exchange,
	{ world, repository }: { readonly world: World; readonly repository: string },
): Promise<void> {
	const { random, expected } = world
	// Now and then content that others push and delete too, or that goes through a file.
	const serial = random() < 0.3 ? `shared ${random.below(4)}` : `${world.serial++}`
	const size = random() < 0.15 ? 1_200_000 : 600
	const image = imageOf(Buffer.alloc(size, `${serial} `), `${repository} ${serial}`)
	world.images.set(repository, [...(world.images.get(repository) ?? []).slice(-20), image])
	for (const content of [CONFIG, image.layer]) {
		const key = { repository, kind: 'blob', name: digestOf(content) } as const
		expected.attempt(key, 'present')
		await pushBlob(exchange, { repository, content, random })
		expected.settle(key, 'present')
	}
	const tag = random() < 0.8 ? random.of(TAGS) : undefined
	const manifest = { repository, kind: 'manifest', name: image.digest } as const
	expected.attempt(manifest, 'present')
	const tagged = tag && ({ repository, kind: 'tag', name: tag } as const)
	if (tagged) expected.attempt(tagged, image.digest)
	await putManifest(exchange, { repository, reference: tag ?? image.digest, image })
	expected.settle(manifest, 'present')
	if (tagged) expected.settle(tagged, image.digest)
	await moveCommonTag(exchange, { world, image })
}

/** One tag that all writers move, in a repository from which nothing is deleted. */
async function moveCommonTag(
	exchange: Exchange,
	{ world: { expected, random }, image }: { readonly world: World; readonly image: Image },
): Promise<void> {
	const repository = 'common'
	for (const content of [CONFIG, image.layer]) {
		const key = { repository, kind: 'blob', name: digestOf(content) } as const
		expected.attempt(key, 'present')
		await pushBlob(exchange, { repository, content, random })
		expected.settle(key, 'present')
	}
	const manifest = { repository, kind: 'manifest', name: image.digest } as const
	const tag = { repository, kind: 'tag', name: 'latest' } as const
	expected.attempt(manifest, 'present')
	expected.attempt(tag, image.digest)
	await putManifest(exchange, { repository, reference: 'latest', image })
	expected.settle(manifest, 'present')
	expected.isThere(tag)
}

async function beginUpload(
	exchange: Exchange,
	{ world, repository }: { readonly world: World; readonly repository: string },
): Promise<void> {
	const content = Buffer.alloc(1000 + world.random.below(200_000), `upload ${world.serial++} `)
	const started = must(await exchange(`POST /v2/${repository}/blobs/uploads/`), 202, 'the start of an upload')
	const upload = { location: String(started.headers.location), content, repository, acknowledged: 0 }
	world.unfinished.add(upload)
	const half = content.subarray(0, Math.ceil(content.byteLength / 2))
	must(await exchange(`PATCH ${upload.location}`, { body: half }), 202, 'half an upload')
	upload.acknowledged = half.byteLength
}

/** Goes on with every upload from where the registry says it stands. Returns how many there were. */
async function resume(exchange: Exchange, { unfinished, expected }: World): Promise<number> {
	let resumed = 0
	for (const upload of unfinished) {
		const { location, content, repository, acknowledged } = upload
		unfinished.delete(upload)
		const found = await exchange(`GET ${location}`)
		// Nothing that was said to be there may be gone.
		if (acknowledged === 0 && found.status === 404) continue
		must(found, 204, 'the state of an upload after a restart')
		const last = Number(/^0-(\d+)$/.exec(String(found.headers.range))?.[1])
		// `0-0` is what the specification has for nothing too.
		const offset = last === 0 ? 0 : last + 1
		if (offset < acknowledged) throw new WrongAnswer(`an upload stands at ${offset}, not ${acknowledged}`)
		const rest = content.subarray(offset)
		const headers = { 'content-range': `${offset}-${content.byteLength - 1}` }
		must(await exchange(`PATCH ${location}`, { headers, body: rest }), 202, 'the rest of an upload')
		const digest = digestOf(content)
		must(await exchange(`PUT ${location}?digest=${digest}`), 201, 'the end of an upload that was resumed')
		expected.settle({ repository, kind: 'blob', name: digest }, 'present')
		resumed++
	}
	return resumed
}

async function verify(exchange: Exchange, expected: Expectations, key: Key): Promise<void> {
	const { repository, kind, name } = key
	const path = kind === 'blob' ? `blobs/${name}` : `manifests/${name}`
	const { status, bytes } = await exchange(`GET /v2/${repository}/${path}`)
	if (status !== 404 && status !== 200) throw new WrongAnswer(`GET of ${kind} ${name}: ${status}`)
	const digest = digestOf(bytes)
	if (status === 200 && kind !== 'tag' && digest !== name)
		throw new WrongAnswer(`${kind} ${name} has the content of ${digest}`)
	const present = kind === 'tag' ? digest : 'present'
	expected.check(key, status === 404 ? 'absent' : present)
}

/** Each tag that is listed names a manifest that is there. */
async function everyTagResolves(exchange: Exchange, { expected }: World): Promise<void> {
	for (const repository of new Set(expected.keys().map((key) => key.repository))) {
		const list = await exchange(`GET /v2/${repository}/tags/list`)
		if (list.status === 404) continue
		const { tags } = JSON.parse(must(list, 200, 'tags/list').bytes.toString()) as { readonly tags: string[] }
		for (const tag of tags) {
			const { bytes, headers } = must(
				await exchange(`GET /v2/${repository}/manifests/${tag}`),
				200,
				`tag ${tag}`,
			)
			if (digestOf(bytes) !== headers['docker-content-digest'])
				throw new WrongAnswer(`tag ${tag} has the wrong content`)
			if (expected.value({ repository, kind: 'tag', name: tag }) === undefined)
				throw new WrongAnswer(`nobody pushed tag ${tag}`)
		}
	}
}

/**
 * Every file is named by someone, and every pack has content that is; besides, there are whole uploads whose
 * clients may come back, and no others.
 */
function filesAreThoseNamed(data: string, expected: Expectations): void {
	const named = new Set<Digest>()
	for (const key of expected.keys())
		if (key.kind !== 'tag' && expected.value(key) === 'present') named.add(key.name as Digest)
	const small = inlineContent(data)
	const files = new Set(readdirSync(join(data, 'blobs/sha256')).map((name) => `sha256:${name}` as Digest))
	for (const name of named)
		if (!files.has(name) && !small.has(name)) throw new WrongAnswer(`${name} is nowhere`)
	for (const name of files) if (!named.has(name)) throw new WrongAnswer(`nobody names the file ${name}`)
	const needed = new Set([...named].map((name) => small.get(name)?.path))
	const packs = packsOf(data)
	for (const pack of packs)
		if (!needed.has(join(data, 'packs', pack))) throw new WrongAnswer(`nobody names what pack ${pack} has`)
	const uploads = new Set(readdirSync(join(data, 'uploads')))
	for (const name of uploads) {
		const isWhole = uploads.has(name.replace(/\.repository$/, '')) || uploads.has(`${name}.repository`)
		if (!isWhole) throw new WrongAnswer(`left over: ${name}`)
	}
}
