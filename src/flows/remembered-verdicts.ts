import { readFileSync } from 'node:fs'
import type { JudgedFile, ResourceIdentity } from '../argocd/index.ts'
import type { SharedFileReader } from './shared-files.ts'
import { type CleanFile, sha256, type VerdictCache, type VerdictScope } from './verdict-cache.ts'

/** The verdicts on the files of one directory. */
export interface DirectoryCache {
	readonly cache: VerdictCache
	/** Absolute path. */
	readonly root: string
}

interface Work {
	readonly reader: SharedFileReader
	/** By the number of the file. */
	readonly judged: (JudgedFile<ResourceIdentity> | undefined)[]
}

/** What a check knows of an earlier one: only files without any fault, by the digest of these very bytes. */
export class RememberedVerdicts {
	readonly #cache: VerdictCache
	readonly #scope: VerdictScope

	constructor(
		{ cache, root }: DirectoryCache,
		{ worker, serverSide = false }: { readonly worker: string; readonly serverSide: boolean | undefined },
	) {
		this.#cache = cache
		// All that decides a verdict is in this one file, the parser included.
		this.#scope = { rules: sha256(readFileSync(worker)), serverSide, root }
	}

	/** Puts in what is known, and takes those files out of the work. @returns how many are left */
	recall(files: readonly { readonly path: string }[], { reader, judged }: Work): number {
		const known = this.#cache.read(this.#scope)
		if (known.size === 0) return files.length
		let left = 0
		for (const [number, { path }] of files.entries()) {
			const clean = known.get(path)
			const bytes = clean && reader.read(number)
			if (!bytes || sha256(bytes) !== clean.sha256) {
				left++
				continue
			}
			judged[number] = { outcome: { kind: 'resources', resources: clean.resources }, breaches: [] }
			reader.decide(number)
		}
		return left
	}

	keep(files: readonly { readonly path: string }[], { reader, judged }: Work): void {
		const clean = new Map<string, CleanFile>()
		for (const [number, { path }] of files.entries()) {
			const [found, bytes] = [judged[number], reader.content(number)]
			if (!bytes || found?.outcome.kind !== 'resources' || found.breaches.length > 0) continue
			clean.set(path, { sha256: sha256(bytes), resources: found.outcome.resources })
		}
		this.#cache.write(this.#scope, clean)
	}
}
