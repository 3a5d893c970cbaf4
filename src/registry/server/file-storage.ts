import { existsSync } from 'node:fs'
import { UserError } from '../../errors/index.ts'
import type { Digest } from '../../oci/index.ts'
import type { Catalog } from './catalog.ts'
import type { ContentFiles } from './content-files.ts'
import { READ_ONLY_LOG, type RecordLog } from './journal.ts'
import { Holds } from './holds.ts'
import { Needs } from './needs.ts'
import type { Packs } from './packs.ts'
import { prune, type PruneParts } from './prune.ts'
import type { ContentRecord, StoreRecord } from './record.ts'
import { scrub } from './scrub.ts'
import type { DeleteResult, PutResult, RegistryStorage, StoredManifest } from './storage.ts'
import type { Uploads } from './uploads.ts'

/** Content that is written again at one time. */
const REWRITTEN_AT_ONCE = 64
/** A manifest that names more has them read from its bytes when they are asked for, and no line as long as itself. */
const MAX_RECORDED_REFERENCES = 1000
/** A referrer of a type with a longer name, in characters, has it read from its bytes. */
const MAX_RECORDED_TYPE = 255

export interface StorageParts {
	readonly catalog: Catalog
	readonly contents: ContentFiles
	readonly packs: Packs
	readonly journal: RecordLog
	readonly uploads: Uploads
	readonly inlineBytes: number
	/** Files with damaged records. */
	readonly lost: ReadonlySet<string>
	readonly now: () => number
}

export class FileStorage implements RegistryStorage {
	readonly #catalog: Catalog
	readonly #contents: ContentFiles
	readonly #packs: Packs
	readonly #journal: RecordLog
	readonly #uploads: Uploads
	readonly #inlineBytes: number
	readonly #lost: ReadonlySet<string>
	readonly #now: () => number
	readonly #needs: Needs
	/** Content on its way into the catalog: it must not be removed meanwhile. */
	readonly #held = new Holds<Digest>()
	/** What a manifest on its way into the catalog refers to. */
	readonly #referred = new Holds<Digest>()
	/** `REPOSITORY DIGEST` of the same. */
	readonly #needed = new Holds()
	/** `REPOSITORY:TAG` on its way into the catalog. */
	readonly #heldTags = new Holds()
	/** What fixed tags on their way into the catalog will name. */
	readonly #fixing = new Map<string, Digest>()
	/** `REPOSITORY DIGEST` that a client has asked to delete. */
	readonly #going = new Holds()
	/** Content that a change has let go of, and that may be nobody's. */
	readonly #abandoned = new Set<Digest>()
	readonly #changes = new Set<Promise<unknown>>()
	#isTidying = false
	#isClosing = false

	constructor({ catalog, contents, packs, journal, uploads, inlineBytes, lost, now }: StorageParts) {
		this.#packs = packs
		this.#inlineBytes = inlineBytes
		this.#lost = lost
		this.#now = now
		this.#catalog = catalog
		this.#contents = contents
		this.#needs = new Needs({ catalog, contents })
		this.#journal = journal
		this.#uploads = uploads
	}

