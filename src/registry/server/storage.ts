import type { Digest } from '../../oci/index.ts'
import type { BodyShare } from './body-memory.ts'
import type { PruneOptions, PruneReport } from './pruning.ts'
import type { ScrubOptions, ScrubReport } from './scrub-report.ts'

export interface StoredManifest {
	readonly digest: Digest
	readonly mediaType: string
	/** Number of bytes. */
	readonly size: number
	/** What it points at by its `subject`, which need not exist. */
	readonly subject?: Digest | undefined
	/** What it is listed as among the referrers of its subject, `''` for nothing; read from its bytes where it is absent. */
	readonly artifactType?: string | undefined
	/** What must be there for as long as it is; read from its bytes where it is absent. */
	readonly references?: readonly Digest[] | undefined
	/** When it was last pushed, in milliseconds since 1970; the storage sets it. */
	readonly pushedAt?: number | undefined
}

export type PutResult =
	| { readonly kind: 'stored' }
	/** One of `fixedTags` names another manifest. Nothing is kept. */
	| { readonly kind: 'tag-fixed'; readonly tag: string; readonly digest: Digest }

export type DeleteResult =
	| { readonly kind: 'deleted' }
	| { readonly kind: 'unknown' }
	/** A manifest of the repository needs it, or one that is being pushed. It stays. */
	| {
			readonly kind: 'needed'
			/** Absent: one that is being pushed. */
			readonly by?: Digest | undefined
			/** That names it, or something that it is part of. */
			readonly tag?: string | undefined
	  }

export interface TagPage {
	/** In the order of their bytes. */
	readonly tags: readonly string[]
	/** There are more after the last of `tags`. */
	readonly more: boolean
}

/** Bytes `start` to `end`, both included, as in HTTP. */
export interface ByteRange {
	readonly start: number
	readonly end: number
}

export interface OpenedBlob {
	/** Of the whole blob, in bytes. */
	readonly size: number
	/**
	 * In memory where it is small. A piece of a stream is good until the next one is asked for: its
	 * memory is used again. Never content that does not have its digest: see {@link RegistryStorage.openBlob}.
	 */
	read(range?: ByteRange): Uint8Array | AsyncIterable<Uint8Array>
}

export interface Upload {
	readonly id: string
	/** Number of bytes received so far, also after a restart. */
	readonly size: number
}

export type UploadResult =
	| { readonly kind: 'stored'; readonly digest: Digest; readonly size: number }
	/** The content has another digest. Nothing is kept. */
	| { readonly kind: 'mismatch'; readonly actual: Digest }
	| UploadRefusal

export type UploadRefusal =
	| { readonly kind: 'unknown' }
	/** Another request is writing to the same upload. */
	| { readonly kind: 'busy' }
	/** The upload is not at the offset the client thinks. */
	| { readonly kind: 'out-of-order'; readonly size: number }
	/** Over the limit for one blob. Nothing is kept. */
	| { readonly kind: 'too-large'; readonly limit: number }

export interface UploadOptions {
	/** Where the client believes the upload stands, in bytes. */
	readonly offset?: number | undefined
}

/** A tag that was set, as far as the storage remembers it. */
export interface PastPush {
	readonly repository: string
	readonly tag: string
	readonly digest: Digest
	/** Of the manifest, in bytes. */
	readonly size: number
	/** Milliseconds since 1970. */
	readonly time: number
}

export interface StorageStatistics {
	readonly repositories: number
	readonly tags: number
	/** Manifests over all repositories. */
	readonly artifacts: number
	/** Of all content together, each stored once. */
	readonly bytes: number
}

/**
 * What a registry keeps. Reads answer from memory or the page cache and so at once;
 * what changes something is durable when its promise resolves. A digest stays readable
 * until it is deleted, whatever happens to the tags that named it.
 */
export interface RegistryStorage {
	hasRepository(repository: string): boolean
	repositories(): readonly string[]

