import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LadingError } from '../errors/index.ts'
import { type Descriptor, isManifestType, MediaType, parseManifest } from '../oci/index.ts'
import {
	bytesSource,
	type ContentSource,
	type ContentStore,
	copy,
	copyAll,
	createDryRun,
	createMemoryStore,
	type ReadableStore,
} from './index.ts'

interface Plan {
	readonly blobs: number
	/** Each refers to what stands before it, by numbers that are taken modulo. */
	readonly manifests: readonly {
		readonly kind: 'image' | 'index'
		readonly parts: readonly number[]
		readonly subject?: number | undefined
	}[]
}

const plans: fc.Arbitrary<Plan> = fc.record({
	blobs: fc.integer({ min: 1, max: 5 }),
	manifests: fc.array(
		fc.record({
			kind: fc.constantFrom('image' as const, 'index' as const),
			parts: fc.array(fc.nat(20), { maxLength: 4 }),
			subject: fc.option(fc.nat(20), { nil: undefined, freq: 2 }),
		}),
		{ minLength: 1, maxLength: 9 },
	),
})

interface Graph {
	readonly all: readonly ContentSource[]
	readonly manifests: readonly ContentSource[]
}

function build({ blobs, manifests }: Plan): Graph {
	const layers = Array.from({ length: blobs }, (_, index) =>
		bytesSource(MediaType.layerTar, Buffer.from(`blob ${index}`)),
	)
	const config = bytesSource(MediaType.empty, Buffer.from('{}'))
	const made: ContentSource[] = []
	for (const [index, { kind, parts, subject }] of manifests.entries()) {
		const from = kind === 'image' ? layers : made
		const listed = parts.flatMap((part) => from[part % from.length]?.descriptor ?? [])
		const pointed = subject === undefined ? undefined : made[subject % made.length]?.descriptor
		const value = {
			schemaVersion: 2,
			...(kind === 'image' ? { config: config.descriptor, layers: listed } : { manifests: listed }),
			...(pointed && { subject: pointed }),
			// No two are the same.
			annotations: { index: String(index) },
		}
		const type = kind === 'image' ? MediaType.imageManifest : MediaType.imageIndex
		made.push(bytesSource(type, Buffer.from(JSON.stringify(value))))
	}
	return { all: [...layers, config, ...made], manifests: made }
}

function partsOf({ descriptor, bytes = new Uint8Array() }: ContentSource): readonly Descriptor[] {
	if (!isManifestType(descriptor.mediaType)) return []
	const parsed = parseManifest(bytes, descriptor.mediaType)
	if (parsed.kind === 'image') return [parsed.manifest.config, ...parsed.manifest.layers]
	return parsed.kind === 'index' ? parsed.manifest.manifests : []
}

function subjectOf({ descriptor, bytes = new Uint8Array() }: ContentSource): string | undefined {
	if (!isManifestType(descriptor.mediaType)) return undefined
	const parsed = parseManifest(bytes, descriptor.mediaType)
	return parsed.kind === 'other' ? parsed.subject?.digest : parsed.manifest.subject?.digest
}

/** What a copy has to bring along, worked out the slow way. */
function closure({ all }: Graph, root: ContentSource, referrers: boolean): ReadonlySet<string> {
	const found = new Set<string>([root.descriptor.digest])
	for (let before = 0; before !== found.size;) {
		before = found.size
		for (const each of all) {
			const isIn = found.has(each.descriptor.digest)
			if (isIn) for (const part of partsOf(each)) found.add(part.digest)
			// Only what a copy walks to by manifests: every one in the closure is one.
			else if (referrers && found.has(subjectOf(each) ?? '')) found.add(each.descriptor.digest)
		}
	}
	return found
}

async function filled(graph: Graph): Promise<ContentStore> {
	const store = createMemoryStore()
	for (const each of graph.all) await store.push(each)
	return store
}

/** A destination that takes a manifest only after its parts, and a tag only for what is there. */
function strict(): { readonly store: ContentStore; readonly pushed: string[] } {
	const store = createMemoryStore()
	const pushed: string[] = []
	return {
		pushed,
		store: {
			...store,
			async push(source, options) {
				const bytes: Uint8Array[] = []
				for await (const chunk of source.open(options)) bytes.push(chunk)
				const whole = { ...source, bytes: Buffer.concat(bytes) }
				for (const part of partsOf(whole))
					if (!(await store.exists(part))) throw new Error(`${part.digest} is not there yet`)
				await store.push(source, options)
				pushed.push(source.descriptor.digest)
			},
		},
	}
}

/** A source that has lost contents, and says still that they are there. */
function without(source: ReadableStore, lost: ReadonlySet<string>): ReadableStore {
	return {
		...source,
		fetch: async (target, options) =>
			lost.has(target.digest) ? undefined : await source.fetch(target, options),
	}
}

async function held(store: ContentStore, { all }: Graph): Promise<ReadonlySet<string>> {
	const found = new Set<string>()
	for (const { descriptor } of all) if (await store.exists(descriptor)) found.add(descriptor.digest)
	return found
}

