import { expect, it } from 'vitest'
import { bytesSource, type ContentSource, createMemoryStore } from '../content/index.ts'
import { MediaType } from '../oci/index.ts'
import { describeArtifact } from './describe-artifact.ts'

const config = bytesSource(MediaType.empty, Buffer.from('{}'))
const image = bytesSource(
	MediaType.imageManifest,
	Buffer.from(JSON.stringify({ schemaVersion: 2, config: config.descriptor, layers: [] })),
)

/** An index that lists the same so many times. */
function indexOf(listed: ContentSource, times: number): ContentSource {
	const manifests = Array.from({ length: times }, () => listed.descriptor)
	const text = JSON.stringify({ schemaVersion: 2, mediaType: MediaType.imageIndex, manifests })
	return bytesSource(MediaType.imageIndex, Buffer.from(text))
}

it('reads a bounded part of what indexes list, however they list one another', async () => {
	const sources = [config, image]
	for (let depth = 0; depth < 4; depth++) sources.push(indexOf(sources.at(-1) ?? image, 40))
	const memory = createMemoryStore()
	for (const source of sources) await memory.push(source)
	let reads = 0
	const store = {
		...memory,
		fetch: async (...asked: Parameters<typeof memory.fetch>) => {
			reads++
			return await memory.fetch(...asked)
		},
	}
	const [root] = sources.slice(-1)
	if (!root) throw new Error('there is none')
	expect(await describeArtifact(store, root.descriptor)).toMatchObject({ type: MediaType.imageIndex })
	expect(reads).toBeLessThan(100)
})

it('adds up the images of an index', async () => {
	const index = indexOf(image, 3)
	const memory = createMemoryStore()
	for (const source of [config, image, index]) await memory.push(source)
	const { size } = index.descriptor
	expect(await describeArtifact(memory, index.descriptor)).toMatchObject({
		size: size + 3 * (image.descriptor.size + config.descriptor.size),
	})
})
