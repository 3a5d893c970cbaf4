import { crc32 } from 'node:zlib'
import * as v from 'valibot'
import { type Digest, isDigest, isRepository, isTag } from '../../oci/index.ts'

/** One change of what the registry holds, as the journal keeps it. */
export type StoreRecord =
	| { readonly type: 'blob'; readonly repository: string; readonly digest: Digest; readonly size: number }
	| { readonly type: 'blob-deleted'; readonly repository: string; readonly digest: Digest }
	| {
			readonly type: 'manifest'
			readonly repository: string
			readonly digest: Digest
			readonly size: number
			readonly mediaType: string
			readonly subject?: Digest | undefined
			readonly tags?: readonly string[] | undefined
	  }
	| { readonly type: 'manifest-deleted'; readonly repository: string; readonly digest: Digest }
	| { readonly type: 'tag-deleted'; readonly repository: string; readonly tag: string }

const digest = v.custom<Digest>((input) => typeof input === 'string' && isDigest(input))
const repository = v.pipe(v.string(), v.check(isRepository))
const tag = v.pipe(v.string(), v.check(isTag))
const size = v.pipe(v.number(), v.safeInteger(), v.minValue(0))

const recordSchema = v.variant('type', [
	v.object({ type: v.literal('blob'), repository, digest, size }),
	v.object({ type: v.literal('blob-deleted'), repository, digest }),
	v.object({
		type: v.literal('manifest'),
		repository,
		digest,
		size,
		mediaType: v.string(),
		subject: v.optional(digest),
		tags: v.optional(v.array(tag)),
	}),
	v.object({ type: v.literal('manifest-deleted'), repository, digest }),
	v.object({ type: v.literal('tag-deleted'), repository, tag }),
])

/** A line of the journal: eight hex digits of CRC-32, a space, the record as JSON. Ends with a newline. */
export function formatRecord(record: StoreRecord): string {
	const json = JSON.stringify(record)
	return `${checksum(json)} ${json}\n`
}

/** @returns `undefined` for a line that is torn or damaged */
export function parseRecord(line: string): StoreRecord | undefined {
	const json = line.slice(9)
	if (line[8] !== ' ' || checksum(json) !== line.slice(0, 8)) return undefined
	try {
		const parsed = v.safeParse(recordSchema, JSON.parse(json))
		return parsed.success ? parsed.output : undefined
	} catch {
		return undefined
	}
}

function checksum(text: string): string {
	return crc32(text).toString(16).padStart(8, '0')
}