	hasRepository: RegistryStorage['hasRepository'] = (repository) => this.#catalog.has(repository)
	repositories: RegistryStorage['repositories'] = () => this.#catalog.names()
	resolveTag: RegistryStorage['resolveTag'] = (repository, tag) => this.#catalog.tag(repository, tag)
	tagsOf: RegistryStorage['tagsOf'] = (repository, digest) =>
		[...(this.#catalog.view(repository)?.tags ?? [])]
			.filter(([, entry]) => entry.digest === digest)
			.map(([tag]) => tag)
	listTags: RegistryStorage['listTags'] = (repository, options) => this.#catalog.tags(repository, options)
	manifest: RegistryStorage['manifest'] = (repository, digest) =>
		this.#going.has(`${repository} ${digest}`) ? undefined : this.#catalog.manifest(repository, digest)
	referrers: RegistryStorage['referrers'] = (repository, subject) =>
		this.#catalog.referrers(repository, subject)
	blobSize: RegistryStorage['blobSize'] = (repository, digest) =>
		this.#going.has(`${repository} ${digest}`) ? undefined : this.#catalog.blobSize(repository, digest)
	isDamaged: RegistryStorage['isDamaged'] = (digest) => this.#contents.isDamaged(digest)
	isWhole: RegistryStorage['isWhole'] = (repository, digest) => this.#needs.isWhole(repository, digest)
	statistics: RegistryStorage['statistics'] = () => this.#catalog.statistics()
	lastPushes: RegistryStorage['lastPushes'] = (limit) => this.#catalog.lastPushes(limit)

	readManifest: RegistryStorage['readManifest'] = (repository, digest) => {
		const manifest = this.#catalog.manifest(repository, digest)
		return manifest && this.#contents.read(digest, manifest.size)
	}

	putManifest: RegistryStorage['putManifest'] = (repository, { manifest, bytes, tags, fixedTags = [] }) => {
		const { digest } = manifest
		for (const tag of fixedTags) {
			const named = this.#catalog.tag(repository, tag) ?? this.#fixing.get(`${repository}:${tag}`)
			if (named !== undefined && named !== digest)
				return Promise.resolve<PutResult>({ kind: 'tag-fixed', tag, digest: named })
		}
		const { references = [] } = manifest
		const keys = tags.map((tag) => `${repository}:${tag}`)
		const needed = references.map((each) => `${repository} ${each}`)
		for (const tag of fixedTags) this.#fixing.set(`${repository}:${tag}`, digest)
		this.#heldTags.take(keys)
		this.#referred.take(references)
		this.#needed.take(needed)
		return this.#holding(digest, async () => {
			try {
				// Also where it is known: pushing again replaces a damaged copy.
				const isInline = bytes.byteLength <= this.#inlineBytes
				if (!isInline) await this.#contents.write(digest, bytes)
				const news = this.#news(repository, manifest)
				const record = { type: 'manifest', repository, ...news, tags, at: this.#now() } as const
				await this.#commit(record, isInline ? bytes : undefined)
				return { kind: 'stored' }
			} finally {
				this.#referred.release(references)
				this.#needed.release(needed)
				for (const key of this.#heldTags.release(keys)) this.#fixing.delete(key)
			}
		})
	}

	deleteManifest: RegistryStorage['deleteManifest'] = async (repository, digest) => {
		if (!this.manifest(repository, digest)) return { kind: 'unknown' }
		const at = this.#now()
		return await this.#deleting(repository, digest, { type: 'manifest-deleted', repository, digest, at })
	}

	deleteTag: RegistryStorage['deleteTag'] = async (repository, tag) => {
		if (this.#catalog.tag(repository, tag) === undefined) return false
		await this.#track(this.#commit({ type: 'tag-deleted', repository, tag, at: this.#now() }))
		return true
	}

	openBlob: RegistryStorage['openBlob'] = (repository, digest) => {
		const size = this.#catalog.blobSize(repository, digest)
		return size === undefined ? undefined : this.#contents.open(digest, size)
	}

	mountBlob: RegistryStorage['mountBlob'] = async (repository, { digest, from }) => {
		// A damaged copy is no copy: the client shall send it.
		if (this.#contents.isDamaged(digest)) return false
		const size = from === undefined ? this.#catalog.contentSize(digest) : this.#catalog.blobSize(from, digest)
		if (size === undefined) return false
		await this.#holding(digest, () =>
			this.#commit({ type: 'blob', repository, digest, size, at: this.#now() }),
		)
		return true
	}

	deleteBlob: RegistryStorage['deleteBlob'] = async (repository, digest) => {
		if (this.blobSize(repository, digest) === undefined) return { kind: 'unknown' }
		return await this.#deleting(repository, digest, { type: 'blob-deleted', repository, digest })
	}

	touch: RegistryStorage['touch'] = (digest) => {
		const at = this.#now()
		if (!this.#catalog.touch(digest, at)) return
		// Nobody waits for it: where it is lost, a push is told that a blob is missing and sends it.
		void this.#track(this.#commit({ type: 'touched', digest, at })).catch(() => undefined)
	}

	damage: RegistryStorage['damage'] = () =>
		this.#lostFiles().length > 0
			? 'lines of its journal were damaged: what they named is not served, and nothing is removed'
			: undefined

	prune: RegistryStorage['prune'] = async (options) => {
		const lost = this.#lostFiles()
		// Where nothing changes, nothing that was lost can be harmed.
		const isLook = this.#journal === READ_ONLY_LOG && options.dryRun === true
		if (lost.length > 0 && !isLook)
			throw new UserError('JOURNAL_DAMAGED', 'nothing is removed: lines of the journal were damaged', {
				hint: `What they named may be needed. Push again what is missing, then move ${lost.join(', ')} elsewhere.`,
			})
		const parts: PruneParts = {
			catalog: this.#catalog,
			journal: this.#journal,
			uploads: this.#uploads,
			needs: this.#needs,
			isHeld: (digest) => this.#isHeld(digest),
			removeFile: (digest) => this.#removeFile(digest),
			held: this.#held,
			heldTags: this.#heldTags,
			now: this.#now,
		}
		const report = await this.#track(prune(parts, options))
		this.tidy()
		return report
	}

	scrub: RegistryStorage['scrub'] = (options = {}) =>
		this.#track(
			scrub(
				{
					catalog: this.#catalog,
					contents: this.#contents,
					removeFile: (digest) => this.#removeFile(digest),
					rewrite: (digest, bytes) => this.#rewrite(digest, bytes),
				},
				options,
			),
		)

	startUpload: RegistryStorage['startUpload'] = (repository, isWhole) =>
		this.#uploads.start(repository, isWhole)
	upload: RegistryStorage['upload'] = (repository, id) => this.#uploads.get(repository, id)
	uploadCount: RegistryStorage['uploadCount'] = () => this.#uploads.count
	cancelUpload: RegistryStorage['cancelUpload'] = (repository, id) => this.#uploads.cancel(repository, id)
	appendUpload: RegistryStorage['appendUpload'] = (repository, options) =>
		this.#track(this.#uploads.append(repository, options))

	finishUpload: RegistryStorage['finishUpload'] = (repository, options) =>
		this.#holding(options.digest, async () => {
			const result = await this.#uploads.finish(repository, options)
			if (result.kind === 'stored') {
				const { digest, size, content } = result
				await this.#commit({ type: 'blob', repository, digest, size, at: this.#now() }, content)
			}
			return result
		})

	close: RegistryStorage['close'] = async () => {
		this.#isClosing = true
		await Promise.allSettled(this.#changes)
		await this.#journal.close()
		this.#contents.close()
	}

	/** Gives space free that content took which is nobody's any more; on its own, beside all else. */
	tidy(): void {
		if (this.#isTidying || this.#journal === READ_ONLY_LOG) return
		this.#isTidying = true
		// What fails now is there the next time.
		void this.#track(this.#tidyPacks())
			.catch(() => undefined)
			.finally(() => {
				this.#isTidying = false
			})
	}

	async #tidyPacks(): Promise<void> {
		if (!this.#mayRemove()) return
		// Before the disk is asked for more.
		this.#packs.removeEmpty()
		const digests = this.#packs.wasting()
		for (let from = 0; from < digests.length && !this.#isClosing; from += REWRITTEN_AT_ONCE)
			await Promise.all(digests.slice(from, from + REWRITTEN_AT_ONCE).map((digest) => this.#move(digest)))
	}

	/** Out of its pack into the journal. What is damaged stays where it is. */
	async #move(digest: Digest): Promise<void> {
		const size = this.#catalog.contentSize(digest)
		if (size === undefined) return
		let bytes: Uint8Array
		try {
			bytes = this.#contents.read(digest, size)
		} catch {
			return
		}
		await this.#rewrite(digest, bytes)
	}

	#rewrite(digest: Digest, bytes: Uint8Array): Promise<void> {
		return this.#holding(digest, () =>
			this.#journal.appendContent({ type: 'content', digest }, bytes, (place) =>
				this.#contents.add(digest, place),
			),
		)
	}

	#commit(record: StoreRecord): Promise<void>
	#commit(record: ContentRecord, content: Uint8Array | undefined): Promise<void>
	#commit(record: StoreRecord, content?: Uint8Array): Promise<void> {
		if (content === undefined) return this.#journal.append(record, () => this.#catalog.apply(record))
		const { digest } = record as ContentRecord
		return this.#journal.appendContent(record as ContentRecord, content, (place) => {
			this.#contents.add(digest, place)
			// A registry of before has a file of it.
			if (this.#catalog.contentSize(digest) !== undefined) this.#contents.removeCopy(digest)
			this.#catalog.apply(record)
		})
	}

