import * as v from 'valibot'
import { type Digest, isDigest } from './digest.ts'

export type Annotations = Readonly<Record<string, string>>

/**
 * What content is, without the content.
 * @see https://github.com/opencontainers/image-spec/blob/v1.1.1/descriptor.md#properties
 */
export interface Descriptor {
	readonly mediaType: string
	readonly digest: Digest
	/** Number of bytes. */
	readonly size: number
	readonly annotations?: Annotations | undefined
	readonly artifactType?: string | undefined
	readonly data?: string | undefined
	readonly urls?: readonly string[] | undefined
	/** @see https://github.com/opencontainers/image-spec/blob/v1.1.1/image-index.md#image-index-property-descriptions */
	readonly platform?: Readonly<Record<string, string | readonly string[]>> | undefined
}

export const annotationsSchema: v.GenericSchema<unknown, Annotations> = v.record(v.string(), v.string())

const platformSchema = v.record(v.string(), v.union([v.string(), v.array(v.string())]))

export const descriptorSchema: v.GenericSchema<unknown, Descriptor> = v.object({
	mediaType: v.string(),
	digest: v.custom<Digest>(
		(input) => typeof input === 'string' && isDigest(input),
		'not a registered digest',
	),
	size: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
	annotations: v.optional(annotationsSchema),
	artifactType: v.optional(v.string()),
	data: v.optional(v.string()),
	urls: v.optional(v.array(v.string())),
	// Whatever does not look like one is left out: nothing here depends on it, and JSON may nest without end.
	platform: v.fallback(v.optional(platformSchema), undefined),
})
