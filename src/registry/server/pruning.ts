import type { Digest } from '../../oci/index.ts'
import type { RetentionRule } from './retention.ts'
import type { TagPattern } from './tag-pattern.ts'

/** Something that an Application, or whoever else, still names. */
export interface InUse {
	/** Absent: in whichever repository it is. */
	readonly repository?: string | undefined
	readonly names: { readonly digest: Digest } | { readonly tag: string }
	/** Who, such as `Application argocd/shop`. */
	readonly by: string
}

/** Why something goes or stays. */
export type Reason =
	| { readonly code: 'in-use'; readonly by: string }
	| { readonly code: 'immutable' }
	/** Among the newest `count` tags of its rule. */
	| { readonly code: 'newest'; readonly count: number }
	/** Not as old as its rule wants, in milliseconds. */
	| { readonly code: 'young'; readonly olderThan: number }
	/** Written, mounted, referred to, asked for or named by a tag within the grace period. */
	| { readonly code: 'fresh' }
	/** A request under way needs it. */
	| { readonly code: 'busy' }
	| { readonly code: 'child' | 'referrer' | 'subject'; readonly of: Digest }
	/** Goes: by a rule. */
	| { readonly code: 'rule' }
	| { readonly code: 'untagged' }
	/** Goes: its last tag does. */
	| { readonly code: 'last-tag'; readonly tag: string }
	/** Goes with the index that it is part of, or with its subject. */
	| { readonly code: 'parent-gone' | 'subject-gone'; readonly of: Digest }
	/** Goes: no manifest of the repository refers to it. */
	| { readonly code: 'unreferenced' }

export interface PruneItem {
	readonly kind: 'tag' | 'manifest' | 'blob'
	/** Of a tag. */
	readonly tag?: string | undefined
	readonly digest: Digest
	/** Bytes of the manifest or the blob; 0 for a tag. */
	readonly size: number
	/** Of a manifest or a tag: when it was pushed, in milliseconds since 1970. */
	readonly pushedAt?: number | undefined
	readonly reason: Reason
}

export interface RepositoryPlan {
	readonly repository: string
	readonly removed: readonly PruneItem[]
	/** What the rules are about and stays nevertheless. */
	readonly kept: readonly PruneItem[]
	/** Why nothing of it is touched: a manifest that cannot be read. */
	readonly skipped?: string | undefined
}

export interface PrunePolicy {
	readonly rules: readonly RetentionRule[]
	readonly inUse: readonly InUse[]
	/** Milliseconds since 1970. */
	readonly now: number
	/** What is newer than this stays, whatever the rules say; milliseconds since 1970. */
	readonly freshSince: number
	/** When content was last written, mounted, referred to, asked for, or lost a tag. */
	freshAt(digest: Digest): number | undefined
	isImmutable(tag: string): boolean
	/** A request under way needs it. */
	isHeld(digest: Digest): boolean
	isTagHeld(tag: string): boolean
	/** `undefined` where a manifest cannot be read any more. */
	references(manifest: Digest): readonly Digest[] | undefined
}

export interface PruneOptions {
	/** Without rules only what nothing refers to goes. */
	readonly rules?: readonly RetentionRule[] | undefined
	/** What stays, whatever the rules say. */
	readonly inUse?: readonly InUse[] | undefined
	/** What was written, mounted, referred to, asked for, or lost a tag within this time stays, in milliseconds. Default one hour. */
	readonly graceMs?: number | undefined
	/** Tags that stay unless a rule says that it is about them too. */
	readonly immutable?: TagPattern | undefined
	/** Only say what would go. */
	readonly dryRun?: boolean | undefined
	readonly signal?: AbortSignal | undefined
	readonly onProgress?: ((progress: { readonly done: number; readonly of: number }) => void) | undefined
}

export interface PruneReport {
	readonly dryRun: boolean
	readonly repositories: readonly RepositoryPlan[]
	/** Of the content that no repository has any more, in bytes. */
	readonly freedBytes: number
}
