import { describe, expect, it } from 'vitest'
import { emptyDescriptor, parseManifest } from './manifest.ts'
import { MediaType } from './media-types.ts'

const bytes = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value))
const layer = { mediaType: MediaType.layerTar, digest: emptyDescriptor.digest, size: 2 }

describe('parseManifest', () => {
	it('reads an image manifest, and goes by the type it was served with', () => {
		const manifest = { schemaVersion: 2, config: emptyDescriptor, layers: [layer], annotations: { a: 'b' } }
		expect(parseManifest(bytes(manifest), MediaType.imageManifest)).toMatchObject({ kind: 'image', manifest })
		expect(parseManifest(bytes(manifest), MediaType.dockerManifest)).toMatchObject({ kind: 'image' })
		expect(parseManifest(bytes(manifest), 'application/json')).toEqual({
			kind: 'other',
			mediaType: 'application/json',
			subject: undefined,
		})
	})

	it('reads an index, and the subject of what it does not know', () => {
		expect(parseManifest(bytes({ schemaVersion: 2, manifests: [] }), MediaType.imageIndex)).toMatchObject({
			kind: 'index',
		})
		expect(parseManifest(bytes({ subject: layer }), MediaType.ociArtifactManifest)).toMatchObject({
			kind: 'other',
			subject: layer,
		})
	})

	it('leaves out a platform that is none, however deep it nests', () => {
		const text = (platform: string): Uint8Array =>
			new TextEncoder().encode(
				`{"schemaVersion":2,"manifests":[{"mediaType":"x","digest":"${layer.digest}","size":2,"platform":${platform}}]}`,
			)
		const platformOf = (platform: string): unknown => {
			const parsed = parseManifest(text(platform), MediaType.imageIndex)
			return parsed.kind === 'index' ? parsed.manifest.manifests[0]?.platform : undefined
		}
		expect(platformOf('{"os":"linux","os.features":["a"]}')).toEqual({ os: 'linux', 'os.features': ['a'] })
		expect(platformOf(`${'['.repeat(90_000)}${']'.repeat(90_000)}`)).toBeUndefined()
	})

	it('refuses as many brackets as nobody has any use for, unless they are text', () => {
		const withExtra = (extra: string): Uint8Array =>
			new TextEncoder().encode(`{"schemaVersion":2,"manifests":[],"annotations":{"a\\"":"${extra}"},"x":[]}`)
		expect(() =>
			parseManifest(
				new TextEncoder().encode(`{"schemaVersion":2,"manifests":[${'[],'.repeat(100_001)}1]}`),
				MediaType.imageIndex,
			),
		).toThrow('more than 100000 objects and arrays')
		expect(parseManifest(withExtra('[{'.repeat(100_000)), MediaType.imageIndex).kind).toBe('index')
		expect(parseManifest(withExtra('\\"[{'.repeat(100_000)), MediaType.imageIndex).kind).toBe('index')
	})

	it.each<[what: string, content: Uint8Array, says: RegExp]>([
		['bytes that are no UTF-8', Uint8Array.of(0xff, 0xfe), /not JSON/],
		['text', bytes('x').slice(0, 1), /not JSON/],
		['no layers', bytes({ schemaVersion: 2, config: emptyDescriptor }), /layers/],
		['schema version 1', bytes({ schemaVersion: 1, config: emptyDescriptor, layers: [] }), /schemaVersion/],
		[
			'a layer without a digest',
			bytes({ schemaVersion: 2, config: emptyDescriptor, layers: [{ ...layer, digest: 'sha256:x' }] }),
			/layers\.0\.digest/,
		],
		[
			'a negative size',
			bytes({ schemaVersion: 2, config: emptyDescriptor, layers: [{ ...layer, size: -1 }] }),
			/layers\.0\.size/,
		],
		[
			'annotations that are no text',
			bytes({ schemaVersion: 2, config: emptyDescriptor, layers: [], annotations: { a: 1 } }),
			/annotations/,
		],
	])('refuses %s', (_what, content, says) => {
		expect(() => parseManifest(content, MediaType.imageManifest)).toThrow(
			expect.objectContaining({ code: 'ARTIFACT_INVALID', message: expect.stringMatching(says) }),
		)
	})
})