describe('copy over any graph', () => {
	it('brings exactly what the root is made of, and what points at it, in the right order and once', async () => {
		await fc.assert(
			fc.asyncProperty(plans, fc.nat(8), fc.boolean(), async (plan, at, referrers) => {
				const graph = build(plan)
				const root = graph.manifests[at % graph.manifests.length]
				if (!root) return
				const source = await filled(graph)
				const { store, pushed } = strict()
				const options = { source, destination: store, root: root.descriptor, tags: ['v1', 'v2'], referrers }
				const wanted = closure(graph, root, referrers)

				const dry = await copy({ ...options, destination: createDryRun(store) })
				expect(pushed).toEqual([])
				const first = await copy(options)
				expect(await held(store, graph)).toEqual(wanted)
				expect(pushed).toHaveLength(wanted.size)
				expect({ ...first, skipped: dry.skipped }).toEqual(dry)
				expect((await store.resolve('v1'))?.digest).toBe(root.descriptor.digest)

				const again = await copy(options)
				expect(again).toMatchObject({ changed: false, copied: { count: 0 }, tagged: [] })
			}),
			{ numRuns: 200 },
		)
	})

	it('names the source when something is missing there, tags nothing, and goes on later from where it was', async () => {
		await fc.assert(
			fc.asyncProperty(plans, fc.nat(8), fc.array(fc.nat(20), { maxLength: 3 }), async (plan, at, holes) => {
				const graph = build(plan)
				const root = graph.manifests[at % graph.manifests.length]
				if (!root) return
				const source = await filled(graph)
				const lost = new Set<string>(
					holes.flatMap((hole) => graph.all[hole % graph.all.length]?.descriptor.digest ?? []),
				)
				const { store, pushed } = strict()
				const options = { destination: store, root: root.descriptor, tags: ['v1'], referrers: true }
				// A manifest that is lost hides what is below it, and is enough to fail.
				const wanted: ReadonlySet<string> = closure(graph, root, true)
				const isWhole = [...wanted].every((digest) => !lost.has(digest))
				const outcome = await copy({ ...options, source: without(source, lost) }).catch((error: unknown) => ({
					code: error instanceof LadingError ? error.code : error,
					details: error instanceof LadingError ? error.details : [],
				}))
				const failure = { code: 'NOT_FOUND', details: ['while working on the source'] }
				expect(outcome).toMatchObject(isWhole ? { tagged: ['v1'] } : failure)
				expect((await store.resolve('v1'))?.digest).toBe(isWhole ? root.descriptor.digest : undefined)
				await copy({ ...options, source })
				expect(await held(store, graph)).toEqual(wanted)
				expect(new Set(pushed).size).toBe(pushed.length)
				expect((await store.resolve('v1'))?.digest).toBe(root.descriptor.digest)
			}),
			{ numRuns: 200 },
		)
	})

	it('copies many roots as it copies each', async () => {
		await fc.assert(
			fc.asyncProperty(plans, fc.integer({ min: 1, max: 6 }), async (plan, concurrency) => {
				const graph = build(plan)
				const source = await filled(graph)
				const { store, pushed } = strict()
				const roots = graph.manifests.map(({ descriptor }, index) => ({
					root: descriptor,
					tags: [`v${index}`],
				}))
				const result = await copyAll({ source, destination: store, roots, referrers: true, concurrency })
				expect(result.roots.map(({ tagged }) => tagged)).toEqual(roots.map(({ tags }) => tags))
				const wanted = new Set<string>(graph.manifests.flatMap((root) => [...closure(graph, root, true)]))
				expect(await held(store, graph)).toEqual(wanted)
				expect(new Set(pushed).size).toBe(pushed.length)
				for (const { root, tags } of roots)
					expect((await store.resolve(tags[0] ?? ''))?.digest).toBe(root.digest)
			}),
			{ numRuns: 100 },
		)
	})
})

it('asks the source one thing at a time about a root, so that one connection is enough', async () => {
	const graph = build({ blobs: 1, manifests: [{ kind: 'image', parts: [0] }] })
	const [root] = graph.manifests
	if (!root) throw new Error('no root')
	const store = await filled(graph)
	let [asked, most] = [0, 0]
	async function whileAsked(): Promise<void> {
		most = Math.max(most, ++asked)
		await new Promise((resolve) => void setImmediate(resolve))
		asked--
	}
	const source: ReadableStore = {
		...store,
		async fetch(target, options) {
			if (isManifestType(target.mediaType)) await whileAsked()
			return await store.fetch(target, options)
		},
		async referrers(target, options) {
			await whileAsked()
			return await store.referrers(target, options)
		},
	}
	const to = createMemoryStore()
	const destination: ContentStore = {
		...to,
		async pushTagged(manifest, tag) {
			await to.push(manifest)
			await to.tag(manifest.descriptor, tag, root.bytes ?? new Uint8Array())
		},
	}
	await copy({ source, destination, root: root.descriptor, tags: ['v1'], referrers: true })
	expect(most).toBe(1)
})

describe('mounting', () => {
	const graph = build({ blobs: 2, manifests: [{ kind: 'image', parts: [0, 1] }] })
	const [root] = graph.manifests

	/** A copy within a registry that mounts what `mounts` says, and lies about `lies`. */
	async function within(mounts: (digest: string) => boolean, lies: string): Promise<object> {
		if (!root) throw new Error('no root')
		const source = { ...(await filled(graph)), origin: { registry: 'r', repository: 'a' } }
		const { store } = strict()
		const destination: ContentStore = {
			...store,
			origin: { registry: 'r', repository: 'b' },
			async mount({ digest }) {
				const content = graph.all.find(({ descriptor }) => descriptor.digest === digest)
				if (mounts(digest) && content && digest !== lies) await store.push(content)
				return mounts(digest)
			},
		}
		return await copy({ source, destination, root: root.descriptor, tags: ['v1'] })
	}

	it('sends nothing but the manifest where the registry mounts', async () => {
		expect(await within(() => true, '')).toMatchObject({ copied: { count: 1 }, mounted: { count: 3 } })
	})

	it('uploads what was not mounted, and what a registry only says it has mounted', async () => {
		const [first, second] = graph.all.map(({ descriptor }) => descriptor.digest)
		const result = await within((digest) => digest !== second, first ?? '')
		expect(result).toMatchObject({ copied: { count: 3 }, mounted: { count: 1 } })
	})
})
