import { LadingError } from '../../errors/index.ts'
import {
	type Descriptor,
	type Digest,
	type Manifest,
	manifestOf,
	parseManifestJson,
} from '../../oci/index.ts'
import { artifactTypeOf, referencesIn, requiredIn } from './references.ts'
import type { WireFault } from './wire.ts'

export interface ManifestLookup {
	/** Size in bytes; `undefined` when the repository does not have it. */
	blobSize(digest: Digest): number | undefined
	manifestSize(digest: Digest): number | undefined
}

export type CheckedManifest =
	| {
			readonly kind: 'good'
			readonly mediaType: string
			readonly subject: Digest | undefined
			/** What it is listed as, where it has a subject; `''`: nothing. */
			readonly artifactType: string | undefined
			/** What must be there for as long as it is. */
			readonly references: readonly Digest[]
	  }
	| { readonly kind: 'bad'; readonly faults: readonly WireFault[] }

const MEDIA_TYPE = /^application\/[a-z0-9][a-z0-9.+_-]{0,200}$/i

/**
 * Whether a manifest may be stored: it is what its type says, and all it refers to is
 * there. Its subject need not be, nor layers that are not distributable.
 * @param declared the `Content-Type` it was sent with
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#pushing-manifests
 */
export function checkManifest(
	bytes: Uint8Array,
	options: { readonly declared: string | undefined; readonly lookup: ManifestLookup },
): CheckedManifest {
	let json: { readonly mediaType?: unknown } | undefined
	try {
		json = objectOf(parseManifestJson(bytes))
	} catch (error) {
		if (error instanceof LadingError) return bad(error.message)
		throw error
	}
	if (!json) return bad('it is no JSON object')
	const named = typeof json.mediaType === 'string' && json.mediaType !== '' ? json.mediaType : undefined
	const declared = options.declared?.split(';')[0]?.trim()
	const mediaType = declared === undefined || declared === '' ? named : declared
	if (mediaType === undefined) return bad('it says its media type neither in the header nor in itself')
	if (!MEDIA_TYPE.test(mediaType)) return bad('its media type is not one of a manifest')
	if (named !== undefined && named !== mediaType) {
		return bad(`it was sent as ${mediaType} and calls itself ${named.slice(0, 200)}`)
	}
	let parsed: Manifest
	try {
		parsed = manifestOf(json, mediaType)
	} catch (error) {
		if (error instanceof LadingError) return bad(error.message)
		throw error
	}
	const faults = missing(parsed, options.lookup)
	if (faults.length > 0) return { kind: 'bad', faults }
	const subject = parsed.kind === 'other' ? parsed.subject : parsed.manifest.subject
	return {
		kind: 'good',
		mediaType,
		subject: subject?.digest,
		artifactType: subject && (artifactTypeOf(parsed) ?? ''),
		references: referencesIn(bytes, parsed),
	}
}

function objectOf(json: unknown): { readonly mediaType?: unknown } | undefined {
	return typeof json === 'object' && json !== null && !Array.isArray(json) ? json : undefined
}

function missing(parsed: Manifest, lookup: ManifestLookup): WireFault[] {
	const sizeOf = (digest: Digest): number | undefined =>
		(parsed.kind === 'index' ? lookup.manifestSize(digest) : undefined) ?? lookup.blobSize(digest)
	return requiredIn(parsed).flatMap((target) => compare(target, sizeOf(target.digest)))
}

function compare({ digest, size }: Descriptor, actual: number | undefined): WireFault[] {
	if (actual === size) return []
	if (actual === undefined) {
		return [
			{
				code: 'MANIFEST_BLOB_UNKNOWN',
				message: `the repository does not have ${digest}`,
				detail: { digest },
			},
		]
	}
	return [{ code: 'SIZE_INVALID', message: `${digest} has ${actual} bytes, the manifest says ${size}` }]
}

function bad(message: string): CheckedManifest {
	return { kind: 'bad', faults: [{ code: 'MANIFEST_INVALID', message: `not a manifest: ${message}` }] }
}
