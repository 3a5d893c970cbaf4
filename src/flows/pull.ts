import { unpack } from '../artifact/index.ts'
import { isContentLayer, ASSUMED_ARGOCD_VERSION } from '../argocd/index.ts'
import { verified } from '../content/index.ts'
import { UserError } from '../errors/index.ts'
import { formatReference, parseManifest, type PinnedReference, type Reference } from '../oci/index.ts'
import { countFiles } from './push.ts'
import { connectRegistry, type RegistryAccess } from './registries.ts'
import type { Session } from './session.ts'
import { readManifestOf } from './subject.ts'

export interface PullOptions {
	readonly reference: Reference
	readonly directory: string
	/** Replace a directory that is not empty. */
	readonly force?: boolean | undefined
	readonly access?: RegistryAccess | undefined
}

export interface PullResult {
	readonly reference: PinnedReference
	readonly files: number
	/** Number of bytes of the layer. */
	readonly layerBytes: number
}

/** Fetches an artifact and unpacks its one content layer; the directory appears whole or not at all. */
export async function pull(session: Session, options: PullOptions): Promise<PullResult> {
	const { signal, progress } = session
	const { reference } = options
	const step = progress.step('pull')
	const connection = connectRegistry(session, reference.registry, options.access)
	try {
		const repository = connection.repository(reference)
		const { descriptor, bytes } = await readManifestOf(repository, reference, signal)
		const manifest = parseManifest(bytes, descriptor.mediaType)
		if (manifest.kind !== 'image') {
			throw new UserError(
				'ARTIFACT_INVALID',
				`${formatReference(reference)} is ${descriptor.mediaType}, not one artifact`,
				{
					hint: 'Name one of the manifests it lists by digest: lading inspect shows them.',
				},
			)
		}
		const { config, layers } = manifest.manifest
		const [layer, ...others] = layers.filter(({ mediaType }) =>
			isContentLayer(mediaType, { version: ASSUMED_ARGOCD_VERSION, configType: config.mediaType }),
		)
		if (!layer || others.length > 0) {
			throw new UserError(
				'ARTIFACT_INVALID',
				`${formatReference(reference)} has ${layer ? others.length + 1 : 0} layers with files; one is needed`,
				{
					hint: 'lading inspect shows what it is made of.',
				},
			)
		}
		const stream = await repository.fetch(layer, { signal })
		if (!stream)
			throw new UserError('NOT_FOUND', `the registry lacks the layer ${layer.digest}`, {
				hint: 'Push the artifact again.',
			})
		const unpacked = await unpack(verified(layer, stream), options.directory, {
			mediaType: layer.mediaType,
			force: options.force,
			signal,
		})
		step.done(`${countFiles(unpacked.files)} in ${options.directory}`)
		return {
			reference: { ...reference, digest: descriptor.digest },
			files: unpacked.files,
			layerBytes: layer.size,
		}
	} finally {
		connection.close()
	}
}
