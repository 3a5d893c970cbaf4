import { createReadStream, type Stats, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { readTree, treeOf, type Tree } from '../artifact/index.ts'
import { type ArtifactFacts, isContentLayer, type ManifestFacts } from '../argocd/index.ts'
import { readVerified, verified } from '../content/index.ts'
import { isSystemError, unreachable, UserError } from '../errors/index.ts'
import { isManifestName, type ManifestSet, readManifestSet, unreadable } from '../manifests/index.ts'
import {
	type Descriptor,
	formatReference,
	isManifestType,
	type Manifest,
	MAX_MANIFEST_BYTES,
	MediaType,
	parseManifest,
	type Reference,
} from '../oci/index.ts'
import type { RemoteRepository } from '../registry/client/index.ts'
import { connectRegistry, readReference, type RegistryAccess } from './registries.ts'
import type { Session } from './session.ts'

/** What a command looks at: a directory, a tar file, or an artifact in a registry. */
export type Subject =
	| { readonly kind: 'directory'; readonly set: ManifestSet; readonly facts: ArtifactFacts }
	| { readonly kind: 'tar'; readonly facts: ArtifactFacts }
	| {
			readonly kind: 'artifact'
			readonly reference: Reference
			readonly descriptor: Descriptor
			readonly facts: ArtifactFacts
	  }

export interface SubjectOptions {
	readonly access?: RegistryAccess | undefined
	/** Version of Argo CD: decides which layer it would take; the assumed one. */
	readonly version: string
}

/** What a text names, before it is read. */
export type SubjectPlace =
	| { readonly kind: 'directory' | 'tar'; readonly path: string }
	| { readonly kind: 'artifact'; readonly reference: Reference }

/**
 * Finds what `text` names. A directory or file of that name comes before an artifact.
 * @throws UserError `DIRECTORY_INVALID`, `FILE_UNSUPPORTED`, `FILE_UNREADABLE`, those of reading a reference
 */
export function locateSubject(session: Session, text: string): SubjectPlace {
	const path = resolve(session.workspace.root, text)
	const { stats, denied } = look(path, text)
	if (stats?.isDirectory() === true) return { kind: 'directory', path }
	if (stats?.isFile() === true) {
		if (isManifestName(path)) throw isManifest(text)
		return { kind: 'tar', path }
	}
	if (stats) throw noFile(text)
	return { kind: 'artifact', reference: readPlace(session, text, denied) }
}

/**
 * Reads what `text` names.
 * @throws UserError `NOT_FOUND`, those of {@link locateSubject} and of reading a directory
 */
export async function readSubject(session: Session, text: string, options: SubjectOptions): Promise<Subject> {
	const { signal } = session
	const place = locateSubject(session, text)
	switch (place.kind) {
		case 'directory': {
			const set = await readManifestSet(place.path, { signal })
			return { kind: 'directory', set, facts: directoryFacts(set) }
		}
		case 'tar': {
			const mediaType = /\.(?:tgz|gz)$/.test(text) ? MediaType.layerTarGzip : MediaType.layerTar
			return { kind: 'tar', facts: { tree: await readTree(createReadStream(place.path), mediaType) } }
		}
		case 'artifact':
			return await readArtifact(session, place.reference, options)
		default:
			return unreachable(place)
	}
}

export type ArtifactSubject = Extract<Subject, { kind: 'artifact' }>

/** Reads an artifact of a registry. @throws UserError `NOT_FOUND` */
export async function readArtifact(
	session: Session,
	reference: Reference,
	options: SubjectOptions,
): Promise<ArtifactSubject> {
	const { signal } = session
	const connection = connectRegistry(session, reference.registry, options.access)
	try {
		const repository = connection.repository(reference)
		const descriptor = await resolveReference(repository, reference, signal)
		const parsed = await manifestAt(repository, { descriptor, reference, signal })
		const manifest: ManifestFacts = {
			mediaType: descriptor.mediaType,
			size: descriptor.size,
			digest: descriptor.digest,
			parsed,
		}
		const tree = await layerTree(repository, manifest, { version: options.version, signal })
		return { kind: 'artifact', reference, descriptor, facts: { manifest, tree } }
	} finally {
		connection.close()
	}
}

/** A manifest that Argo CD would not read as one is not read here either. @throws UserError `NOT_FOUND` */
async function manifestAt(
	repository: RemoteRepository,
	options: {
		readonly descriptor: Descriptor
		readonly reference: Reference
		readonly signal: AbortSignal | undefined
	},
): Promise<Manifest> {
	const { descriptor, reference, signal } = options
	if (!isManifestType(descriptor.mediaType) || descriptor.size > MAX_MANIFEST_BYTES)
		return { kind: 'other', mediaType: descriptor.mediaType }
	const bytes = await readVerified(repository, descriptor, { limit: MAX_MANIFEST_BYTES, signal })
	if (!bytes) throw notFound(reference)
	return parseManifest(bytes, descriptor.mediaType)
}

/** Argo CD reads directories, and so does everything here. */
function isManifest(text: string): UserError {
	return new UserError('DIRECTORY_INVALID', `${text} is a manifest, and a directory of them is wanted`, {
		hint: `Name the directory that it stands in: ${dirname(text)}`,
	})
}

function noFile(text: string): UserError {
	return new UserError('FILE_UNSUPPORTED', `${text} is a device, a pipe or a socket`, { hint: NAME_ONE })
}

interface Seen {
	readonly stats?: Stats | undefined
	/** Why it is not known whether something is there. */
	readonly denied?: UserError
}

function look(path: string, text: string): Seen {
	try {
		return { stats: statSync(path, { throwIfNoEntry: false }) }
	} catch (error) {
		return isSystemError(error, 'EACCES', 'EPERM') ? { denied: unreadable(text, error) } : {}
	}
}

const NAME_ONE = 'Name a directory, a tar file, or an artifact with its tag or digest: NAME:v1.0.0'

function readPlace(session: Session, text: string, denied: UserError | undefined): Reference {
	const missing = (): UserError =>
		denied ??
		new UserError('DIRECTORY_INVALID', `there is no directory or file "${text}"`, {
			hint: NAME_ONE,
		})
	if (/^[./~]/.test(text)) throw missing()
	const isPinned = /:[^/]+$/.test(text) || text.includes('@')
	if (!isPinned) throw missing()
	return readReference(session, text)
}

/** The manifest that a reference names, verified. @throws UserError `NOT_FOUND` */
export async function readManifestOf(
	repository: RemoteRepository,
	reference: Reference,
	signal?: AbortSignal,
): Promise<{ readonly descriptor: Descriptor; readonly bytes: Uint8Array }> {
	const descriptor = await resolveReference(repository, reference, signal)
	const bytes = await readVerified(repository, descriptor, { limit: MAX_MANIFEST_BYTES, signal })
	if (!bytes) throw notFound(reference)
	return { descriptor, bytes }
}

/** What a reference names now. @throws UserError `NOT_FOUND` */
export async function resolveReference(
	repository: RemoteRepository,
	reference: Reference,
	signal?: AbortSignal,
): Promise<Descriptor> {
	const name = reference.digest ?? reference.tag
	if (name === undefined) {
		throw new UserError('USAGE', `${formatReference(reference)} names no tag and no digest`, {
			hint: `lading tags ${formatReference(reference)} lists the tags.`,
		})
	}
	const descriptor = await repository.resolve(name, { signal })
	if (!descriptor) throw notFound(reference)
	return descriptor
}

function notFound(reference: Reference): UserError {
	return new UserError('NOT_FOUND', `there is no ${formatReference(reference)}`, {
		hint: `lading tags ${reference.registry}/${reference.repository} lists what is there.`,
	})
}

/** The files of the layer that Argo CD would extract; `undefined` when there is not exactly one. */
async function layerTree(
	repository: RemoteRepository,
	manifest: ManifestFacts,
	{ version, signal }: { readonly version: string; readonly signal: AbortSignal | undefined },
): Promise<Tree | undefined> {
	if (manifest.parsed.kind !== 'image') return undefined
	const { config, layers } = manifest.parsed.manifest
	const [layer, ...others] = layers.filter(({ mediaType }) =>
		isContentLayer(mediaType, { version, configType: config.mediaType }),
	)
	if (!layer || others.length > 0) return undefined
	const stream = await repository.fetch(layer, { signal })
	if (!stream) {
		throw new UserError('NOT_FOUND', `the registry lacks the layer ${layer.digest}`, {
			hint: 'The artifact is incomplete: push it again.',
		})
	}
	return await readTree(verified(layer, stream), layer.mediaType)
}

/** What is known of a directory that is not packed. */
export function directoryFacts(set: ManifestSet, contents?: Map<string, Uint8Array>): ArtifactFacts {
	return { tree: treeOf(set, contents) }
}
