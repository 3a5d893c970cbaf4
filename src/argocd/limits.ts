/** Limits of Argo CD's defaults, in bytes unless said, each with where it stands in argo-cd. */
export const ArgocdLimit = {
	/** util/oci/client.go, from 3.1.6 on. */
	layers: 10,
	/** oras content limit; also `maxOCIManifestSize` of util/oci/client.go. */
	manifestBytes: 4_194_304,
	/** Fallback store of oras: blobs without a title annotation are held in memory. */
	unnamedBlobBytes: 4_194_304,
	/** `reposerver.oci.manifest.max.extracted.size`, "1G"; counts the bytes of the tar stream. */
	extractedBytes: 1_000_000_000,
	/** `reposerver.max.combined.directory.manifests.size`, "10M". */
	directoryManifestBytes: 10_000_000,
	/** Kubernetes' TotalAnnotationSizeLimitB: keys and values of all annotations of an object. */
	annotationBytes: 262_144,
	/** util/cert/cert.go CertificateMaxLines, in lines. */
	certificateLines: 128,
	/** util/cert/cert.go CertificateMaxEntriesPerStream, in certificates. */
	certificatesPerHost: 256,
	/** `--repo-server-timeout-seconds`, in seconds: first pull and rendering together. */
	repoServerSeconds: 60,
} as const

/** `--oci-layer-media-types`; the same from 3.1.0 to 3.6. */
export const defaultAllowedMediaTypes: readonly string[] = [
	'application/vnd.oci.image.layer.v1.tar',
	'application/vnd.oci.image.layer.v1.tar+gzip',
	'application/vnd.cncf.helm.chart.content.v1.tar+gzip',
]
