/**
 * The media types lading reads or writes.
 * @see https://github.com/opencontainers/image-spec/blob/v1.1.1/media-types.md
 */
export const MediaType = {
	imageManifest: 'application/vnd.oci.image.manifest.v1+json',
	imageIndex: 'application/vnd.oci.image.index.v1+json',
	imageConfig: 'application/vnd.oci.image.config.v1+json',
	empty: 'application/vnd.oci.empty.v1+json',
	layerTar: 'application/vnd.oci.image.layer.v1.tar',
	layerTarGzip: 'application/vnd.oci.image.layer.v1.tar+gzip',
	dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
	dockerManifestList: 'application/vnd.docker.distribution.manifest.list.v2+json',
	ociArtifactManifest: 'application/vnd.oci.artifact.manifest.v1+json',
	helmConfig: 'application/vnd.cncf.helm.config.v1+json',
	helmChart: 'application/vnd.cncf.helm.chart.content.v1.tar+gzip',
	/** The `artifactType` of what `lading push` makes. */
	ladingManifests: 'application/vnd.lading.manifests.v1',
} as const

const MANIFEST_TYPES: ReadonlySet<string> = new Set([
	MediaType.imageManifest,
	MediaType.imageIndex,
	MediaType.dockerManifest,
	MediaType.dockerManifestList,
	MediaType.ociArtifactManifest,
])

/** Whether content of this type lives under `/manifests/` of a registry and not under `/blobs/`. */
export function isManifestType(mediaType: string): boolean {
	return MANIFEST_TYPES.has(mediaType)
}

/** For an `Accept` header: all manifest types, the preferred one first. */
export const acceptedManifestTypes: readonly string[] = [...MANIFEST_TYPES]
