import { unreachable } from '../../errors/index.ts'
import { type Descriptor, type Digest, isDigest, type Manifest, parseManifest } from '../../oci/index.ts'

const NON_DISTRIBUTABLE =
	/^application\/vnd\.(?:oci\.image\.layer\.nondistributable\.|docker\.image\.rootfs\.foreign\.)/

/**
 * What must be there for as long as a manifest is: config, layers, the manifests of an index. The
 * subject is not among them, as it need not exist. Of a type that is not known, everything that it
 * calls a `digest`: rather too much is kept than too little.
 * @throws UserError `ARTIFACT_INVALID` when the bytes are not what the type says
 */
export function referencesOf(bytes: Uint8Array, mediaType: string): readonly Digest[] {
	return referencesIn(bytes, parseManifest(bytes, mediaType))
}

/** {@link referencesOf} a manifest that was parsed already. */
export function referencesIn(bytes: Uint8Array, parsed: Manifest): readonly Digest[] {
	const found = new Set<Digest>()
	switch (parsed.kind) {
		case 'image':
			for (const { digest } of [parsed.manifest.config, ...parsed.manifest.layers]) found.add(digest)
			break
		case 'index':
			for (const { digest } of parsed.manifest.manifests) found.add(digest)
			break
		case 'other':
			collectDigests(JSON.parse(new TextDecoder().decode(bytes)), found)
			if (parsed.subject) found.delete(parsed.subject.digest)
	}
	return [...found]
}

/** What of it must be there before a manifest is: no layers that are not distributable; of a type that is not known, nothing. */
export function requiredIn(parsed: Manifest): readonly Descriptor[] {
	switch (parsed.kind) {
		case 'image': {
			const { config, layers } = parsed.manifest
			return [config, ...layers.filter(({ mediaType }) => !NON_DISTRIBUTABLE.test(mediaType))]
		}
		case 'index':
			return parsed.manifest.manifests
		case 'other':
			return []
		default:
			return unreachable(parsed)
	}
}

/**
 * What a manifest is listed as: an image without an artifact type has that of its config.
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#listing-referrers
 */
export function artifactTypeOf(parsed: Manifest): string | undefined {
	if (parsed.kind === 'other') return undefined
	const { artifactType } = parsed.manifest
	if (artifactType !== undefined && artifactType !== '') return artifactType
	return parsed.kind === 'image' ? parsed.manifest.config.mediaType : undefined
}

/** Goes through a document without recursion: how deep it is, its sender decides. */
function collectDigests(document: unknown, into: Set<Digest>): void {
	const open: unknown[] = [document]
	while (open.length > 0) {
		const value = open.pop()
		if (typeof value !== 'object' || value === null) continue
		for (const [key, inner] of Object.entries(value)) {
			if (key === 'digest' && typeof inner === 'string' && isDigest(inner)) into.add(inner)
			else open.push(inner)
		}
	}
}
