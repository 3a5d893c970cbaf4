import { buildArtifact, gitAnnotations, MAX_LAYER_IN_MEMORY, packLayer } from '../artifact/index.ts'
import { refuseUnknownVersion } from '../argocd/index.ts'
import { copy, createSourceStore } from '../content/index.ts'
import { UserError } from '../errors/index.ts'
import { readManifestSet, type ManifestSet } from '../manifests/index.ts'
import {
	type Annotations,
	formatReference,
	isTag,
	type PinnedReference,
	type Reference,
} from '../oci/index.ts'
import { type CheckOptions, checkSet, refuse } from './check.ts'
import { refuseMovedTags } from './moved-tags.ts'
import { connectRegistry, type RegistryAccess } from './registries.ts'
import { SendingAhead } from './sending-ahead.ts'
import type { Session } from './session.ts'

export interface PushOptions {
	readonly directory: string
	/** Where to: with a tag, without a digest. */
	readonly reference: Reference
	/** Further tags. */
	readonly tags?: readonly string[] | undefined
	readonly access?: RegistryAccess | undefined
	readonly annotations?: Annotations | undefined
	/** Annotate with revision, time and source of the git commit. */
	readonly git?: boolean | undefined
	readonly compress?: 'none' | 'gzip' | undefined
	/** Move a version tag that has other content. */
	readonly force?: boolean | undefined
	/** `false`: do not parse and check. */
	readonly check?: CheckOptions | false | undefined
}

export interface PushResult {
	/** With the digest, and the tag of `options.reference`. */
	readonly reference: PinnedReference
	/** `unchanged` when the registry had it all under these tags. */
	readonly outcome: 'pushed' | 'unchanged'
	readonly tags: readonly string[]
	/** Number of files in the layer. */
	readonly files: number
	/** Number of bytes of the layer. */
	readonly layerBytes: number
	/** Number of bytes that went over the wire. */
	readonly sentBytes: number
}

/**
 * Packs a directory, checks it by Argo CD's rules, and pushes it.
 * @throws UserError `ARTIFACT_REFUSED`, `TAG_EXISTS`, those of reading a directory
 * @throws RemoteError those of a registry
 */
export async function push(session: Session, options: PushOptions): Promise<PushResult> {
	const { signal, progress } = session
	const tags = tagsOf(options)
	if (options.check !== false) refuseUnknownVersion(options.check?.version)
	// Reading the directory first: its faults are told before those of a registry.
	const packing = progress.step('pack')
	const set = await readManifestSet(options.directory, { signal })
	tellIgnored(session, set)
	const connection = connectRegistry(session, options.reference.registry, options.access)
	const repository = connection.repository(options.reference, { writes: true })
	const sending = new SendingAhead(repository, signal)
	try {
		// What the tags name now is asked while the layer is packed.
		const present = Promise.all(tags.map(async (tag) => await repository.resolve(tag, { signal })))
		present.catch(() => {})
		const contents = contentsToKeep(set)
		if (options.check !== false) {
			const verdict = await checkSet(session, set, { ...options.check, contents })
			for (const finding of verdict.findings)
				if (finding.severity === 'warn') progress.warn(finding.message, finding.fix)
			if (!verdict.accepted) refuse(verdict, options.directory)
		}
		const layer = await packLayer(set, {
			compress: options.compress,
			contents,
			onLarge: (content) => sending.start(content, present),
			signal,
		})
		sending.name(layer.descriptor.digest)
		const artifact = buildArtifact(layer, { annotations: await annotationsOf(session, options) })
		const { digest } = artifact.manifest.descriptor
		const files = set.entries.filter((entry) => entry.type === 'file').length
		packing.done(`${countFiles(files)}, ${digest.slice(0, 19)}…`)

		const pushing = progress.step('push')
		const result: Omit<PushResult, 'outcome' | 'sentBytes'> = {
			reference: { ...options.reference, digest },
			tags,
			files,
			layerBytes: layer.descriptor.size,
		}
		const named = await present
		if (named.every((descriptor) => descriptor?.digest === digest)) {
			pushing.unchanged(`unchanged: ${formatReference(options.reference)} is there already`)
			return { ...result, outcome: 'unchanged', sentBytes: 0 }
		}
		if (options.force !== true)
			refuseMovedTags(
				tags.map((tag, index) => ({ tag, digest, before: named[index]?.digest })),
				options.reference,
			)
		const copied = await copy({
			source: createSourceStore([artifact.layer, artifact.config, artifact.manifest]),
			destination: repository,
			root: artifact.manifest.descriptor,
			tags,
			named,
			onContent: ({ action, descriptor }) => {
				if (action === 'skipped' && descriptor.digest === layer.descriptor.digest) void sending.end()
			},
			signal,
		})
		pushing.done(formatReference({ ...options.reference, tag: tags.join(',') }))
		return { ...result, outcome: 'pushed', sentBytes: copied.copied.bytes }
	} finally {
		// What turned out to be there, or to be refused, is not to be sent to its end.
		await sending.end()
		connection.close()
	}
}

