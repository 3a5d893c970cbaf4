import * as v from 'valibot'
import { MAX_DOCUMENT_BYTES, type ReadableStore, readVerified } from '../content/index.ts'
import { type Descriptor, isManifestType, type Manifest, MediaType, parseManifest } from '../oci/index.ts'

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
	/** How many manifests may still be read of what an index lists. */
	readonly budget?: { left: number } | undefined
}

/** Indexes in indexes beyond this count as empty. */
const MAX_DEPTH = 4
/** Manifests that are read of what one artifact lists, at any depth: indexes that list each other's parts are soon thousands. */
const MAX_LISTED = 64

/** Reads what an artifact says of itself; `undefined` when it is gone, or no manifest. */
export async function describeArtifact(
	store: ReadableStore,
	target: Descriptor,
	options: DescribeOptions = {},
): Promise<ArtifactDescription | undefined> {
	if (!isManifestType(target.mediaType) || target.size > MAX_DOCUMENT_BYTES) return undefined
	const bytes = await readVerified(store, target, { signal: options.signal })
	if (!bytes) return undefined
	const parsed = parseManifest(bytes, target.mediaType)
	switch (parsed.kind) {
		case 'image':
			return await describeImage(store, { target, parsed }, options)
		case 'index':
			return await describeIndex(store, { target, parsed }, options)
		case 'other':
			return { size: target.size, type: parsed.mediaType }
	}
}

interface Of<KIND extends Manifest['kind']> {
	readonly target: Descriptor
	readonly parsed: Extract<Manifest, { kind: KIND }>
}

async function describeImage(
	store: ReadableStore,
	{ target, parsed: { manifest } }: Of<'image'>,
	{ signal }: DescribeOptions,
): Promise<ArtifactDescription> {
	const { config, layers, artifactType, annotations } = manifest
	const size = layers.reduce((sum, layer) => sum + layer.size, target.size + config.size)
	const annotated = timeOf(annotations?.[CREATED])
	const created =
		annotated ?? (DATED.has(config.mediaType) ? await createdOf(store, config, signal) : undefined)
	return { size, type: artifactType ?? config.mediaType, ...(created !== undefined && { created }) }
}

async function createdOf(
	store: ReadableStore,
	config: Descriptor,
	signal: AbortSignal | undefined,
): Promise<string | undefined> {
	if (config.size > MAX_DOCUMENT_BYTES) return undefined
	const bytes = await readVerified(store, config, { signal })
	const json = v.safeParse(
		v.pipe(v.string(), v.parseJson(), configSchema),
		bytes && Buffer.from(bytes).toString(),
	)
	return json.success ? timeOf(json.output.created) : undefined
}

async function describeIndex(
	store: ReadableStore,
	{ target, parsed: { manifest } }: Of<'index'>,
	{ signal, depth = 0, budget = { left: MAX_LISTED } }: DescribeOptions,
): Promise<ArtifactDescription> {
	const listed = depth < MAX_DEPTH ? manifest.manifests : []
	let size = target.size
	let created = timeOf(manifest.annotations?.[CREATED])
	for (const each of listed) {
		if (budget.left <= 0) break
		budget.left--
		const description = await describeArtifact(store, each, { signal, depth: depth + 1, budget })
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
