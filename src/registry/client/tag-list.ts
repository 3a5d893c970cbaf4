import * as v from 'valibot'
import type { StoreOptions } from '../../content/index.ts'
import { RemoteError } from '../../errors/index.ts'
import { isTag } from '../../oci/index.ts'
import type { Endpoint } from './endpoint.ts'
import { parseJson } from './parse-json.ts'
import { nextPage } from './referrers.ts'
import { protocolError } from './registry-errors.ts'

/** A page of tags is no larger than this, in bytes. */
const MAX_PAGE_BYTES = 16 * 1024 * 1024
const MAX_PAGES = 10_000
/** Of one repository. */
const MAX_TAGS = 500_000

const tagsSchema = v.object({ tags: v.nullish(v.array(v.string())) })

/** Page by page; returns whether the repository exists. */
export async function* listTags(
	endpoint: Endpoint,
	options: StoreOptions = {},
): AsyncGenerator<readonly string[], boolean, undefined> {
	let path: string | undefined = 'tags/list'
	const seen = new Set<string>()
	let count = 0
	while (path !== undefined && !seen.has(path)) {
		seen.add(path)
		if (seen.size > MAX_PAGES) throw tooMany(endpoint, `on more than ${MAX_PAGES} pages`)
		const page: TagPage | undefined = await readTagPage(endpoint, path, options.signal)
		if (!page) return seen.size > 1
		count += page.tags.length
		if (count > MAX_TAGS) throw tooMany(endpoint, `and more than ${MAX_TAGS}`)
		yield page.tags
		path = page.next
	}
	return true
}

/** A part of a list must not pass for all of it. */
function tooMany({ registry, repository }: Endpoint, how: string): RemoteError {
	return new RemoteError('REGISTRY_PROTOCOL', `${registry} lists the tags of ${repository} ${how}`, {
		hint: 'Name the tag that you mean, instead of listing them all.',
	})
}

interface TagPage {
	readonly tags: readonly string[]
	readonly next: string | undefined
}

/** @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#listing-tags */
function readTagPage(
	endpoint: Endpoint,
	path: string,
	signal: AbortSignal | undefined,
): Promise<TagPage | undefined> {
	const read = async (): Promise<TagPage | undefined> => {
		const response = await endpoint.send({ method: 'GET', path, access: 'pull', retry: false, signal })
		if (response.status === 404) {
			response.discard()
			return undefined
		}
		if (response.status !== 200)
			throw await endpoint.refusal(response, `list the tags of ${endpoint.repository}`)
		const parsed = v.safeParse(tagsSchema, parseJson(await response.text(MAX_PAGE_BYTES)))
		if (!parsed.success) throw protocolError(endpoint.registry, 'lists tags as something else', response)
		const next = nextPage(response.headers['link'])
		return {
			// Names that are no tags could not be asked for, and must not reach a terminal.
			tags: (parsed.output.tags ?? []).filter(isTag),
			next: next === undefined ? undefined : endpoint.resolve(next, response),
		}
	}
	return endpoint.http.attempt(read, { signal })
}
