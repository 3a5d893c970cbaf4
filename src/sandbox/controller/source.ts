import type { ApplicationSource } from '../../argocd/index.ts'
import type { KubeObject } from '../../cluster/index.ts'

/** What Argo CD asks its repo-server for. */
export interface SourceRequest {
	readonly source: ApplicationSource
	/** Tag, digest, range; over the source's own `targetRevision`. */
	readonly revision: string
	readonly project: string
	readonly application: string
	readonly namespace: string
	/** A hard refresh: nothing kept from before is used. */
	readonly hard: boolean
	readonly signal: AbortSignal
}

export type SourceAnswer =
	| {
			readonly ok: true
			/** Digest of the artifact's manifest. */
			readonly revision: string
			readonly sourceType: 'Directory' | 'Helm' | 'Kustomize'
			readonly manifests: readonly KubeObject[]
	  }
	/** `error` as Argo CD's repo-server words it, from `rpc error: …` on. */
	| { readonly ok: false; readonly error: string }

/** The part of the repo-server: from a source to its manifests. */
export type LoadSource = (request: SourceRequest) => Promise<SourceAnswer>
