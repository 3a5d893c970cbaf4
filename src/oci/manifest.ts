import * as v from 'valibot'
import { UserError } from '../errors/index.ts'
import { type Annotations, annotationsSchema, type Descriptor, descriptorSchema } from './descriptor.ts'
import { digestOf } from './digest.ts'
import { MediaType } from './media-types.ts'

/** A manifest larger than this is refused by registries and by Argo CD (4 MiB), in bytes. */
export const MAX_MANIFEST_BYTES: number = 4 * 1024 * 1024

/** @see https://github.com/opencontainers/image-spec/blob/v1.1.1/manifest.md#image-manifest-property-descriptions */
export interface ImageManifest {
	readonly schemaVersion: 2
	readonly mediaType?: string | undefined
	readonly artifactType?: string | undefined
	readonly config: Descriptor
	readonly layers: readonly Descriptor[]
	readonly subject?: Descriptor | undefined
	readonly annotations?: Annotations | undefined
}

/** @see https://github.com/opencontainers/image-spec/blob/v1.1.1/image-index.md#image-index-property-descriptions */
export interface ImageIndex {
	readonly schemaVersion: 2
	readonly mediaType?: string | undefined
	readonly artifactType?: string | undefined
	readonly manifests: readonly Descriptor[]
	readonly subject?: Descriptor | undefined
	readonly annotations?: Annotations | undefined
}

/** A manifest of either kind, told apart by `kind`. */
export type Manifest =
	| { readonly kind: 'image'; readonly manifest: ImageManifest }
	| { readonly kind: 'index'; readonly manifest: ImageIndex }
	/** Valid JSON of a type that is neither, such as the withdrawn OCI artifact manifest. */
	| { readonly kind: 'other'; readonly mediaType: string; readonly subject?: Descriptor | undefined }

const common = {
	schemaVersion: v.literal(2),
	mediaType: v.optional(v.string()),
	artifactType: v.optional(v.string()),
	subject: v.optional(descriptorSchema),
	annotations: v.optional(annotationsSchema),
}

const imageManifestSchema = v.object({
	...common,
	config: descriptorSchema,
	layers: v.array(descriptorSchema),
})

const imageIndexSchema = v.object({ ...common, manifests: v.array(descriptorSchema) })

/** The empty JSON object as content, and its descriptor. @see image-spec manifest.md "Guidance for an Empty Descriptor" */
export const emptyContent: Uint8Array = new TextEncoder().encode('{}')
export const emptyDescriptor: Descriptor = {
	mediaType: MediaType.empty,
	digest: digestOf(emptyContent),
	size: emptyContent.byteLength,
}

/** Objects and arrays of one manifest. One of 4 MiB has 20,000 descriptors; as many brackets take seconds to read. */
const MAX_NODES = 100_000

/**
 * The JSON of a manifest's bytes.
 * @throws UserError `ARTIFACT_INVALID`
 */
export function parseManifestJson(bytes: Uint8Array): unknown {
	if (countNodes(bytes) > MAX_NODES)
		throw new UserError('ARTIFACT_INVALID', `the manifest has more than ${MAX_NODES} objects and arrays`)
	try {
		return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
	} catch (error) {
		throw new UserError('ARTIFACT_INVALID', 'the manifest is not JSON', { cause: error })
	}
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
const BRACE = 0x7b
const BRACKET = 0x5b

/** How many brackets of either kind are opened, as far as it can matter. */
function countNodes(bytes: Uint8Array): number {
	if (bytes.byteLength <= MAX_NODES) return 0
	let nodes = 0
	let inString = false
	for (let at = 0; at < bytes.byteLength; at++) {
		const byte = bytes[at]
		if (byte === QUOTE) inString = !inString
		else if (inString) at += byte === BACKSLASH ? 1 : 0
		else if (byte === BRACE || byte === BRACKET) nodes++
	}
	return nodes
}

/**
 * Reads the bytes of a manifest.
 * @param mediaType the type it was served with; decides over the `mediaType` field
 * @throws UserError `ARTIFACT_INVALID` when the bytes are not what the type says
 */
export function parseManifest(bytes: Uint8Array, mediaType: string): Manifest {
	return manifestOf(parseManifestJson(bytes), mediaType)
}

/** {@link parseManifest} of what was parsed already. */
export function manifestOf(json: unknown, mediaType: string): Manifest {
	switch (mediaType) {
		case MediaType.imageManifest:
		case MediaType.dockerManifest:
			return { kind: 'image', manifest: parseAs(imageManifestSchema, json, 'image manifest') }
		case MediaType.imageIndex:
		case MediaType.dockerManifestList:
			return { kind: 'index', manifest: parseAs(imageIndexSchema, json, 'image index') }
		default: {
			const other = v.safeParse(v.object({ subject: v.optional(descriptorSchema) }), json)
			return { kind: 'other', mediaType, subject: other.success ? other.output.subject : undefined }
		}
	}
}

function parseAs<T>(schema: v.GenericSchema<unknown, T>, json: unknown, what: string): T {
	const result = v.safeParse(schema, json)
	if (result.success) return result.output
	const issue = result.issues[0]
	const path = v.getDotPath(issue) ?? '(root)'
	throw new UserError('ARTIFACT_INVALID', `not an ${what}: ${path}: ${issue.message}`)
}
