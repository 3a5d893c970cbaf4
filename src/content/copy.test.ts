import { describe, expect, it } from 'vitest'
import { type Descriptor, MediaType } from '../oci/index.ts'
import {
	bytesSource,
	type ContentSource,
	type ContentStore,
	copy,
	createMemoryStore,
	createSourceStore,
	type ReadableStore,
} from './index.ts'

const config = bytesSource(MediaType.empty, Buffer.from('{}'))

function json(mediaType: string, value: object): ContentSource {
	return bytesSource(mediaType, Buffer.from(JSON.stringify(value)))
}

function image(text: string, extra: object = {}): { manifest: ContentSource; sources: ContentSource[] } {
	const layer = bytesSource(MediaType.layerTar, Buffer.from(text))
	const value = { schemaVersion: 2, config: config.descriptor, layers: [layer.descriptor], ...extra }
	const manifest = json(MediaType.imageManifest, value)
	return { manifest, sources: [config, layer, manifest] }
}

/** A store that notes what is pushed, and holds a manifest only after what it refers to. */
function recording(store: ContentStore = createMemoryStore()): { store: ContentStore; pushed: Descriptor[] } {
	const pushed: Descriptor[] = []
	return {
		pushed,
		store: {
			...store,
			async push(source, options) {
				await store.push(source, options)
				pushed.push(source.descriptor)
			},
		},
	}
}

describe('copy', () => {
	it('pushes what a manifest refers to before the manifest, through nested indexes', async () => {
		const [one, two] = [image('one'), image('two')]
		const inner = json(MediaType.imageIndex, { schemaVersion: 2, manifests: [one.manifest.descriptor] })
		const outer = json(MediaType.imageIndex, {
			schemaVersion: 2,
			manifests: [inner.descriptor, two.manifest.descriptor],
		})
		const source = createSourceStore([...one.sources, ...two.sources, inner, outer])
		const { store, pushed } = recording()
		const result = await copy({ source, destination: store, root: outer.descriptor, tags: ['v1'] })
		expect(result).toMatchObject({
			changed: true,
			copied: { count: 7 },
			skipped: { count: 0 },
			tagged: ['v1'],
		})
		const order = pushed.map(({ digest }) => digest)
		const before = (a: ContentSource, b: ContentSource): boolean =>
			order.indexOf(a.descriptor.digest) < order.indexOf(b.descriptor.digest)
		expect([before(config, one.manifest), before(one.manifest, inner), before(inner, outer)]).toEqual([
			true,
			true,
			true,
		])
		expect(await store.resolve('v1')).toEqual(outer.descriptor)
	})

	it('moves only what is missing, and nothing when the tag names it already', async () => {
		const [one, two] = [image('one'), image('two')]
		const { store, pushed } = recording()
		const options = { destination: store, tags: ['latest'] }
		await copy({ ...options, source: createSourceStore(one.sources), root: one.manifest.descriptor })
		const second = { ...options, source: createSourceStore(two.sources), root: two.manifest.descriptor }
		expect(await copy(second)).toMatchObject({ copied: { count: 2 }, skipped: { count: 1, bytes: 2 } })
		const count = pushed.length
		expect(await copy(second)).toMatchObject({ changed: false, copied: { count: 0 }, tagged: [] })
		expect(await copy({ ...second, tags: ['latest', 'v2'] })).toMatchObject({ changed: true, tagged: ['v2'] })
		expect(pushed).toHaveLength(count)
	})

	it('takes referrers along to any depth, only when asked', async () => {
		const base = image('base')
		const signature = image('signature', { subject: base.manifest.descriptor })
		const countersign = image('counter', { subject: signature.manifest.descriptor })
		const source = createSourceStore([...base.sources, ...signature.sources, ...countersign.sources])
		const plain = createMemoryStore()
		const root = base.manifest.descriptor
		await copy({ source, destination: plain, root })
		expect(await plain.referrers(root)).toEqual([])
		await copy({ source, destination: plain, root, referrers: true })
		expect(await plain.exists(countersign.manifest.descriptor)).toBe(true)
	})

	it('blames the source for content that is corrupt there', async () => {
		const { manifest, sources } = image('x')
		const source = createSourceStore(sources)
		const damaged: ReadableStore = {
			...source,
			open: (target) => (target.mediaType === MediaType.layerTar ? undefined : source.open?.(target)),
			async fetch(target, options) {
				if (target.mediaType !== MediaType.layerTar) return await source.fetch(target, options)
				return (async function* () {
					yield Buffer.alloc(target.size)
				})()
			},
		}
		const root = manifest.descriptor
		await expect(copy({ source: damaged, destination: createMemoryStore(), root })).rejects.toMatchObject({
			code: 'CONTENT_CORRUPT',
			details: ['while working on the source'],
		})
	})

	it('names the side that failed, and leaves no tag behind', async () => {
		const { manifest, sources } = image('x')
		const destination = createMemoryStore()
		const root = manifest.descriptor
		const incomplete = createSourceStore(
			sources.filter(({ descriptor }) => descriptor.mediaType !== MediaType.layerTar),
		)
		await expect(copy({ source: incomplete, destination, root, tags: ['v1'] })).rejects.toMatchObject({
			code: 'NOT_FOUND',
			details: ['while working on the source'],
		})
		expect(await destination.resolve('v1')).toBeUndefined()
		expect(await destination.exists(root)).toBe(false)
	})

	it('does not begin what was called off', async () => {
		const { manifest, sources } = image('x')
		const { store, pushed } = recording()
		const signal = AbortSignal.abort(new Error('enough'))
		const copying = copy({
			source: createSourceStore(sources),
			destination: store,
			root: manifest.descriptor,
			signal,
		})
		await expect(copying).rejects.toThrow('enough')
		expect(pushed).toEqual([])
	})
})
