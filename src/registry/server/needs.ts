import { type Digest, parseManifest } from '../../oci/index.ts'
import type { Catalog } from './catalog.ts'
import type { ContentFiles } from './content-files.ts'
import { referencesOf, requiredIn } from './references.ts'
import type { StoredManifest } from './storage.ts'

/** What the manifests of a storage need, and whether it is there. */
export class Needs {
	readonly #catalog: Catalog
	readonly #contents: ContentFiles
	/** Manifests that have all that they need, for as long as nothing is taken away. */
	#whole = new WeakSet<StoredManifest>()
	/** How often something had been taken away then. */
	#wholeAt = 0

	constructor({ catalog, contents }: { readonly catalog: Catalog; readonly contents: ContentFiles }) {
		this.#catalog = catalog
		this.#contents = contents
	}

	/** What a manifest needs; `undefined` where it cannot be read any more. */
	references(manifest: StoredManifest): readonly Digest[] | undefined {
		if (manifest.references) return manifest.references
		try {
			return referencesOf(this.#contents.read(manifest.digest, manifest.size), manifest.mediaType)
		} catch {
			return undefined
		}
	}

	/** A manifest of the repository that needs the content. */
	neededBy(repository: string, digest: Digest): StoredManifest | undefined {
		for (const manifest of this.#catalog.mayNeed(repository, digest))
			if (this.#mentions(manifest, digest) && this.references(manifest)?.includes(digest) === true)
				return manifest
		return undefined
	}

	/** Whether nothing of an artifact is damaged or gone, as far as is known: the manifest, and what it needs. */
	isWhole(repository: string, digest: Digest): boolean {
		const root = this.#catalog.manifest(repository, digest)
		if (!root) return false
		if (this.#wholeAt !== this.#catalog.removals) {
			this.#whole = new WeakSet()
			this.#wholeAt = this.#catalog.removals
		}
		const hasDamage = this.#contents.hasDamage()
		// Nearly always; and what is asked for most.
		if (!hasDamage && this.#whole.has(root)) return true
		const open = [digest]
		const seen = new Set(open)
		for (let each = open.pop(); each !== undefined; each = open.pop()) {
			if (this.#contents.isDamaged(each)) return false
			const manifest = this.#catalog.manifest(repository, each)
			if (!manifest) continue
			const references = this.references(manifest)
			if (!references) return false
			const present = references.filter((reference) => this.#has(repository, reference))
			if (present.length < references.length && !this.#hasRequired(repository, manifest)) return false
			for (const reference of present) {
				if (!seen.has(reference)) open.push(reference)
				seen.add(reference)
			}
		}
		if (!hasDamage) this.#whole.add(root)
		return true
	}

	/** Whether it is worth a look at what a manifest needs: those that name very much have it in their bytes only. */
	#mentions(manifest: StoredManifest, digest: Digest): boolean {
		if (manifest.references) return true
		try {
			return Buffer.from(this.#contents.read(manifest.digest, manifest.size)).includes(digest)
		} catch {
			return false
		}
	}

	#has(repository: string, digest: Digest): boolean {
		return (
			this.#catalog.blobSize(repository, digest) !== undefined ||
			this.#catalog.manifest(repository, digest) !== undefined
		)
	}

	#hasRequired(repository: string, { digest, size, mediaType }: StoredManifest): boolean {
		try {
			const parsed = parseManifest(this.#contents.read(digest, size), mediaType)
			return requiredIn(parsed).every((target) => this.#has(repository, target.digest))
		} catch {
			return false
		}
	}
}
