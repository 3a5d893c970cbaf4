import { crc32 } from 'node:zlib'
import * as v from 'valibot'
import { type Digest, isDigest, isRepository, isTag } from '../../oci/index.ts'

/**
 * One change of what the registry holds, as the journal keeps it. `at` is in milliseconds since 1970;
 * `inline` says that the line after it is the content, and has so many characters of it; `packed`, where else it is.
 */
export type StoreRecord =
	| {
			readonly type: 'blob'
			readonly repository: string
			readonly digest: Digest
			readonly size: number
			readonly at?: number | undefined
			readonly inline?: number | undefined
			readonly packed?: PackedAt | undefined
	  }
	| { readonly type: 'blob-deleted'; readonly repository: string; readonly digest: Digest }
	| {
			readonly type: 'manifest'
			readonly repository: string
			readonly digest: Digest
			readonly size: number
			readonly mediaType: string
			readonly subject?: Digest | undefined
			/** Of a referrer, where it is no longer than such names are. */
			readonly artifactType?: string | undefined
			/**
			 * What it needs. Absent: what an earlier line says of the same manifest of the same type; where
			 * there is none, as it has too many or the line is of before they were kept, what its bytes say.
			 */
			readonly references?: readonly Digest[] | undefined
			readonly tags?: readonly string[] | undefined
			/** Of a push, among all: in a journal that was written anew. Absent: after all lines before. */
			readonly order?: number | undefined
			readonly at?: number | undefined
			readonly inline?: number | undefined
			readonly packed?: PackedAt | undefined
	  }
	| {
			readonly type: 'manifest-deleted'
			readonly repository: string
			readonly digest: Digest
			readonly at?: number | undefined
	  }
	| {
			readonly type: 'tag-deleted'
			readonly repository: string
			readonly tag: string
			readonly at?: number | undefined
	  }
	/** Somebody was told that the content is there, and may count on it. */
	| { readonly type: 'touched'; readonly digest: Digest; readonly at: number }
	/** Content that somebody has already, written once more. */
	| { readonly type: 'content'; readonly digest: Digest; readonly inline?: number | undefined }
	/** What one pruning takes away from a repository, all or nothing. */
	| RemovedRecord

/** Number of a pack, and offset and length in it, in bytes. */
export type PackedAt = readonly [pack: number, offset: number, length: number]

/** A record that may have content with it. */
export type ContentRecord = Extract<StoreRecord, { readonly type: 'blob' | 'manifest' | 'content' }>

export interface RemovedRecord {
	readonly type: 'removed'
	readonly repository: string
	readonly tags: readonly string[]
	/** All tags of these are in `tags`. */
	readonly manifests: readonly Digest[]
	readonly blobs: readonly Digest[]
	readonly at: number
}

const digest = v.custom<Digest>((input) => typeof input === 'string' && isDigest(input))
const repository = v.pipe(v.string(), v.check(isRepository))
const tag = v.pipe(v.string(), v.check(isTag))
const size = v.pipe(v.number(), v.safeInteger(), v.minValue(0))
const time = v.pipe(v.number(), v.safeInteger(), v.minValue(0))

const packed = v.tuple([size, size, size])

const recordSchema = v.variant('type', [
	v.object({
		type: v.literal('blob'),
		repository,
		digest,
		size,
		at: v.optional(time),
		inline: v.optional(size),
		packed: v.optional(packed),
	}),
	v.object({ type: v.literal('blob-deleted'), repository, digest }),
	v.object({
		type: v.literal('manifest'),
		repository,
		digest,
		size,
		mediaType: v.string(),
		subject: v.optional(digest),
		artifactType: v.optional(v.string()),
		references: v.optional(v.array(digest)),
		tags: v.optional(v.array(tag)),
		order: v.optional(size),
		at: v.optional(time),
		inline: v.optional(size),
		packed: v.optional(packed),
	}),
	v.object({ type: v.literal('manifest-deleted'), repository, digest, at: v.optional(time) }),
	v.object({ type: v.literal('tag-deleted'), repository, tag, at: v.optional(time) }),
	v.object({ type: v.literal('touched'), digest, at: time }),
	v.object({ type: v.literal('content'), digest, inline: v.optional(size) }),
	v.object({
		type: v.literal('removed'),
		repository,
		tags: v.array(tag),
		manifests: v.array(digest),
		blobs: v.array(digest),
		at: time,
	}),
])

/** Of what is before the text of a line, in characters. */
export const CHECKSUM_LENGTH = 9

/** A line of the journal: eight hex digits of CRC-32, a space, the record as JSON. Ends with a newline. */
export function formatRecord(record: StoreRecord): string {
	return formatLine(JSON.stringify(record))
}

/** A line that says that all before it was flushed: what is not whole of that was damaged since, of what comes after it never written. */
export const MARK = '.'

/** Where content is, in bytes. */
export interface Place {
	readonly offset: number
	readonly length: number
}

/**
 * A record and its content, as a line of its own: Base64, in which no content, whoever wrote it, is taken for a record.
 * @returns where in `text` the content is
 */
export function formatContent(
	record: ContentRecord,
	content: Uint8Array,
): { readonly text: string; readonly place: Place } {
	const base64 = Buffer.from(content.buffer, content.byteOffset, content.byteLength).toString('base64')
	const first = formatLine(`${JSON.stringify(record).slice(0, -1)},"inline":${base64.length}}`)
	return {
		text: first + formatLine(base64),
		place: { offset: Buffer.byteLength(first) + CHECKSUM_LENGTH, length: base64.length },
	}
}

/** @returns `undefined` for a line that is torn or damaged */
export function parseRecord(line: string): StoreRecord | undefined {
	if (!isWholeLine(line)) return undefined
	try {
		const parsed = v.safeParse(recordSchema, JSON.parse(line.slice(CHECKSUM_LENGTH)))
		return parsed.success ? parsed.output : undefined
	} catch {
		return undefined
	}
}

/** @returns whether a line is what was written */
export function isWholeLine(line: string): boolean {
	return (
		line[CHECKSUM_LENGTH - 1] === ' ' &&
		checksum(line.slice(CHECKSUM_LENGTH)) === line.slice(0, CHECKSUM_LENGTH - 1)
	)
}

function formatLine(text: string): string {
	return `${checksum(text)} ${text}\n`
}

function checksum(text: string): string {
	return crc32(text).toString(16).padStart(8, '0')
}