/** Where files that fit into memory are kept between the check and the packing. */
function contentsToKeep({ entries }: ManifestSet): Map<string, Uint8Array> | undefined {
	const bytes = entries.reduce((sum, { size }) => sum + size, 0)
	return bytes <= MAX_LAYER_IN_MEMORY ? new Map() : undefined
}

function tagsOf({ reference, tags = [] }: PushOptions): readonly string[] {
	if (reference.digest !== undefined) {
		throw new UserError('USAGE', 'a push cannot choose its digest', {
			hint: `Push to a tag: ${formatReference({ registry: reference.registry, repository: reference.repository, tag: 'v1.0.0' })}`,
		})
	}
	const all = [...new Set([...(reference.tag === undefined ? [] : [reference.tag]), ...tags])]
	if (all.length === 0) {
		throw new UserError('USAGE', `no tag is given for ${formatReference(reference)}`, {
			hint: `Add one: ${formatReference({ ...reference, tag: 'v1.0.0' })}`,
		})
	}
	for (const tag of all) {
		if (!isTag(tag)) {
			throw new UserError('REFERENCE_INVALID', `"${tag}" is not a tag`, {
				hint: 'A tag has 1 to 128 letters, digits, "_", "." and "-" and starts with none of the last two.',
			})
		}
	}
	return all
}

/** `1 file`, `2 files`. */
export function countFiles(count: number): string {
	return `${count} ${count === 1 ? 'file' : 'files'}`
}

const MAX_LISTED = 10

function tellIgnored({ progress }: Session, { ignored, warnings }: ManifestSet): void {
	for (const warning of warnings) progress.warn(warning)
	if (ignored.length === 0) return
	const listed = ignored
		.slice(0, MAX_LISTED)
		.map(({ path, reason }) => (reason === 'default' ? path : `${path} (${reason.file}:${reason.line})`))
	const more = ignored.length > MAX_LISTED ? ` and ${ignored.length - MAX_LISTED} more` : ''
	progress.note(`left out: ${listed.join(', ')}${more}`)
}

async function annotationsOf({ progress, signal, env }: Session, options: PushOptions): Promise<Annotations> {
	if (options.git !== true) return options.annotations ?? {}
	const git = await gitAnnotations(options.directory, { environment: env, signal })
	if (git.omitted !== undefined) {
		progress.warn(`no git annotations: ${git.omitted}`)
		return options.annotations ?? {}
	}
	return { ...git.annotations, ...options.annotations }
}

/** The version to propose after an edit: `v1.0.0` → `v1.1.0`; a tag that is no version stays. */
export function nextMinorVersion(revision: string): string {
	const tag = revision.split('@')[0] ?? ''
	const match = /^(v?\d+\.)(\d+)\.\d+/.exec(tag)
	if (match) return `${match[1]}${Number(match[2]) + 1}.0`
	return isTag(tag) ? tag : 'v1.0.0'
}
