import { unpack, type Unpacked } from '../artifact/index.ts'
import { giveBack } from '../http/client/index.ts'
import { isContentLayer, ASSUMED_ARGOCD_VERSION } from '../argocd/index.ts'
import { verified } from '../content/index.ts'
import { UserError } from '../errors/index.ts'
import { formatReference, parseManifest, type PinnedReference, type Reference } from '../oci/index.ts'
import { tellLeftovers } from './leftovers.ts'
import { countFiles } from './push.ts'
import { connectRegistry, type RegistryAccess } from './registries.ts'
import type { Session } from './session.ts'
import { readManifestOf } from './subject.ts'

export interface PullOptions {
	readonly reference: Reference
	readonly directory: string
	/** Write into a directory that is not empty: files of the same name are replaced, other files stay. */
	readonly force?: boolean | undefined
	readonly access?: RegistryAccess | undefined
}

export interface PullResult {
	readonly reference: PinnedReference
	readonly files: number
	/** With `force`: files of the directory that are not of the artifact, and stay. Without what `push` leaves out by name, such as `.git`. */
	readonly otherFiles: number
	/** Number of bytes of the layer. */
	readonly layerBytes: number
}

/**
 * Fetches an artifact and unpacks its one content layer. The directory appears whole or not at all; one that
 * is not empty has, with `force`, its files replaced one by one after all has been fetched and verified.
 */
export async function pull(session: Session, options: PullOptions): Promise<PullResult> {
	const { signal, progress } = session
	const { reference } = options
	const step = progress.step('pull')
	tellLeftovers(progress, options.directory)
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
			written: giveBack,
		})
		step.done(`${countFiles(unpacked.files)} in ${options.directory}`)
		tellOthers(session, unpacked, options.directory)
		return {
			reference: { ...reference, digest: descriptor.digest },
			files: unpacked.files,
			otherFiles: unpacked.otherFiles,
			layerBytes: layer.size,
		}
	} finally {
		connection.close()
	}
}

/** Whoever pushes the directory pushes them, too. */
function tellOthers({ progress }: Session, { otherFiles }: Unpacked, directory: string): void {
	if (otherFiles === 0) return
	const [are, stay] = otherFiles === 1 ? ['is', 'stays'] : ['are', 'stay']
	progress.warn(
		`${countFiles(otherFiles)} in ${directory} ${are} not of this artifact and ${stay}`,
		'For exactly its content, remove the directory and pull again, or pull into a new one.',
	)
}
