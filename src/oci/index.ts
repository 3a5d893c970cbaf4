export { annotationsSchema, descriptorSchema } from './descriptor.ts'
export type { Annotations, Descriptor } from './descriptor.ts'
export { createDigester, digestAlgorithm, digestHex, digestOf, isDigest, parseDigest } from './digest.ts'
export type { Digest, DigestAlgorithm, Digester } from './digest.ts'
export {
	emptyContent,
	emptyDescriptor,
	manifestOf,
	MAX_MANIFEST_BYTES,
	parseManifest,
	parseManifestJson,
} from './manifest.ts'
export type { ImageIndex, ImageManifest, Manifest } from './manifest.ts'
export { acceptedManifestTypes, isManifestType, MediaType } from './media-types.ts'
export {
	formatReference,
	isRegistryHost,
	isRepository,
	isTag,
	parseReference,
	registryHostname,
} from './reference.ts'
export type { ParseReferenceOptions, PinnedReference, Reference } from './reference.ts'
