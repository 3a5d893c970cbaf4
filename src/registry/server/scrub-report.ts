import type { Digest } from '../../oci/index.ts'

export interface ScrubOptions {
	/** Called before so many bytes are read; what it resolves late slows the scrub down. Default: one turn. */
	readonly pace?: ((bytes: number) => Promise<void>) | undefined
	readonly signal?: AbortSignal | undefined
	readonly onProgress?: ((progress: ScrubProgress) => void) | undefined
}

export interface ScrubProgress {
	/** Contents. */
	readonly done: number
	readonly of: number
	/** Read so far. */
	readonly bytes: number
}

/** Where damaged content is missed. */
export interface DamageIn {
	readonly repository: string
	/** Tags that cannot be pulled whole without it. */
	readonly tags: readonly string[]
}

export interface DamagedContent {
	readonly digest: Digest
	/** Number of bytes it should have. */
	readonly size: number
	/** What is wrong with it: half a sentence. */
	readonly what: string
	readonly repositories: readonly DamageIn[]
}

export interface ScrubReport {
	/** Contents: blobs and manifests, each once. */
	readonly checked: number
	/** Number of bytes. */
	readonly bytes: number
	readonly damaged: readonly DamagedContent[]
	/** Damaged on the disk, and written again from the good copy in memory. */
	readonly healed: readonly Digest[]
}
