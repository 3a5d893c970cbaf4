import { type Digest, isDigest, isRepository, isTag } from '../../oci/index.ts'
import type { WireCode } from './wire.ts'

export type ManifestReference =
	| { readonly kind: 'tag'; readonly tag: string }
	| { readonly kind: 'digest'; readonly digest: Digest }

/**
 * What a path under `/v2/` names.
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#endpoints
 */
export type Route =
	| { readonly kind: 'base' }
	| { readonly kind: 'catalog' }
	| { readonly kind: 'blob'; readonly repository: string; readonly digest: Digest }
	| { readonly kind: 'uploads'; readonly repository: string }
	| { readonly kind: 'upload'; readonly repository: string; readonly id: string }
	| { readonly kind: 'manifest'; readonly repository: string; readonly reference: ManifestReference }
	| { readonly kind: 'tags'; readonly repository: string }
	| { readonly kind: 'referrers'; readonly repository: string; readonly digest: Digest }
	| {
			readonly kind: 'invalid'
			readonly status: 400 | 404
			readonly code: WireCode
			readonly message: string
	  }

const RESOURCE = /^\/v2\/(.+)\/(blobs|manifests|tags|referrers)\/([^/]*)$/
const UPLOAD = /^\/v2\/(.+)\/blobs\/uploads(?:\/([^/]*))?$/
/** Longer than any name, digest and tag together can be. */
const MAX_PATH_LENGTH = 1024

/** Reads a path as sent. Nothing is decoded but the colon of a digest: no name needs more. */
export function parseRoute(sent: string): Route {
	if (sent === '/v2/' || sent === '/v2') return { kind: 'base' }
	if (sent === '/v2/_catalog') return { kind: 'catalog' }
	if (sent.length > MAX_PATH_LENGTH) return invalid('NAME_INVALID', 'the path is too long')
	const path = sent.includes('%') ? sent.replace(/%3a/gi, ':') : sent

	const upload = UPLOAD.exec(path)
	if (upload) return uploadRoute(upload[1] ?? '', upload[2] ?? '')
	const resource = RESOURCE.exec(path)
	if (!resource) return { kind: 'invalid', status: 404, code: 'UNSUPPORTED', message: 'no such endpoint' }
	const [, repository = '', kind = '', last = ''] = resource
	if (!isRepository(repository)) return badName()
	switch (kind) {
		case 'blobs':
		case 'referrers': {
			if (!isDigest(last)) return invalid('DIGEST_INVALID', 'the path does not end with a digest')
			return { kind: kind === 'blobs' ? 'blob' : 'referrers', repository, digest: last }
		}
		case 'manifests':
			return manifestRoute(repository, last)
		default:
			return last === 'list'
				? { kind: 'tags', repository }
				: { kind: 'invalid', status: 404, code: 'UNSUPPORTED', message: 'no such endpoint' }
	}
}

function uploadRoute(repository: string, id: string): Route {
	if (!isRepository(repository)) return badName()
	return id === '' ? { kind: 'uploads', repository } : { kind: 'upload', repository, id }
}

function manifestRoute(repository: string, text: string): Route {
	if (isDigest(text)) return { kind: 'manifest', repository, reference: { kind: 'digest', digest: text } }
	if (text.includes(':')) return invalid('DIGEST_INVALID', 'the path does not end with a tag or a digest')
	if (isTag(text)) return { kind: 'manifest', repository, reference: { kind: 'tag', tag: text } }
	return {
		kind: 'invalid',
		status: 404,
		code: 'MANIFEST_UNKNOWN',
		message: 'the path does not end with a tag or a digest',
	}
}

function badName(): Route {
	return invalid('NAME_INVALID', 'not the name of a repository: lower case, digits, and single separators')
}

function invalid(code: WireCode, message: string): Route {
	return { kind: 'invalid', status: 400, code, message }
}
