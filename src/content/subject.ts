import { type Descriptor, type Digest, isManifestType, parseManifest } from '../oci/index.ts'

/**
 * What a manifest is when it is listed as a referrer: its own artifact type (of an
 * image without one: its configuration's) and annotations.
 * @returns `undefined` when it does not point at `subject`, or is no manifest
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#listing-referrers
 */
export function referrerTo(
	subject: Digest,
	descriptor: Descriptor,
	bytes: Uint8Array,
): Descriptor | undefined {
	const pointed = subjectOf(descriptor, bytes)
	return pointed?.subject.digest === subject ? pointed.referrer : undefined
}

/** The subject that a manifest points at, and the manifest as its referrer. */
export function subjectOf(
	descriptor: Descriptor,
	bytes: Uint8Array,
): { readonly subject: Descriptor; readonly referrer: Descriptor } | undefined {
	if (!isManifestType(descriptor.mediaType)) return undefined
	const parsed = parseManifest(bytes, descriptor.mediaType)
	const { mediaType, digest, size } = descriptor
	const plain = { mediaType, digest, size }
	if (parsed.kind === 'other') {
		return parsed.subject && { subject: parsed.subject, referrer: { ...descriptor, ...plain } }
	}
	const { subject, artifactType, annotations } = parsed.manifest
	if (!subject) return undefined
	const type = artifactType ?? (parsed.kind === 'image' ? parsed.manifest.config.mediaType : undefined)
	return {
		subject,
		referrer: {
			...plain,
			...(type !== undefined && { artifactType: type }),
			...(annotations && { annotations }),
		},
	}
}
