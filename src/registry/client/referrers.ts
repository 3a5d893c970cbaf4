import * as v from 'valibot'
import { type ContentSource, subjectOf } from '../../content/index.ts'
import {
	type Descriptor,
	descriptorSchema,
	type Digest,
	digestAlgorithm,
	digestHex,
	MAX_MANIFEST_BYTES,
	MediaType,
} from '../../oci/index.ts'
import { RemoteError } from '../../errors/index.ts'
import type { Endpoint } from './endpoint.ts'
import { protocolError } from './registry-errors.ts'
import { parseJson } from './parse-json.ts'

const indexSchema = v.object({ manifests: v.array(descriptorSchema) })

/** Pages of referrers that are read at most. */
const MAX_PAGES = 100

/** @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#referrers-tag-schema */
export function referrersTag(subject: Digest): string {
	return `${digestAlgorithm(subject)}-${digestHex(subject).slice(0, 64)}`
}

export interface ReferrersOptions {
	readonly artifactType?: string | undefined
	readonly signal?: AbortSignal | undefined
}

/**
 * What points at a manifest: from the referrers API, or from the tag that stands in for it.
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#listing-referrers
 */
export async function listReferrers(
	endpoint: Endpoint,
	subject: Digest,
	{ artifactType, signal }: ReferrersOptions,
): Promise<readonly Descriptor[]> {
	const filter = artifactType === undefined ? '' : `?artifactType=${encodeURIComponent(artifactType)}`
	const found: Descriptor[] = []
	let path: string | undefined = `referrers/${subject}${filter}`
	const seen = new Set<string>()
	while (path !== undefined && !seen.has(path)) {
		seen.add(path)
		// A part of them must not pass for all: a signature that is left behind is missed too late.
		if (seen.size > MAX_PAGES) throw tooManyPages(endpoint, subject)
		const read = await readIndex(endpoint, path, signal)
		// The API answers 200 even for what does not exist: 404 means that there is no such API.
		if (!read) {
			const listed = await readIndex(endpoint, `manifests/${referrersTag(subject)}`, signal)
			for (const each of listed?.manifests ?? []) found.push(each)
			break
		}
		for (const each of read.manifests) found.push(each)
		path = read.next
	}
	// Not every registry filters, and the tag never does.
	return artifactType === undefined ? found : found.filter((each) => each.artifactType === artifactType)
}

function tooManyPages({ registry, repository }: Endpoint, subject: Digest): RemoteError {
	const what = `${registry} lists what points at ${subject} in ${repository} on more than ${MAX_PAGES} pages`
	return new RemoteError('REGISTRY_PROTOCOL', what, {
		hint: 'Copy it without them (--no-referrers), or have those that nobody needs deleted there.',
	})
}

interface Page {
	readonly manifests: readonly Descriptor[]
	readonly next: string | undefined
}

function readIndex(
	endpoint: Endpoint,
	path: string,
	signal: AbortSignal | undefined,
): Promise<Page | undefined> {
	const read = async (): Promise<Page | undefined> => {
		const response = await endpoint.send({
			method: 'GET',
			path,
			access: 'pull',
			headers: { accept: MediaType.imageIndex },
			retry: false,
			signal,
		})
		const { status, headers } = response
		const type = headers['content-type']?.split(';')[0]?.trim()
		// Registries without the API answer 404, old ones and proxies 400, 405 or a page of their own.
		const isMissing = status === 404 || status === 400 || status === 405
		if (isMissing || (status === 200 && path.startsWith('referrers/') && type !== MediaType.imageIndex)) {
			response.discard()
			return undefined
		}
		if (status !== 200) throw await endpoint.refusal(response, `list referrers in ${endpoint.repository}`)
		const parsed = v.safeParse(indexSchema, parseJson(await response.text(MAX_MANIFEST_BYTES)))
		if (!parsed.success) throw protocolError(endpoint.registry, 'lists referrers as something else', response)
		const next = nextPage(headers['link'])
		return {
			manifests: parsed.output.manifests,
			next: next === undefined ? undefined : endpoint.resolve(next, response),
		}
	}
	return endpoint.http.attempt(read, { signal })
}

/** The target of `rel="next"`. @see RFC 8288 */
export function nextPage(link: string | readonly string[] | undefined): string | undefined {
	const text = typeof link === 'string' ? link : link?.join(', ')
	for (const match of (text ?? '').slice(0, 8192).matchAll(/<([^<>]*)>([^<]*)/g)) {
		if (/;\s*rel\s*=\s*"?(?:[^";]*\s)?next\b/i.test(match[2] ?? '')) return match[1]
	}
	return undefined
}

/** By repository and tag: the last change that is under way. */
const changes = new WeakMap<Endpoint, Map<string, Promise<unknown>>>()

/** One change of a tag after another. */
async function inTurn<T>(endpoint: Endpoint, tag: string, change: () => Promise<T>): Promise<T> {
	const turns = changes.get(endpoint) ?? new Map<string, Promise<unknown>>()
	changes.set(endpoint, turns)
	const mine = (turns.get(tag) ?? Promise.resolve()).then(change, change)
	turns.set(tag, mine)
	try {
		return await mine
	} finally {
		if (turns.get(tag) === mine) turns.delete(tag)
	}
}

/**
 * Adds a manifest with a subject to the index behind the referrers tag, for a registry that does
 * not do so itself. Two processes at once can lose one another's entry: the specification has no remedy.
 */
export async function addToReferrersTag(
	endpoint: Endpoint,
	source: ContentSource,
	put: (bytes: Uint8Array, mediaType: string, tag: string) => Promise<void>,
): Promise<void> {
	const pointed = source.bytes && subjectOf(source.descriptor, source.bytes)
	if (!pointed) return
	const { subject, referrer } = pointed
	const tag = referrersTag(subject.digest)
	await inTurn(endpoint, tag, async () => {
		const known = (await readIndex(endpoint, `manifests/${tag}`, undefined))?.manifests ?? []
		if (known.some(({ digest }) => digest === referrer.digest)) return
		const index = { schemaVersion: 2, mediaType: MediaType.imageIndex, manifests: [...known, referrer] }
		await put(Buffer.from(JSON.stringify(index)), MediaType.imageIndex, tag)
	})
}
