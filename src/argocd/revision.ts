import { type Digest, isDigest, isTag } from '../oci/index.ts'
import {
	compareVersions,
	isRange,
	parseConstraint,
	parseVersion,
	satisfies,
	type SemanticVersion,
} from './semver.ts'

/** What Argo CD will do with a `targetRevision` of an `oci://` source. */
export type RevisionKind =
	| { readonly kind: 'digest'; readonly digest: Digest }
	/** The tag is for people: only the digest counts. */
	| { readonly kind: 'tag@digest'; readonly tag: string; readonly digest: Digest }
	| { readonly kind: 'tag'; readonly tag: string }
	/** Looked up as a tag first where it could be one, then as a constraint over all tags. */
	| { readonly kind: 'range'; readonly range: string }
	| {
			readonly kind: 'invalid'
			readonly reason: 'empty' | 'slash' | 'digest' | 'tag'
			readonly message: string
			/** The part of Argo CD's message after `cannot get digest for revision …: `. */
			readonly argocdMessage: string
	  }

export type RevisionOptions = {
	/** `host:port/repository` of the source; a slash in a revision is read against it. */
	readonly place?: string | undefined
}

/** @see argo-cd util/oci/client.go resolveRevision, oras registry/repository.go ParseReference */
export function classifyRevision(revision: string, options: RevisionOptions = {}): RevisionKind {
	const invalid = (
		reason: Extract<RevisionKind, { kind: 'invalid' }>['reason'],
		message: string,
	): RevisionKind => ({
		kind: 'invalid',
		reason,
		message,
		argocdMessage: invalidReference(revision, options),
	})

	if (revision === '')
		return invalid('empty', 'the revision is empty; Argo CD has no default for OCI sources')
	if (isRange(revision)) return { kind: 'range', range: revision }
	const { place } = options
	const local =
		place !== undefined && (revision.startsWith(`${place}:`) || revision.startsWith(`${place}@`))
			? revision.slice(place.length).replace(/^:/, '')
			: revision
	const at = local.indexOf('@')
	if (at >= 0) {
		const digest = local.slice(at + 1)
		if (!isDigest(digest)) return invalid('digest', `"${digest}" after @ is not a digest`)
		return at === 0 ? { kind: 'digest', digest } : { kind: 'tag@digest', tag: local.slice(0, at), digest }
	}
	if (isDigest(local)) return { kind: 'digest', digest: local }
	if (local.includes('/'))
		return invalid('slash', `"${revision}" has a slash: Argo CD reads it as another repository`)
	if (local.includes(':')) return invalid('digest', `"${revision}" is not a digest`)
	if (!isTag(local)) return invalid('tag', `"${revision}" is not a tag, a digest or a version range`)
	return { kind: 'tag', tag: local }
}

/** @see oras registry/remote/repository.go ParseReference */
function invalidReference(revision: string, { place = 'the repository' }: RevisionOptions): string {
	if (revision === '') return 'invalid reference'
	if (revision.includes('/'))
		return `invalid reference: mismatch between received ${quote(revision)} and expected ${quote(place)}`
	const at = revision.indexOf('@')
	if (at < 0 && !revision.includes(':')) return `invalid reference: invalid tag ${quote(revision)}`
	const digest = revision.slice(at + 1)
	return `invalid reference: invalid digest ${quote(digest)}: ${digestFault(digest)}`
}

const ALGORITHMS: Readonly<Record<string, number>> = { sha256: 64, sha384: 96, sha512: 128 }

/** @see go-digest Digest.Validate */
function digestFault(digest: string): string {
	const [, algorithm = '', encoded = ''] = /^([^:]+):(.+)$/s.exec(digest) ?? []
	const length = ALGORITHMS[algorithm]
	if (length !== undefined)
		return encoded.length === length ? 'invalid checksum digest format' : 'invalid checksum digest length'
	const isDigest = /^[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[a-zA-Z0-9=_-]+$/.test(digest)
	return isDigest ? 'unsupported digest algorithm' : 'invalid checksum digest format'
}

const quote = (text: string): string => JSON.stringify(text)

export type RangeResult =
	| { readonly found: true; readonly tag: string }
	/** A tag was chosen that Argo CD then cannot ask for: it writes `+` where the registry has `_`. */
	| {
			readonly found: false
			readonly reason: 'plus-tag'
			readonly tag: string
			readonly argocdMessage: string
	  }
	| { readonly found: false; readonly reason: 'no-match'; readonly argocdMessage: string }

/**
 * The tag Argo CD chooses for a range: the highest, whatever it was meant to be,
 * so that `2024.01.02` and `20240102` beat `1.5.0` where the range is open upwards.
 * @see argo-cd util/versions/tags.go MaxVersion
 */
export function resolveRange(range: string, tags: readonly string[]): RangeResult {
	const constraint = parseConstraint(range)
	let best: { readonly version: SemanticVersion; readonly tag: string } | undefined
	for (const tag of constraint === undefined ? [] : tags) {
		const version = parseVersion(tag.replaceAll('_', '+'))
		if (version === undefined || constraint === undefined || !satisfies(version, constraint)) continue
		if (best === undefined || compareVersions(version, best.version) > 0) best = { version, tag }
	}
	if (best === undefined) {
		return {
			found: false,
			reason: 'no-match',
			argocdMessage: `no version for constraints: version matching constraint not found in ${tags.length} tags`,
		}
	}
	if (!best.tag.includes('_')) return { found: true, tag: best.tag }
	const asked = best.version.original
	return {
		found: false,
		reason: 'plus-tag',
		tag: best.tag,
		argocdMessage: `cannot get digest for revision ${asked}: invalid reference: invalid tag ${quote(asked)}`,
	}
}

/** Whether a push of `tag` can change what a `targetRevision` names. */
export function revisionContains(targetRevision: string, tag: string): boolean {
	const revision = classifyRevision(targetRevision)
	if (revision.kind === 'tag') return revision.tag === tag
	if (revision.kind !== 'range') return false
	const constraint = parseConstraint(revision.range)
	const version = parseVersion(tag.replaceAll('_', '+'))
	return constraint !== undefined && version !== undefined && satisfies(version, constraint)
}

export type ResolutionFault =
	| { readonly kind: 'not-found'; readonly place: string }
	| { readonly kind: 'invalid'; readonly argocdMessage: string }
	| { readonly kind: 'range'; readonly argocdMessage: string }
	/** What the HTTP client said, such as `Head "https://…": …`. */
	| { readonly kind: 'transport'; readonly text: string }

/** Argo CD's sentence for a revision that cannot be resolved, without the wrapping of {@link comparisonError}. */
export function resolutionMessage(revision: string, fault: ResolutionFault): string {
	const start = `failed to resolve revision ${quote(revision)}: `
	const lookup = `${start}cannot get digest for revision ${revision}: `
	switch (fault.kind) {
		case 'not-found':
			return `${lookup}${fault.place}${revision.includes('@') ? '' : isDigest(revision) ? '@' : ':'}${revision.replace(/^.*@/, '@')}: not found`
		case 'invalid':
			return `${lookup}${fault.argocdMessage}`
		case 'range':
			return `${start}${fault.argocdMessage}`
		case 'transport':
			return `${lookup}${fault.text}`
	}
}

/** Message of a ComparisonError around what the repo-server said. */
export function comparisonError(message: string, code: 'Unknown' | 'FailedPrecondition' = 'Unknown'): string {
	return `Failed to load target state: failed to generate manifest for source 1 of 1: rpc error: code = ${code} desc = ${message}`
}
