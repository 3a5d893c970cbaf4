import { matchesGlob } from './tag-pattern.ts'

/**
 * What may go. `keep` and `olderThanMs` together: what is neither among the newest nor younger. A rule
 * with `untagged` and an age, and neither `keep` nor `tag`, is about manifests without a tag only.
 */
export interface RetentionRule {
	/** Glob of repositories; default all. */
	readonly repository?: string | undefined
	/** Glob of tags, or `semver`; default all. */
	readonly tag?: string | undefined
	/** So many of the tags stay, those that were set last. */
	readonly keep?: number | undefined
	/** What was pushed within this time stays, in milliseconds; without a tag, also what was asked for or lost its tag within it. */
	readonly olderThanMs?: number | undefined
	/** Manifests that no tag names may go too. */
	readonly untagged?: boolean | undefined
	/** Also immutable tags. */
	readonly includeImmutable?: boolean | undefined
}

/** Whether a rule is about tags. */
export function selectsTags({ keep, tag, olderThanMs, untagged }: RetentionRule): boolean {
	return keep !== undefined || tag !== undefined || (olderThanMs !== undefined && untagged !== true)
}

export function rulesOf(rules: readonly RetentionRule[], repository: string): readonly RetentionRule[] {
	return rules.filter((rule) => matchesGlob(rule.repository ?? '*', repository))
}
