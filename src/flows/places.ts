import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import { UserError } from '../errors/index.ts'
import { type Digest, formatReference, isDigest, isTag, type Reference } from '../oci/index.ts'
import { readReference } from './registries.ts'
import type { Session } from './session.ts'

/** Where artifacts lie, or shall lie. */
export type Place =
	| { readonly kind: 'registry'; readonly reference: Reference }
	/** An OCI image layout, in a directory or in a tar. */
	| {
			readonly kind: 'layout' | 'archive'
			/** Absolute. */
			readonly path: string
			/** As it was written. */
			readonly shown: string
			/** What the layout calls the artifact: a tag, or a whole reference. */
			readonly name?: string | undefined
			readonly digest?: Digest | undefined
	  }

/** Of a registry, `oci://` begins a reference; skopeo's `oci:` names a layout. */
const LAYOUT = /^(oci|oci-archive):(?!\/\/)/

/**
 * Reads a place as a user types it: a reference; `oci:DIR[:NAME][@DIGEST]` for an OCI image
 * layout in a directory; `oci-archive:FILE[:NAME][@DIGEST]` for one in a tar.
 * @throws UserError those of reading a reference
 */
export function readPlaceOf(session: Session, text: string): Place {
	const layout = LAYOUT.exec(text)
	if (layout) return layoutPlace(session, layout[1] ?? '', text.slice(layout[0].length))
	if (/^[./~]/.test(text)) {
		throw new UserError('REFERENCE_INVALID', `"${text}" is a path, and names no artifact`, {
			hint: `Write oci:${text} for an OCI layout in a directory, oci-archive:${text} for one in a tar.`,
		})
	}
	return { kind: 'registry', reference: readReference(session, text) }
}

function layoutPlace({ workspace }: Session, scheme: string, text: string): Place {
	const at = text.lastIndexOf('@')
	const suffix = text.slice(at + 1)
	const digest = at >= 0 && isDigest(suffix) ? suffix : undefined
	const rest = digest === undefined ? text : text.slice(0, at)
	const { shown, name } = splitName(workspace.root, rest)
	if (shown === '' || name === '') {
		throw new UserError('REFERENCE_INVALID', `"${scheme}:${text}" names no path`, {
			hint: 'It looks like oci:DIR:v1.0.0 or oci-archive:FILE.tar:v1.0.0.',
		})
	}
	const path = resolve(workspace.root, shown)
	// A directory may be called like a tar.
	const isArchive = scheme === 'oci-archive' || isFile(path) || (shown.endsWith('.tar') && !isThere(path))
	return { kind: isArchive ? 'archive' : 'layout', path, shown, name, digest }
}

/** Names may hold colons, and so may paths: the longest part that is there is the path. */
function splitName(root: string, text: string): { readonly shown: string; readonly name?: string } {
	for (let colon = text.length; colon > 0; colon = text.lastIndexOf(':', colon - 1)) {
		const shown = text.slice(0, colon)
		if (!isThere(resolve(root, shown))) continue
		return colon === text.length ? { shown } : { shown, name: text.slice(colon + 1) }
	}
	const last = text.lastIndexOf(':')
	const name = text.slice(last + 1)
	return last < 0 || (name !== '' && !isTag(name)) ? { shown: text } : { shown: text.slice(0, last), name }
}

function isThere(path: string): boolean {
	try {
		return statSync(path, { throwIfNoEntry: false }) !== undefined
	} catch {
		return false
	}
}

function isFile(path: string): boolean {
	return isThere(path) && statSync(path).isFile()
}

/** As it is typed, without the artifact's name. */
export function formatPlace(place: Place): string {
	if (place.kind === 'registry') return `${place.reference.registry}/${place.reference.repository}`
	return `${place.kind === 'archive' ? 'oci-archive' : 'oci'}:${place.shown}`
}

/** An artifact of a place, as it is typed. */
export function formatArtifact(
	place: Place,
	{ tag, digest }: { readonly tag?: string | undefined; readonly digest?: Digest | undefined },
): string {
	if (place.kind === 'registry') {
		const { registry, repository } = place.reference
		return formatReference({ registry, repository, tag, digest })
	}
	return `${formatPlace(place)}${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`
}
