import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Digest } from '../../oci/index.ts'
import type { Catalog, RepositoryView } from './catalog.ts'
import type { ContentFiles } from './content-files.ts'
import type { DamageIn, ScrubOptions, ScrubReport } from './scrub-report.ts'

export interface ScrubParts {
	readonly catalog: Catalog
	readonly contents: ContentFiles
	/** Removes content that nothing has any more, and nobody is about to have. */
	readonly removeFile: (digest: Digest) => void
	/** Writes small content into the journal again. */
	readonly rewrite: (digest: Digest, bytes: Uint8Array) => Promise<void>
}

/** Reads every content and checks its digest, whatever is remembered of it. */
export async function scrub(
	{ catalog, contents, removeFile, rewrite }: ScrubParts,
	options: ScrubOptions,
): Promise<ScrubReport> {
	const all = [...catalog.contents()]
	const healed: Digest[] = []
	const found: { readonly digest: Digest; readonly size: number; readonly what: string }[] = []
	let bytes = 0
	let checked = 0
	const pace = async (count: number): Promise<void> => {
		options.signal?.throwIfAborted()
		await (options.pace ? options.pace(count) : nextTurn())
	}
	for (const { digest, size } of all) {
		await pace(0)
		options.onProgress?.({ done: checked, of: all.length, bytes })
		// Removed since the scrub began.
		if (catalog.contentSize(digest) === undefined) continue
		const result = await contents.check(digest, { size, pace, rewrite })
		if (catalog.contentSize(digest) === undefined) {
			// Healing may have written it anew.
			removeFile(digest)
			continue
		}
		checked++
		bytes += size
		if (result.kind === 'healed') healed.push(digest)
		if (result.kind === 'damaged') found.push({ digest, size, what: result.what })
	}
	const damaged = found.map((each) => ({ ...each, repositories: missedIn(catalog, each.digest) }))
	return { checked, bytes, damaged, healed }
}

function missedIn(catalog: Catalog, digest: Digest): DamageIn[] {
	const places: DamageIn[] = []
	for (const repository of catalog.names()) {
		const view = catalog.view(repository)
		if (!view || !(view.blobs.has(digest) || view.manifests.has(digest))) continue
		places.push({ repository, tags: tagsThatNeed(view, digest) })
	}
	return places
}

function tagsThatNeed({ manifests, tags }: RepositoryView, digest: Digest): readonly string[] {
	const needing = new Set<Digest>([digest])
	// An index may refer to an index: until nothing is added any more.
	for (let before = 0; before < needing.size;) {
		before = needing.size
		for (const { digest: each, references } of manifests.values())
			if (references?.some((reference) => needing.has(reference)) === true) needing.add(each)
	}
	return [...tags].filter(([, entry]) => needing.has(entry.digest)).map(([tag]) => tag)
}
