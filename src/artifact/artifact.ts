import { bytesSource, type ContentSource } from '../content/index.ts'
import {
	type Annotations,
	emptyContent,
	emptyDescriptor,
	type ImageManifest,
	MediaType,
} from '../oci/index.ts'
import type { Layer } from './layer.ts'

export interface BuildArtifactOptions {
	/** Default: lading's own. */
	readonly artifactType?: string | undefined
	readonly annotations?: Annotations | undefined
}

/** All that is pushed; the manifest refers to the other two. */
export interface Artifact {
	readonly manifest: ContentSource & { readonly bytes: Uint8Array }
	readonly config: ContentSource
	readonly layer: Layer
}

/**
 * One image manifest with an empty config and one layer, without `subject` and without
 * any time: its bytes depend on the layer, the artifact type and the annotations only.
 * @see https://github.com/opencontainers/image-spec/blob/v1.1.1/manifest.md#guidelines-for-artifact-usage
 */
export function buildArtifact(layer: Layer, options: BuildArtifactOptions = {}): Artifact {
	const artifactType = options.artifactType ?? MediaType.ladingManifests
	const annotations = Object.entries(options.annotations ?? {}).sort(([left], [right]) =>
		left < right ? -1 : left > right ? 1 : 0,
	)
	const manifest = {
		schemaVersion: 2,
		mediaType: MediaType.imageManifest,
		artifactType,
		config: descriptorFields(emptyDescriptor),
		layers: [descriptorFields(layer.descriptor)],
		...(annotations.length > 0 && { annotations: Object.fromEntries(annotations) }),
	} satisfies ImageManifest
	const bytes = new TextEncoder().encode(JSON.stringify(manifest))
	return {
		manifest: { ...bytesSource(MediaType.imageManifest, bytes, { artifactType }), bytes },
		config: bytesSource(MediaType.empty, emptyContent),
		layer,
	}
}

/** Always these fields in this order. */
function descriptorFields({ mediaType, digest, size }: Layer['descriptor']): Layer['descriptor'] {
	return { mediaType, digest, size }
}
