import type { Digest } from '../../oci/index.ts'
import { Needers } from './needers.ts'
import type { RemovedRecord, StoreRecord } from './record.ts'
import type { PastPush, StorageStatistics, StoredManifest, TagPage } from './storage.ts'

/** What a tag names, and since when. */
export interface TagEntry {
	readonly digest: Digest
	/** Milliseconds since 1970, by a clock that may have been put back. */
	readonly at: number
	/** Grows with each push, over all repositories: which of two came later. */
	readonly order: number
}

/** One repository as it is now; valid until the next change. */
export interface RepositoryView {
	readonly name: string
	readonly blobs: ReadonlyMap<Digest, number>
	readonly manifests: ReadonlyMap<Digest, StoredManifest>
	readonly tags: ReadonlyMap<string, TagEntry>
	readonly referrers: ReadonlyMap<Digest, ReadonlySet<Digest>>
	/** Subjects that were here and are gone, with referrers left, and since when. */
	readonly lostSubjects: ReadonlyMap<Digest, number>
}

interface Repository {
	readonly blobs: Map<Digest, number>
	readonly manifests: Map<Digest, StoredManifest>
	readonly tags: Map<string, TagEntry>
	/** The keys of `tags`, in the order of their bytes. */
	readonly tagOrder: string[]
	readonly referrers: Map<Digest, Set<Digest>>
	readonly lostSubjects: Map<Digest, number>
	/** Made when it is first asked for: where nothing is deleted it takes no memory. */
	needers?: Needers | undefined
}

interface Content {
	readonly size: number
	/** How many repositories have it, as a blob or as a manifest. */
	references: number
	/** When it was last written, mounted, referred to, asked for, or lost a tag: milliseconds since 1970. */
	freshAt: number
	/** The `freshAt` that the journal knows. */
	recordedAt: number
}

/** How far the journal may be behind in what was said to be there, in milliseconds. */
const RECORD_TOUCH_MS = 10 * 60 * 1000

/** What every repository holds, in memory: the sum of the journal's records. */
export class Catalog {
	readonly #repositories = new Map<string, Repository>()
	readonly #contents = new Map<Digest, Content>()
	#bytes = 0
	#removals = 0
	/** That of the last push. */
	#order = 0

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
		return this.#repositories.get(repository)?.tags.get(tag)?.digest
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

	/** Manifests of a repository that need the content, and those that may, as only their bytes tell. */
	*mayNeed(name: string, digest: Digest): Generator<StoredManifest, void, undefined> {
		const repository = this.#repositories.get(name)
		if (!repository) return
		repository.needers ??= new Needers(repository.manifests.values())
		for (const each of repository.needers.of(digest)) {
			const manifest = repository.manifests.get(each)
			if (manifest) yield manifest
		}
	}

	/** Size of content that any repository has. */
	contentSize(digest: Digest): number | undefined {
		return this.#contents.get(digest)?.size
	}

