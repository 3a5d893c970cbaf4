import * as v from 'valibot'
import { MAX_DOCUMENT_BYTES, readVerified } from '../content/index.ts'
import { type Descriptor, isManifestType, type Manifest, MediaType, parseManifest } from '../oci/index.ts'
import type { RemoteRepository } from '../registry/client/index.ts'

/** What an artifact says of itself. */
export interface ArtifactDescription {
	/** Of the manifest and all that it refers to: number of bytes. */
	readonly size: number
	/** The artifact type; of what has none, the media type of its configuration, of an index its own. */
	readonly type: string
	/** RFC 3339, from the annotation, else from the configuration; absent where neither says. */
	readonly created?: string | undefined
}

const CREATED = 'org.opencontainers.image.created'

/** Configurations that may say when an image was made. */
const DATED: ReadonlySet<string> = new Set([
	MediaType.imageConfig,
	'application/vnd.docker.container.image.v1+json',
])

const configSchema = v.object({ created: v.optional(v.string()) })

interface DescribeOptions {
	readonly signal?: AbortSignal | undefined
	/** How deep indexes may still stand in indexes. */
	readonly depth?: number | undefined
}

/** Indexes in indexes beyond this count as empty. */
const MAX_DEPTH = 4
/** Manifests of one index that are read. */
const MAX_LISTED = 64

/** Reads what an artifact says of itself; `undefined` when it is gone, or no manifest. */
export async function describeArtifact(
	repository: RemoteRepository,
	target: Descriptor,
	options: DescribeOptions = {},
): Promise<ArtifactDescription | undefined> {
	if (!isManifestType(target.mediaType) || target.size > MAX_DOCUMENT_BYTES) return undefined
	const bytes = await readVerified(repository, target, { signal: options.signal })
	if (!bytes) return undefined
	const parsed = parseManifest(bytes, target.mediaType)
	switch (parsed.kind) {
		case 'image':
			return await describeImage(repository, { target, parsed }, options)
		case 'index':
			return await describeIndex(repository, { target, parsed }, options)
		case 'other':
			return { size: target.size, type: parsed.mediaType }
	}
}

interface Of<KIND extends Manifest['kind']> {
	readonly target: Descriptor
	readonly parsed: Extract<Manifest, { kind: KIND }>
}

async function describeImage(
	repository: RemoteRepository,
	{ target, parsed: { manifest } }: Of<'image'>,
	{ signal }: DescribeOptions,
): Promise<ArtifactDescription> {
	const { config, layers, artifactType, annotations } = manifest
	const size = layers.reduce((sum, layer) => sum + layer.size, target.size + config.size)
	const annotated = timeOf(annotations?.[CREATED])
	const created =
		annotated ?? (DATED.has(config.mediaType) ? await createdOf(repository, config, signal) : undefined)
	return { size, type: artifactType ?? config.mediaType, ...(created !== undefined && { created }) }
}

async function createdOf(
	repository: RemoteRepository,
	config: Descriptor,
	signal: AbortSignal | undefined,
): Promise<string | undefined> {
	if (config.size > MAX_DOCUMENT_BYTES) return undefined
	const bytes = await readVerified(repository, config, { signal })
	const json = v.safeParse(
		v.pipe(v.string(), v.parseJson(), configSchema),
		bytes && Buffer.from(bytes).toString(),
	)
	return json.success ? timeOf(json.output.created) : undefined
}

async function describeIndex(
	repository: RemoteRepository,
	{ target, parsed: { manifest } }: Of<'index'>,
	{ signal, depth = 0 }: DescribeOptions,
): Promise<ArtifactDescription> {
	const listed = depth < MAX_DEPTH ? manifest.manifests.slice(0, MAX_LISTED) : []
	let size = target.size
	let created = timeOf(manifest.annotations?.[CREATED])
	for (const each of listed) {
		const description = await describeArtifact(repository, each, { signal, depth: depth + 1 })
		size += description?.size ?? each.size
		created ??= description?.created
	}
	return {
		size,
		type: manifest.artifactType ?? target.mediaType,
		...(created !== undefined && { created }),
	}
}

/** A time that is one; what an artifact says is anybody's text. */
function timeOf(text: string | undefined): string | undefined {
	if (text === undefined || text.length > 64) return undefined
	const time = Date.parse(text)
	// Reproducible images say the epoch, or the year 1, and mean nothing by it.
	return Number.isNaN(time) || time <= 0 ? undefined : new Date(time).toISOString()
}