	/** What the journal need be told of a manifest: the references of one that is there already it knows. */
	#news(repository: string, { references = [], ...given }: StoredManifest): StoredManifest {
		const isLong = (given.artifactType?.length ?? 0) > MAX_RECORDED_TYPE
		const manifest = isLong ? { ...given, artifactType: undefined } : given
		if (references.length > MAX_RECORDED_REFERENCES) return manifest
		const known = this.#catalog.manifest(repository, manifest.digest)
		const isKnown = known?.references !== undefined && known.mediaType === manifest.mediaType
		return isKnown ? manifest : { ...manifest, references }
	}

	/** Takes content away from a repository, unless a manifest needs it. None that comes meanwhile may refer to it. */
	async #deleting(repository: string, digest: Digest, record: StoreRecord): Promise<DeleteResult> {
		const key = `${repository} ${digest}`
		if (this.#needed.has(key)) return { kind: 'needed' }
		const by = this.#needs.neededBy(repository, digest)?.digest
		if (by !== undefined) return { kind: 'needed', by, tag: this.#tagAbove(repository, by) }
		const keys = [key]
		this.#going.take(keys)
		try {
			await this.#holding(digest, () => this.#commit(record))
			return { kind: 'deleted' }
		} finally {
			this.#going.release(keys)
		}
	}

	/** A tag of a manifest, or of one that it is part of. */
	#tagAbove(repository: string, digest: Digest): string | undefined {
		for (let each: Digest | undefined = digest; each; each = this.#needs.neededBy(repository, each)?.digest) {
			const [tag] = this.tagsOf(repository, each)
			if (tag !== undefined) return tag
		}
		return undefined
	}

	/** Runs a change of content, and removes the content afterwards if nobody refers to it. */
	#holding<T>(digest: Digest, change: () => Promise<T>): Promise<T> {
		const run = async (): Promise<T> => {
			this.#held.take([digest])
			try {
				return await change()
			} finally {
				for (const free of this.#held.release([digest])) this.#abandoned.add(free)
				this.#removeAbandoned()
			}
		}
		return this.#track(run())
	}

	#lostFiles(): readonly string[] {
		return [...this.#lost].filter((path) => existsSync(path))
	}

	/** Not while a start might read, in the journal, of a change that failed and names the content; nor while lines are lost that may. */
	#mayRemove(): boolean {
		return !this.#journal.isUncertain && this.#lostFiles().length === 0
	}

	#removeAbandoned(): void {
		if (!this.#mayRemove()) return
		for (const digest of this.#abandoned) {
			if (this.#held.has(digest)) continue
			this.#abandoned.delete(digest)
			if (this.#catalog.contentSize(digest) === undefined) this.#contents.remove(digest)
		}
		this.#packs.removeEmpty()
	}

	#isHeld(digest: Digest): boolean {
		return this.#held.has(digest) || this.#referred.has(digest)
	}

	/** Removes the file of content that nothing has and nobody is about to have. */
	#removeFile(digest: Digest): void {
		const isNeeded = this.#isHeld(digest) || this.#catalog.contentSize(digest) !== undefined
		if (!isNeeded && this.#mayRemove()) this.#contents.remove(digest)
	}

	#track<T>(change: Promise<T>): Promise<T> {
		this.#changes.add(change)
		void change.catch(() => undefined).finally(() => this.#changes.delete(change))
		return change
	}
}