	resolveTag(repository: string, tag: string): Digest | undefined
	/** Tags that name a manifest. Looks at all of them. */
	tagsOf(repository: string, digest: Digest): readonly string[]
	/** `undefined` when there is no such repository. */
	listTags(
		repository: string,
		options: { readonly after?: string | undefined; readonly limit: number },
	): TagPage | undefined
	manifest(repository: string, digest: Digest): StoredManifest | undefined
	/** @throws RemoteError `CONTENT_CORRUPT` */
	readManifest(repository: string, digest: Digest): Uint8Array | undefined
	/** Manifests whose `subject` is the digest, oldest first. */
	referrers(repository: string, subject: Digest): readonly StoredManifest[]
	putManifest(
		repository: string,
		content: {
			readonly manifest: StoredManifest
			readonly bytes: Uint8Array
			/** Tags that name it from now on, in the same step. */
			readonly tags: readonly string[]
			/** Those of `tags` that may not be taken from another manifest. */
			readonly fixedTags?: readonly string[] | undefined
		},
	): Promise<PutResult>
	/** Takes its tags with it. */
	deleteManifest(repository: string, digest: Digest): Promise<DeleteResult>
	deleteTag(repository: string, tag: string): Promise<boolean>

	/** Size in bytes. */
	blobSize(repository: string, digest: Digest): number | undefined
	/**
	 * The first read after a start checks the digest: a stream throws before its last
	 * byte, and `openBlob` itself for a small blob.
	 * @throws RemoteError `CONTENT_CORRUPT`
	 */
	openBlob(repository: string, digest: Digest): OpenedBlob | undefined
	/** Makes content that a repository (`from`, or any) has part of another. `false` when none has it. */
	mountBlob(
		repository: string,
		options: { readonly digest: Digest; readonly from?: string | undefined },
	): Promise<boolean>
	deleteBlob(repository: string, digest: Digest): Promise<DeleteResult>

	/**
	 * Whether a read found the content damaged and it was not pushed again since. Who asks
	 * whether the registry has it must hear no, or would never push it again.
	 */
	isDamaged(digest: Digest): boolean

	/** Whether nothing of an artifact is known to be damaged or gone: the manifest, and what it needs. */
	isWhole(repository: string, digest: Digest): boolean

	/** Somebody is told now that the content is there, or gets it, and may count on it for the grace period. */
	touch(digest: Digest): void

	/**
	 * Takes away what the rules let go and what nothing refers to; beside pushes, each repository in one step.
	 * @throws UserError `JOURNAL_DAMAGED` while there is {@link RegistryStorage.damage}, but for a dry run of one that is only looked at
	 * @throws what the disk says; repositories that were done before stay done
	 */
	prune(options: PruneOptions): Promise<PruneReport>
	/** Reads all content and checks it, whatever is remembered of it. */
	scrub(options?: ScrubOptions): Promise<ScrubReport>

	/**
	 * @param isWhole it comes with this request and does not outlive it: it is not one of those that are limited
	 * @returns `undefined` when there are as many as may be
	 */
	startUpload(repository: string, isWhole?: boolean): Upload | undefined
	upload(repository: string, id: string): Upload | undefined
	/** Adds to an upload. What arrived before a failure of `body` stays, so that it can be resumed. */
	appendUpload(
		repository: string,
		options: UploadOptions & { readonly id: string; readonly body: AsyncIterable<Uint8Array> },
	): Promise<{ readonly kind: 'appended'; readonly size: number } | UploadRefusal>
	/** Adds the last piece and stores the whole as a blob. */
	finishUpload(
		repository: string,
		options: UploadOptions & {
			readonly id: string
			readonly digest: Digest
			readonly body: AsyncIterable<Uint8Array>
			/** For a body that is held until it is whole; what does not fit is written into a file as it comes. */
			readonly share?: BodyShare | undefined
		},
	): Promise<UploadResult>
	cancelUpload(repository: string, id: string): boolean

	statistics(): StorageStatistics
	/**
	 * What of its records is lost, for people; `undefined`: nothing. While it is, no content is removed:
	 * what was lost may have named it.
	 */
	damage(): string | undefined
	/** The tags that were set last, newest first. */
	lastPushes(limit: number): readonly PastPush[]
	/** Uploads begun and not ended. */
	uploadCount(): number
	/** Waits for what is under way. */
	close(): Promise<void>
}
