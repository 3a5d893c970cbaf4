import {
	bytesSource,
	type ContentSource,
	type ContentStore,
	type StoreOptions,
	type UnnamedContent,
} from '../../content/index.ts'
import { UserError } from '../../errors/index.ts'
import { type Descriptor, type Digest, isDigest, isManifestType, isTag } from '../../oci/index.ts'
import { downloadBlob } from './blob-download.ts'
import { checkDigest, sessionOf, SINGLE_POST_BYTES, uploadBlob } from './blob-upload.ts'
import type { Endpoint } from './endpoint.ts'
import { hasContent } from './has-content.ts'
import { putManifest, readManifest, resolveManifest } from './manifests.ts'
import { listReferrers } from './referrers.ts'
import { listTags } from './tag-list.ts'
import { AheadSession, type UploadAhead } from './upload-ahead.ts'

/**
 * A repository of a remote registry as a store.
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md
 */
export interface RemoteRepository extends ContentStore {
	readonly origin: { readonly registry: string; readonly repository: string }
	mount(target: Descriptor, fromRepository: string, options?: StoreOptions): Promise<boolean>
	pushTagged(source: ContentSource, tag: string, options?: StoreOptions): Promise<void>
	/** Sends a blob while its digest is still being found out. Absent where blobs go in pieces. */
	sendAhead?(content: UnnamedContent, options?: StoreOptions): UploadAhead
	/** Stores a manifest under a tag, or without one under its digest. */
	pushManifest(
		bytes: Uint8Array,
		mediaType: string,
		options?: StoreOptions & { readonly tag?: string | undefined },
	): Promise<Descriptor>
	/**
	 * Deletes a tag, or a manifest by its digest (with all its tags).
	 * @returns whether it was there
	 * @throws RemoteError also when the registry allows no deletes
	 */
	delete(reference: string, options?: StoreOptions): Promise<boolean>
	/** As `tags()`, but page by page. */
	listTags(options?: StoreOptions): AsyncGenerator<readonly string[], boolean, undefined>
}

export interface RemoteRepositoryOptions {
	/** Whether it will be written to: one token then serves the whole push. Default: learnt at the first write. */
	readonly writes?: boolean | undefined
	/** Blobs larger than this are uploaded in pieces of this size, in bytes; default all in one piece. */
	readonly chunkSize?: number | undefined
}

export function createRemoteRepository(
	endpoint: Endpoint,
	{ chunkSize }: RemoteRepositoryOptions = {},
): RemoteRepository {
	const { registry, repository } = endpoint
	/** Sessions that the registry opened instead of mounting. */
	const sessions = new Map<Digest, string>()
	const ahead = new Map<Digest, AheadSession>()

	return {
		origin: { registry, repository },
		async resolve(reference, options = {}) {
			checkReference(reference)
			return resolveManifest(endpoint, reference, options)
		},
		exists: (target, options = {}) => hasContent(endpoint, target, options),
		unaskedBytes: SINGLE_POST_BYTES,
		async fetch(target, options = {}) {
			if (!isManifestType(target.mediaType)) return downloadBlob(endpoint, target, options)
			const read = await readManifest(endpoint, target.digest, options)
			return read && once(read.bytes)
		},
		referrers: (target, options = {}) => listReferrers(endpoint, target.digest, options),
		async tags(options) {
			const all: string[] = []
			const pages = listTags(endpoint, options)
			for (;;) {
				const page = await pages.next()
				if (page.done !== true) for (const tag of page.value) all.push(tag)
				else return page.value ? [...new Set(all)].sort() : undefined
			}
		},
		listTags: (options) => listTags(endpoint, options),
		async push(source, options = {}) {
			const { digest, mediaType } = source.descriptor
			if (isManifestType(mediaType)) {
				return putManifest(endpoint, source, { ...options, reference: digest })
			}
			const session = sessions.get(digest)
			sessions.delete(digest)
			const begun = await ahead.get(digest)?.take()
			ahead.delete(digest)
			await uploadBlob(endpoint, source, { ...options, chunkSize, session, begun })
		},
		...(chunkSize === undefined && {
			sendAhead(content: UnnamedContent, options: StoreOptions = {}): UploadAhead {
				const sent = new AheadSession(endpoint, content, options)
				return { name: (digest) => void ahead.set(digest, sent), cancel: () => sent.cancel() }
			},
		}),
		async pushTagged(source, tag, options) {
			checkReference(tag)
			await putManifest(endpoint, source, { ...options, reference: tag })
		},
		async tag(target, tag, manifest, options) {
			checkReference(tag)
			const source = { descriptor: target, bytes: manifest, open: () => once(manifest) }
			await putManifest(endpoint, source, { ...options, reference: tag })
		},
		async pushManifest(bytes, mediaType, { tag, ...options } = {}) {
			if (tag !== undefined) checkReference(tag)
			const source = bytesSource(mediaType, bytes)
			await putManifest(endpoint, source, { ...options, reference: tag ?? source.descriptor.digest })
			return source.descriptor
		},
		async mount(target, fromRepository, { signal } = {}) {
			const query = new URLSearchParams({ mount: target.digest, from: fromRepository })
			const response = await endpoint.send({
				method: 'POST',
				path: `blobs/uploads/?${query.toString()}`,
				access: 'pull,push',
				from: fromRepository,
				headers: { 'content-length': '0' },
				retry: true,
				signal,
			})
			if (response.status === 201) {
				response.discard()
				checkDigest(endpoint, response, target.digest)
				return true
			}
			if (response.status === 202) {
				sessions.set(target.digest, sessionOf(endpoint, response))
				return false
			}
			response.discard()
			// Whatever the reason, an upload says the same thing again with better words.
			return false
		},
		async delete(reference, { signal } = {}) {
			checkReference(reference)
			let tries = 0
			return await endpoint.http.attempt(
				async () => {
					tries++
					const path = `manifests/${reference}`
					const response = await endpoint.send({
						method: 'DELETE',
						path,
						access: 'delete',
						retry: false,
						signal,
					})
					if (response.status !== 202 && response.status !== 200 && response.status !== 404) {
						throw await endpoint.refusal(response, `delete ${reference} of ${repository}`)
					}
					response.discard()
					// What is gone at the second try went at the first, whose answer was lost.
					return response.status !== 404 || tries > 1
				},
				{ signal },
			)
		},
	}
}

/** References become part of a URL: nothing else may. @throws UserError `REFERENCE_INVALID` */
function checkReference(reference: string): void {
	if (isDigest(reference) || isTag(reference)) return
	throw new UserError('REFERENCE_INVALID', `"${reference}" is neither a tag nor a digest`)
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
	yield bytes
}
