import { MediaType } from '../../../src/oci/index.ts'
import type { Artifact, Blob } from '../acceptance/artifact.ts'
import { tar } from '../acceptance/tar.ts'
import type { Fault } from './registry.ts'

/** Where an Application's source lies. Each fails, or does not, in its own way. */
export type Place =
	/** TLS, trusted; serves what a case says. */
	| 'faulty'
	/** The same, under an address that its certificate does not carry. */
	| 'other-name'
	/** The same, under a name for which Argo CD has no CA. */
	| 'untrusted'
	/** Trusted, with a certificate that has expired. */
	| 'expired'
	/** The registry of the distribution project: TLS; TLS and a password; plain HTTP. */
	| 'tls'
	| 'auth'
	| 'http'
	/** Nothing listens there. */
	| 'closed'
	/** Breaks off every connection. */
	| 'broken'
	/** No such name. */
	| 'nowhere'

/** What `lading sync NAME` answers. */
export interface SyncAnswer {
	/** Default: 1. */
	readonly code?: number
	/** What it says on stderr; default: the explanation's `what` and `next`. Nothing: it warns of nothing. */
	readonly says?: readonly string[]
}

/** One way in which an Application fails, and what lading must say of it. */
export interface FailureCase {
	/** Of the Application, its repository, and all that it deploys. */
	readonly name: string
	/** Of the explanation. */
	readonly cause: string
	/** A part of Argo CD's message, word by word; what it calls the Application where it has no message. */
	readonly argocd: string | { readonly sync: 'Synced' | 'OutOfSync' }
	/** A part of what to do next; NAME and PLACE stand for the case's. */
	readonly fix: string
	/** Default: `faulty`. */
	readonly at?: Place
	readonly artifact?: Artifact
	/** More of them, by tag. `artifact` has the tag `v1`. */
	readonly tags?: Readonly<Record<string, Artifact>>
	readonly fault?: Fault
	/** Default: `v1`. */
	readonly revision?: string
	/** Default: the case's name. */
	readonly repository?: string
	/** Fields of `spec.source` beside or instead of the usual ones. */
	readonly source?: Readonly<Record<string, unknown>>
	/** Default: that of lading. Nothing is tried again. */
	readonly syncPolicy?: object
	/** Fields of `spec`, likewise. */
	readonly spec?: Readonly<Record<string, unknown>>
	readonly annotations?: Readonly<Record<string, string>>
	/** Fields of the repository Secret beside `type` and `url`. */
	readonly secret?: Readonly<Record<string, string>>
	/** Applied before the Application. */
	readonly objects?: readonly object[]
	readonly sync?: SyncAnswer
}

export const NAMESPACE = 'failures'

/** An artifact of one layer with these files. */
export function files(contents: Readonly<Record<string, string | object>>): Artifact {
	const entries = Object.entries(contents).map(([path, content]) => ({
		path,
		content: typeof content === 'string' ? content : JSON.stringify(content),
	}))
	return { layers: [layer(tar(...entries))] }
}

export const layer = (bytes: Uint8Array, mediaType: string = MediaType.layerTar): Blob => ({
	mediaType,
	bytes,
})

export const configMap = (name: string, more: object = {}): object => ({
	apiVersion: 'v1',
	kind: 'ConfigMap',
	metadata: { name },
	...more,
})

export const one = (name: string): Artifact => files({ 'one.yaml': configMap(name) })
