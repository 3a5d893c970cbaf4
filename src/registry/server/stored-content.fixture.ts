import { existsSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Digest, digestAlgorithm, digestHex } from '../../oci/index.ts'
import { Catalog } from './catalog.ts'
import { replayJournal } from './replay.ts'

interface Stored {
	readonly path: string
	/** Of Base64, in bytes; absent: the file is the content. */
	readonly place?: { readonly offset: number; readonly length: number } | undefined
}

/** Where small content lies that a repository has. */
export function inlineContent(directory: string): ReadonlyMap<Digest, Stored> {
	const found = new Map<Digest, Stored>()
	const catalog = new Catalog()
	const journal = join(directory, 'journal')
	replayJournal(journal, (record, content) => {
		catalog.apply(record)
		if (!('digest' in record)) return
		if (content) found.set(record.digest, { path: journal, place: content })
		if ('packed' in record && record.packed) {
			const [pack, offset, length] = record.packed
			found.set(record.digest, { path: join(directory, 'packs', String(pack)), place: { offset, length } })
		}
	})
	return new Map([...found].filter(([digest]) => catalog.contentSize(digest) !== undefined))
}

/** Where content lies, small or not. */
export function storedContent(directory: string, digest: Digest): Stored | undefined {
	const path = join(directory, 'blobs', digestAlgorithm(digest), digestHex(digest))
	return inlineContent(directory).get(digest) ?? (existsSync(path) ? { path } : undefined)
}

/** Turns a bit of a content, without a trace in the size and the times of its file. */
export function rot(directory: string, digest: Digest, at = 0): void {
	const stored = storedContent(directory, digest)
	if (!stored) throw new Error(`${digest} is not stored`)
	const { path, place } = stored
	const file = readFileSync(path)
	const { atime, mtime } = statSync(path)
	const content = place
		? Buffer.from(file.toString('latin1', place.offset, place.offset + place.length), 'base64')
		: file
	content[at] = (content[at] ?? 0) ^ 1
	if (place) file.write(content.toString('base64'), place.offset, 'latin1')
	writeFileSync(path, file)
	utimesSync(path, atime, mtime)
}

/** Names of the journals of before that have content. */
export function packsOf(directory: string): readonly string[] {
	const packs = join(directory, 'packs')
	return existsSync(packs) ? readdirSync(packs).toSorted((a, b) => Number(a) - Number(b)) : []
}
