import type { Digest } from '../../oci/index.ts'
import type { StoredManifest } from './storage.ts'

/** Which manifests of a repository need a digest, without a look at each of them. */
export class Needers {
	/** One alone, as for nearly every layer, or several. */
	readonly #of = new Map<Digest, Digest | Set<Digest>>()
	/** What they need stands in their bytes only. */
	readonly #unlisted = new Set<Digest>()

	constructor(manifests: Iterable<StoredManifest>) {
		for (const each of manifests) this.add(each)
	}

	add({ digest, references }: StoredManifest): void {
		if (!references) this.#unlisted.add(digest)
		for (const each of references ?? []) {
			const known = this.#of.get(each)
			if (known === undefined) this.#of.set(each, digest)
			else if (typeof known !== 'string') known.add(digest)
			else if (known !== digest) this.#of.set(each, new Set([known, digest]))
		}
	}

	/** `references` are those that it was added with. */
	delete({ digest, references }: StoredManifest): void {
		this.#unlisted.delete(digest)
		for (const each of references ?? []) {
			const known = this.#of.get(each)
			if (typeof known === 'object') known.delete(digest)
			if (known === digest || (typeof known === 'object' && known.size === 0)) this.#of.delete(each)
		}
	}

	/** Those that need it, then those of which only their bytes tell. */
	*of(digest: Digest): Generator<Digest, void, undefined> {
		const known = this.#of.get(digest)
		if (typeof known === 'string') yield known
		else if (known) yield* known
		yield* this.#unlisted
	}
}
