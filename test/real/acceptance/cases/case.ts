import { gzipSync } from 'node:zlib'
import { MediaType } from '../../../../src/oci/index.ts'
import type { Artifact, Blob } from '../artifact.ts'
import { type Entry, tar } from '../tar.ts'

/** An artifact, the Application that reads it, and the rules of lading's table that it is about. */
export interface Case {
	/** Also its repository; each is there once. */
	readonly name: string
	/** Rules that it just keeps. */
	readonly keeps?: readonly string[]
	/** Rules that it breaks; lading must find each. */
	readonly breaks?: readonly string[]
	/** Rules that it breaks in another version of Argo CD, and that version. */
	readonly breaksIn?: Readonly<Record<string, string>>
	/** By tag. */
	readonly tags: Readonly<Record<string, Artifact>>
	/** Default: `v1`. */
	readonly revision?: string | ((place: { readonly host: string; readonly digest: string }) => string)
	/** Default: the case's own repository. */
	readonly repoURL?: (host: string) => string
	/** Default: `.`. */
	readonly path?: string
	readonly recurse?: boolean
	readonly include?: string
	readonly exclude?: string
	/** The Application applies on the client's side. */
	readonly clientSide?: boolean
	/** Not for every older version too: it costs seconds. */
	readonly heavy?: boolean
	/** lading refuses it all the same, though Argo CD takes it, or nobody can tell what comes out. */
	readonly stricter?: boolean
	/** Both refuse it, lading in words of its own. */
	readonly otherWords?: boolean
	/** The same in versions below this one only. */
	readonly otherWordsBelow?: string
	/** The sandbox says that it needs a real Argo CD. */
	readonly beyondSandbox?: boolean
	/** No tool that renders is on PATH. */
	readonly noTools?: boolean
}

export type CaseOptions = Omit<Case, 'name' | 'tags'>

export const configMap = (name: string, more = ''): string =>
	`apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\n${more}`

/** The manifest of most cases. */
export const one: Entry = { path: 'one.yaml', content: configMap('one') }

export const layer = (bytes: Uint8Array, mediaType: string = MediaType.layerTar): Blob => ({
	mediaType,
	bytes,
})
export const gzipped = (bytes: Uint8Array, mediaType: string = MediaType.layerTarGzip): Blob =>
	layer(gzipSync(bytes), mediaType)

/** An artifact of one layer with these entries. */
export const plain = (...entries: readonly Entry[]): Artifact => ({ layers: [layer(tar(...entries))] })

export const good: Artifact = plain(one)

/** A case of one artifact. */
export function of(name: string, artifact: Artifact, options: CaseOptions = {}): Case {
	return { name, tags: { v1: artifact }, ...options }
}

/** A case of a layer with these files, beside the one that is always good. */
export function files(
	name: string,
	contents: Readonly<Record<string, string | Uint8Array>>,
	options: CaseOptions = {},
): Case {
	const entries = Object.entries(contents).map(([path, content]): Entry => ({ path, content }))
	return of(name, plain(...entries), options)
}