	/** Everything that any repository has, with its size in bytes. */
	*contents(): Generator<{ readonly digest: Digest; readonly size: number }, void, undefined> {
		for (const [digest, { size }] of this.#contents) yield { digest, size }
	}

	/** How many repositories have it, once for each as a blob and once as a manifest. */
	holders(digest: Digest): number {
		return this.#contents.get(digest)?.references ?? 0
	}

	/** When content was last written, mounted, referred to, asked for, or lost a tag: milliseconds since 1970. */
	freshAt(digest: Digest): number | undefined {
		return this.#contents.get(digest)?.freshAt
	}

	/** Somebody is told now that content is there. @returns whether the journal knows only of much earlier */
	touch(digest: Digest, at: number): boolean {
		const content = this.#contents.get(digest)
		if (!content) return false
		content.freshAt = Math.max(content.freshAt, at)
		if (at - content.recordedAt < RECORD_TOUCH_MS) return false
		content.recordedAt = at
		return true
	}

	/** How often a repository has lost content. */
	get removals(): number {
		return this.#removals
	}

	view(name: string): RepositoryView | undefined {
		const repository = this.#repositories.get(name)
		return repository && { name, ...repository }
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

	/** The tags that were set last, newest first. */
	lastPushes(limit: number): PastPush[] {
		const last: { readonly order: number; readonly push: PastPush }[] = []
		for (const [repository, { tags, manifests }] of this.#repositories) {
			for (const [tag, { digest, at, order }] of tags) {
				const oldest = last.length < limit ? undefined : last.at(-1)
				if (oldest !== undefined && order <= oldest.order) continue
				const size = manifests.get(digest)?.size ?? 0
				const place = last.findIndex((each) => each.order < order)
				const push = { repository, tag, digest, size, time: at }
				last.splice(place < 0 ? last.length : place, 0, { order, push })
				if (last.length > limit) last.pop()
			}
		}
		return last.map(({ push }) => push)
	}

	/** Takes a change over. A change that is there already, or of what is not there, does nothing. */
	apply(record: StoreRecord): void {
		switch (record.type) {
			case 'blob': {
				const { blobs } = this.#repository(record.repository)
				if (!blobs.has(record.digest)) {
					blobs.set(record.digest, record.size)
					this.#refer(record.digest, record.size)
				}
				return this.#freshen(record.digest, record.at)
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
				return this.#deleteManifest(record)
			case 'tag-deleted': {
				const repository = this.#repositories.get(record.repository)
				// Who asked for the tag a moment ago fetches what it named.
				this.#freshen(repository?.tags.get(record.tag)?.digest, record.at)
				if (repository) untag(repository, record.tag)
				return
			}
			case 'touched':
				return this.#freshen(record.digest, record.at)
			case 'removed':
				return this.#remove(record)
			// Where content is, is none of the catalog's.
			case 'content':
		}
	}

	/** The shortest list of records that leads to the same catalog. */
	*records(): Generator<StoreRecord, void, undefined> {
		for (const [repository, { blobs, manifests, tags, lostSubjects }] of this.#repositories) {
			for (const [digest, size] of blobs)
				yield { type: 'blob', repository, digest, size, at: this.freshAt(digest) }
			const pushes = pushesOf(tags)
			for (const { pushedAt, ...manifest } of manifests.values()) {
				const record = { type: 'manifest', repository, ...manifest } as const
				const own = [...(pushes.get(manifest.digest)?.values() ?? [])]
				// The references, which may be many, once only: they stay what they are.
				const { references, ...short } = record
				let next: typeof record = references ? { ...short, references } : short
				for (const push of own) {
					yield { ...next, ...push }
					next = short
				}
				if (!own.some(({ at }) => at === pushedAt)) yield { ...next, at: pushedAt }
				const freshAt = this.freshAt(manifest.digest) ?? 0
				if (freshAt > (pushedAt ?? 0)) yield { type: 'touched', digest: manifest.digest, at: freshAt }
			}
			for (const [subject, at] of lostSubjects)
				yield { type: 'removed', repository, tags: [], manifests: [subject], blobs: [], at }
		}
	}

	/** What brings back what a removal takes away. */
	undoOf({ repository: name, tags, manifests, blobs }: RemovedRecord): readonly StoreRecord[] {
		const repository = this.#repositories.get(name)
		const before: StoreRecord[] = []
		for (const digest of blobs) {
			const size = repository?.blobs.get(digest)
			if (size === undefined) continue
			before.push({ type: 'blob', repository: name, digest, size, at: this.freshAt(digest) })
		}
		for (const digest of manifests) {
			const manifest = repository?.manifests.get(digest)
			if (!manifest) continue
			const { pushedAt, ...rest } = manifest
			before.push({ type: 'manifest', repository: name, ...rest, at: pushedAt })
			before.push({ type: 'touched', digest, at: this.freshAt(digest) ?? 0 })
		}
		for (const tag of tags) {
			const entry = repository?.tags.get(tag)
			const manifest = entry && repository?.manifests.get(entry.digest)
			if (!entry || !manifest) continue
			const { pushedAt: _, ...rest } = manifest
			const { at, order } = entry
			before.push({ type: 'manifest', repository: name, ...rest, tags: [tag], at, order })
		}
		return before
	}

	#addManifest(record: StoreRecord & { readonly type: 'manifest' }): void {
		const { digest, mediaType, size, subject, artifactType, at = 0 } = record
		const repository = this.#repository(record.repository)
		const before = repository.manifests.get(digest)
		const known = before?.mediaType === mediaType ? before.references : undefined
		const references = record.references ?? known
		if (!before) this.#refer(digest, size)
		const pushedAt = Math.max(before?.pushedAt ?? 0, at)
		const manifest = { digest, mediaType, size, subject, artifactType, references, pushedAt }
		repository.manifests.set(digest, manifest)
		if (before) repository.needers?.delete(before)
		repository.needers?.add(manifest)
		repository.lostSubjects.delete(digest)
		for (const each of [digest, ...(references ?? [])]) this.#freshen(each, at)
		if (subject) {
			this.#freshen(subject, at)
			const referrers = repository.referrers.get(subject)
			if (referrers) referrers.add(digest)
			else repository.referrers.set(subject, new Set([digest]))
		}
		const { tags = [], order = this.#order + 1 } = record
		if (tags.length > 0) this.#order = Math.max(this.#order, order)
		for (const tag of tags) {
			if (!repository.tags.has(tag)) repository.tagOrder.splice(position(repository.tagOrder, tag), 0, tag)
			// Who asked for the tag a moment ago fetches what it named.
			this.#freshen(repository.tags.get(tag)?.digest, at)
			repository.tags.set(tag, { digest, at, order })
		}
	}

	#deleteManifest(record: StoreRecord & { readonly type: 'manifest-deleted' }): void {
		const repository = this.#repositories.get(record.repository)
		if (!repository?.manifests.has(record.digest)) return
		for (const [tag, entry] of repository.tags) if (entry.digest === record.digest) untag(repository, tag)
		this.#dropManifest(repository, record.digest, record.at ?? 0)
	}

	#remove({ repository: name, tags, manifests, blobs, at }: RemovedRecord): void {
		const repository = this.#repositories.get(name)
		if (!repository) return
		for (const tag of tags) untag(repository, tag)
		for (const digest of manifests) this.#dropManifest(repository, digest, at)
		for (const digest of blobs) if (repository.blobs.delete(digest)) this.#release(digest)
	}

	/** Takes away a manifest that no tag names. Of one that is gone already, only what it leaves behind counts. */
	#dropManifest(repository: Repository, digest: Digest, at: number): void {
		const manifest = repository.manifests.get(digest)
		if (manifest) {
			repository.manifests.delete(digest)
			repository.needers?.delete(manifest)
			this.#release(digest)
		}
		if (repository.referrers.has(digest)) repository.lostSubjects.set(digest, at)
		if (!manifest?.subject) return
		const known = repository.referrers.get(manifest.subject)
		known?.delete(digest)
		if (known?.size !== 0) return
		repository.referrers.delete(manifest.subject)
		repository.lostSubjects.delete(manifest.subject)
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
				lostSubjects: new Map(),
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
		this.#contents.set(digest, { size, references: 1, freshAt: 0, recordedAt: 0 })
		this.#bytes += size
	}

	#freshen(digest: Digest | undefined, at: number | undefined): void {
		const content = digest && this.#contents.get(digest)
		if (!content || at === undefined) return
		content.freshAt = Math.max(content.freshAt, at)
		content.recordedAt = Math.max(content.recordedAt, at)
	}

	#release(digest: Digest): void {
		this.#removals++
		const content = this.#contents.get(digest)
		if (!content) return
		content.references--
		if (content.references > 0) return
		this.#contents.delete(digest)
		this.#bytes -= content.size
	}
}

interface TagPush {
	readonly tags: string[]
	readonly at: number
	readonly order: number
}

/** The tags of each manifest, those of one push together, by its order. */
function pushesOf(tags: ReadonlyMap<string, TagEntry>): Map<Digest, Map<number, TagPush>> {
	const pushes = new Map<Digest, Map<number, TagPush>>()
	for (const [tag, { digest, at, order }] of tags) {
		const own = pushes.get(digest) ?? new Map<number, TagPush>()
		pushes.set(digest, own)
		const same = own.get(order)
		if (same) same.tags.push(tag)
		else own.set(order, { tags: [tag], at, order })
	}
	return pushes
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
