import { readFileSync } from 'node:fs'
import type { FileInspection, ReleaseRange } from '../validation/index.ts'
import type { InspectedFile } from './judge-one.ts'
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
	readonly judged: (InspectedFile | undefined)[]
}

/** How files are judged. */
interface Asked {
	/** The built judge. */
	readonly worker: string
	readonly serverSide: boolean | undefined
	readonly inspect: ReleaseRange | undefined
}

/** What a check knows of an earlier one: only files without any fault, by the digest of these very bytes. */
export class RememberedVerdicts {
	readonly #cache: VerdictCache
	readonly #scope: VerdictScope

	constructor({ cache, root }: DirectoryCache, { worker, serverSide = false, inspect }: Asked) {
		this.#cache = cache
		// All that decides a verdict is in this one file, the parser included, or in one that it names with its digest.
		this.#scope = { rules: sha256(readFileSync(worker)), serverSide, inspect, root }
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
			const { resources, inspection } = clean
			judged[number] = {
				outcome: { kind: 'resources', resources },
				breaches: [],
				...(inspection && { inspection: { faults: [], customs: [], definitions: [], ...inspection } }),
			}
			reader.decide(number)
		}
		return left
	}

	keep(files: readonly { readonly path: string }[], { reader, judged }: Work): void {
		const clean = new Map<string, CleanFile>()
		for (const [number, { path }] of files.entries()) {
			const [found, bytes] = [judged[number], reader.content(number)]
			if (!bytes || found?.outcome.kind !== 'resources' || found.breaches.length > 0) continue
			const { outcome, inspection } = found
			if (inspection && !isFaultless(inspection)) continue
			clean.set(path, {
				sha256: sha256(bytes),
				resources: outcome.resources,
				...(inspection && short(inspection)),
			})
		}
		this.#cache.write(this.#scope, clean)
	}
}

/** Whether nothing was found, and nothing is left to be judged of its objects: schemas of custom ones may stand anywhere. */
function isFaultless({ faults, customs, definitions }: FileInspection): boolean {
	return faults.length + customs.length + definitions.length === 0
}

function short({ uses, brought, namespaces }: FileInspection): Pick<CleanFile, 'inspection'> {
	return { inspection: { uses, brought, namespaces } }
}
