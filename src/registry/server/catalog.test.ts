import { createHash } from 'node:crypto'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Digest, isDigest } from '../../oci/index.ts'
import { Catalog } from './catalog.ts'
import type { StoreRecord } from './record.ts'

function digestOf(text: string): Digest {
	const digest = `sha256:${createHash('sha256').update(text).digest('hex')}`
	if (!isDigest(digest)) throw new Error(digest)
	return digest
}

const CONFIG = digestOf('{}')

function manifest(name: string, references?: readonly Digest[]): StoreRecord {
	const mediaType = 'application/vnd.oci.image.manifest.v1+json'
	return {
		type: 'manifest',
		repository: 'app',
		digest: digestOf(name),
		size: name.length,
		mediaType,
		references,
	}
}

const gone = (name: string): StoreRecord => ({
	type: 'manifest-deleted',
	repository: 'app',
	digest: digestOf(name),
})

const names = (catalog: Catalog, digest: Digest): readonly Digest[] =>
	[...catalog.mayNeed('app', digest)].map((each) => each.digest)

describe('what may need content', () => {
	it('are the manifests that refer to it, however many there are', () => {
		const catalog = new Catalog()
		const push = (index: number): void =>
			catalog.apply(manifest(`m${index}`, [CONFIG, digestOf(`layer${index}`)]))
		for (let index = 0; index < 1000; index++) push(index)
		expect(names(catalog, digestOf('layer7'))).toEqual([digestOf('m7')])
		// The second time it is not made anew.
		push(1000)
		catalog.apply(gone('m7'))
		expect(names(catalog, digestOf('layer1000'))).toEqual([digestOf('m1000')])
		expect(names(catalog, digestOf('layer7'))).toEqual([])
		expect(names(catalog, digestOf('m1000'))).toEqual([])
		expect(names(catalog, CONFIG)).toHaveLength(1000)
		expect(names(new Catalog(), CONFIG)).toEqual([])
	})

	it('are also those of which nothing is known but their bytes, until it is', () => {
		const catalog = new Catalog()
		catalog.apply(manifest('long'))
		catalog.apply(manifest('short', [CONFIG]))
		expect(names(catalog, CONFIG)).toEqual([digestOf('short'), digestOf('long')])
		expect(names(catalog, digestOf('layer'))).toEqual([digestOf('long')])
		catalog.apply(manifest('long', [digestOf('layer')]))
		expect(names(catalog, digestOf('layer'))).toEqual([digestOf('long')])
		expect(names(catalog, CONFIG)).toEqual([digestOf('short')])
	})

	it('are the same as a look at all manifests finds, whatever comes and goes', () => {
		const name = fc.constantFrom('a', 'b', 'c', 'd')
		const references = fc.option(fc.array(name.map(digestOf)), { nil: undefined })
		const change = fc.oneof(
			fc.tuple(name, references).map(([each, refer]) => manifest(each, refer)),
			name.map(gone),
		)
		fc.assert(
			fc.property(fc.array(change), (changes) => {
				const catalog = new Catalog()
				for (const each of changes) {
					catalog.apply(each)
					for (const digest of ['a', 'b', 'c', 'd'].map(digestOf)) {
						const all = [...(catalog.view('app')?.manifests.values() ?? [])]
						const may = all.filter(({ references: known }) => known?.includes(digest) ?? true)
						expect(names(catalog, digest).toSorted()).toEqual(may.map((found) => found.digest).toSorted())
					}
				}
			}),
		)
	})
})
