import { digestOf, type Digest, emptyContent, MediaType } from '../../../src/oci/index.ts'

export interface Blob {
	readonly mediaType: string
	readonly bytes: Uint8Array
	readonly annotations?: Readonly<Record<string, string>>
	/** What the manifest says of it, where that is not so. */
	readonly size?: number
	/** The registry does not have it. */
	readonly absent?: boolean
	/** What the registry sends in its place. */
	readonly tampered?: Uint8Array
}

/** An artifact as a test describes it. */
export interface Artifact {
	readonly layers?: readonly Blob[]
	readonly config?: Blob
	readonly artifactType?: string
	readonly annotations?: Readonly<Record<string, string>>
	/** It points at this one, which is in the same repository unless `absent`. */
	readonly subject?: { readonly artifact: Artifact; readonly absent?: boolean }
	/** An index of these. */
	readonly manifests?: readonly Artifact[]
	/** What the manifest says it is. */
	readonly mediaType?: string
	/** The `Content-Type` it is served with, where it is another. */
	readonly servedAs?: string
	/** The manifest itself, where it is none. */
	readonly raw?: string
}

export interface Stored {
	readonly mediaType: string
	readonly bytes: Uint8Array
	/** Of the content that was meant. */
	readonly digest: Digest
}

/** All that a registry holds for an artifact; the artifact's own manifest is `root`. */
export interface Content {
	readonly root: Stored
	readonly manifests: readonly Stored[]
	readonly blobs: readonly Stored[]
}

const EMPTY: Blob = { mediaType: MediaType.empty, bytes: emptyContent }

const descriptorOf = ({ mediaType, bytes, annotations, size = bytes.length }: Blob): object => ({
	mediaType,
	digest: digestOf(bytes),
	size,
	...(annotations && { annotations }),
})

/** The manifest and the blobs of an artifact. */
export function contentOf(artifact: Artifact): Content {
	const { layers = [], config = EMPTY, annotations, artifactType, manifests } = artifact
	const inner = (manifests ?? []).map(contentOf)
	const subject = artifact.subject && contentOf(artifact.subject.artifact)
	const mediaType = artifact.mediaType ?? (manifests ? MediaType.imageIndex : MediaType.imageManifest)
	const shared = {
		schemaVersion: 2,
		mediaType,
		...(artifactType !== undefined && { artifactType }),
		...(annotations && { annotations }),
		...(subject && { subject: referenceTo(subject.root) }),
	}
	const manifest = manifests
		? { ...shared, manifests: inner.map(({ root }) => referenceTo(root)) }
		: mediaType === MediaType.ociArtifactManifest
			? { ...shared, blobs: layers.map(descriptorOf) }
			: { ...shared, config: descriptorOf(config), layers: layers.map(descriptorOf) }
	const bytes = Buffer.from(artifact.raw ?? JSON.stringify(manifest))
	const root = { mediaType: artifact.servedAs ?? mediaType, bytes, digest: digestOf(bytes) }
	const kept = artifact.subject?.absent === true ? undefined : subject
	const blobs = [config, ...layers]
		.filter(({ absent }) => absent !== true)
		.map((blob) => ({
			mediaType: blob.mediaType,
			bytes: blob.tampered ?? blob.bytes,
			digest: digestOf(blob.bytes),
		}))
	return {
		root,
		manifests: [root, ...inner.flatMap((each) => each.manifests), ...(kept?.manifests ?? [])],
		blobs: [...blobs, ...inner.flatMap((each) => each.blobs), ...(kept?.blobs ?? [])],
	}
}

const referenceTo = ({ mediaType, digest, bytes }: Stored): object => ({
	mediaType,
	digest,
	size: bytes.length,
})
