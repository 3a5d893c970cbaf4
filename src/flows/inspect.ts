import { readTree, type TreeEntry } from '../artifact/index.ts'
import type { Descriptor, Manifest, PinnedReference, Reference } from '../oci/index.ts'
import { parseManifest } from '../oci/index.ts'
import { ASSUMED_ARGOCD_VERSION, isContentLayer } from '../argocd/index.ts'
import { verified } from '../content/index.ts'
import { connectRegistry, type RegistryAccess } from './registries.ts'
import type { Session } from './session.ts'
import { readManifestOf } from './subject.ts'

export interface Inspection {
	readonly reference: PinnedReference
	readonly descriptor: Descriptor
	readonly manifest: Manifest
	/** Of the one layer with files, when there is one that can be read. */
	readonly files?: readonly TreeEntry[] | undefined
	/** What points at it: signatures, SBOMs. */
	readonly referrers: readonly Descriptor[]
}

/** What an artifact is made of. */
export async function inspect(
	session: Session,
	reference: Reference,
	access?: RegistryAccess,
): Promise<Inspection> {
	const { signal } = session
	const connection = connectRegistry(session, reference.registry, access)
	try {
		const repository = connection.repository(reference)
		const { descriptor, bytes } = await readManifestOf(repository, reference, signal)
		const manifest = parseManifest(bytes, descriptor.mediaType)
		const referrers = await repository.referrers(descriptor, { signal })
		const layers = manifest.kind === 'image' ? manifest.manifest.layers : []
		const configType = manifest.kind === 'image' ? manifest.manifest.config.mediaType : ''
		const [layer, ...others] = layers.filter(({ mediaType }) =>
			isContentLayer(mediaType, { version: ASSUMED_ARGOCD_VERSION, configType }),
		)
		const stream = layer && others.length === 0 ? await repository.fetch(layer, { signal }) : undefined
		const tree = layer && stream ? await readTree(verified(layer, stream), layer.mediaType) : undefined
		return {
			reference: { ...reference, digest: descriptor.digest },
			descriptor,
			manifest,
			files: tree && !tree.problem ? tree.entries : undefined,
			referrers,
		}
	} finally {
		connection.close()
	}
}
