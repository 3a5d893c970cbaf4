import type { Digest } from '../../oci/index.ts'
import type { StoreRecord } from './record.ts'
import type { StorageStatistics, StoredManifest, TagPage } from './storage.ts'

interface Repository {
	readonly blobs: Map<Digest, number>
	readonly manifests: Map<Digest, StoredManifest>
	readonly tags: Map<string, Digest>
	/** The keys of `tags`, in the order of their bytes. */
	readonly tagOrder: string[]
	readonly referrers: Map<Digest, Set<Digest>>
}

interface Content {
	readonly size: number
	/** How many repositories have it, as a blob or as a manifest. */
	references: number
}

/** What every repository holds, in memory: the sum of the journal's records. */
export class Catalog {
	readonly #repositories = new Map<string, Repository>()
	readonly #contents = new Map<Digest, Content>()
	#bytes = 0

	has(repository: string): boolean {
		return this.#repositories.has(repository)
	}

	names(): string[] {
		return [...this.#repositories.keys()].sort()
	}

	blobSize(repository: string, digest: Digest): number | undefined {
		return this.#repositories.get(repository)?.blobs.get(digest)
	}

	manifest(repository: string, digest: Digest): StoredManifest | undefined {
		return this.#repositories.get(repository)?.manifests.get(digest)
	}

	tag(repository: string, tag: string): Digest | undefined {
		return this.#repositories.get(repository)?.tags.get(tag)
	}

	tags(
		repository: string,
		{ after, limit }: { readonly after?: string | undefined; readonly limit: number },
	): TagPage | undefined {
		const order = this.#repositories.get(repository)?.tagOrder
		if (!order) return undefined
		const start = after === undefined ? 0 : position(order, after)
		const from = after !== undefined && order[start] === after ? start + 1 : start
		return { tags: order.slice(from, from + limit), more: order.length > from + limit }
	}

	referrers(repository: string, subject: Digest): StoredManifest[] {
		const found = this.#repositories.get(repository)
		const referrers: StoredManifest[] = []
		for (const digest of found?.referrers.get(subject) ?? []) {
			const manifest = found?.manifests.get(digest)
			if (manifest) referrers.push(manifest)
		}
		return referrers
	}

	/** Size of content that any repository has. */
	contentSize(digest: Digest): number | undefined {
		return this.#contents.get(digest)?.size
	}

	contents(): IterableIterator<Digest> {
		return this.#contents.keys()
	}

	statistics(): StorageStatistics {
		let tags = 0
		let artifacts = 0
		for (const repository of this.#repositories.values()) {
			tags += repository.tags.size
			artifacts += repository.manifests.size
		}
		return { repositories: this.#repositories.size, tags, artifacts, bytes: this.#bytes }
	}

	/** Takes a change over. A change that is there already, or of what is not there, does nothing. */
	apply(record: StoreRecord): void {
		switch (record.type) {
			case 'blob': {
				const { blobs } = this.#repository(record.repository)
				if (blobs.has(record.digest)) return
				blobs.set(record.digest, record.size)
				this.#refer(record.digest, record.size)
				return
			}
			case 'blob-deleted': {
				if (this.#repositories.get(record.repository)?.blobs.delete(record.digest) === true) {
					this.#release(record.digest)
				}
				return
			}
			case 'manifest':
				return this.#addManifest(record)
			case 'manifest-deleted':
				return this.#deleteManifest(record.repository, record.digest)
			case 'tag-deleted': {
				const repository = this.#repositories.get(record.repository)
				if (repository) untag(repository, record.tag)
			}
		}
	}

	/** The shortest list of records that leads to the same catalog. */
	*records(): Generator<StoreRecord, void, undefined> {
		for (const [repository, { blobs, manifests, tags }] of this.#repositories) {
			for (const [digest, size] of blobs) yield { type: 'blob', repository, digest, size }
			const tagsOf = new Map<Digest, string[]>()
			for (const [tag, digest] of tags) {
				const known = tagsOf.get(digest)
				if (known) known.push(tag)
				else tagsOf.set(digest, [tag])
			}
			for (const manifest of manifests.values()) {
				yield { type: 'manifest', repository, ...manifest, tags: tagsOf.get(manifest.digest) }
			}
		}
	}

	#addManifest(record: StoreRecord & { readonly type: 'manifest' }): void {
		const { digest, mediaType, size, subject } = record
		const repository = this.#repository(record.repository)
		if (!repository.manifests.has(digest)) this.#refer(digest, size)
		repository.manifests.set(digest, { digest, mediaType, size, subject })
		if (subject) {
			const known = repository.referrers.get(subject)
			if (known) known.add(digest)
			else repository.referrers.set(subject, new Set([digest]))
		}
		for (const tag of record.tags ?? []) {
			if (!repository.tags.has(tag)) repository.tagOrder.splice(position(repository.tagOrder, tag), 0, tag)
			repository.tags.set(tag, digest)
		}
	}

	#deleteManifest(name: string, digest: Digest): void {
		const repository = this.#repositories.get(name)
		const manifest = repository?.manifests.get(digest)
		if (!repository || !manifest) return
		repository.manifests.delete(digest)
		for (const [tag, target] of repository.tags) if (target === digest) untag(repository, tag)
		if (manifest.subject) {
			const known = repository.referrers.get(manifest.subject)
			known?.delete(digest)
			if (known?.size === 0) repository.referrers.delete(manifest.subject)
		}
		this.#release(digest)
	}

	#repository(name: string): Repository {
		let repository = this.#repositories.get(name)
		if (!repository) {
			repository = {
				blobs: new Map(),
				manifests: new Map(),
				tags: new Map(),
				tagOrder: [],
				referrers: new Map(),
			}
			this.#repositories.set(name, repository)
		}
		return repository
	}

	#refer(digest: Digest, size: number): void {
		const content = this.#contents.get(digest)
		if (content) {
			content.references++
			return
		}
		this.#contents.set(digest, { size, references: 1 })
		this.#bytes += size
	}

	#release(digest: Digest): void {
		const content = this.#contents.get(digest)
		if (!content) return
		content.references--
		if (content.references > 0) return
		this.#contents.delete(digest)
		this.#bytes -= content.size
	}
}

function untag(repository: Repository, tag: string): void {
	if (!repository.tags.delete(tag)) return
	repository.tagOrder.splice(position(repository.tagOrder, tag), 1)
}

/** Where `text` is in `sorted`, or would be. */
function position(sorted: readonly string[], text: string): number {
	let low = 0
	let high = sorted.length
	while (low < high) {
		const middle = (low + high) >>> 1
		if ((sorted[middle] ?? '') < text) low = middle + 1
		else high = middle
	}
	return low
}
