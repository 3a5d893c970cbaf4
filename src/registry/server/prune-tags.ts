import { type Digest, isDigest } from '../../oci/index.ts'
import type { RepositoryView, TagEntry } from './catalog.ts'
import type { PruneItem, PrunePolicy, Reason } from './pruning.ts'
import { type RetentionRule, selectsTags } from './retention.ts'
import { matchesTagGlob } from './tag-pattern.ts'

/**
 * A tag by which clients without the referrers API hang something on an artifact: `sha256-HEX`, or with
 * `.sig`, `.att`, `.sbom` behind it. It goes and stays with what it names.
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#referrers-tag-schema
 */
const ATTACHED = /^(sha256-[0-9a-f]{64}|sha512-[0-9a-f]{128})(?:\.[a-z]{1,16})?$/

/** What a tag hangs something on, if that is here. */
export function attachedTo({ manifests }: RepositoryView, tag: string): Digest | undefined {
	const subject = ATTACHED.exec(tag)?.[1]?.replace('-', ':')
	return subject !== undefined && isDigest(subject) && manifests.has(subject) ? subject : undefined
}

export interface TagPlanning {
	readonly policy: PrunePolicy
	/** Of this repository. */
	readonly rules: readonly RetentionRule[]
	/** Who names the tag, or what it names. */
	readonly inUse: (tag: string, digest: Digest) => string | undefined
}

/** Which tags go by the rules. One that several rules are about goes only if each of them lets it go. */
export function planTags(
	view: RepositoryView,
	planning: TagPlanning,
): { readonly removed: readonly PruneItem[]; readonly kept: readonly PruneItem[] } {
	const removed: PruneItem[] = []
	const kept: PruneItem[] = []
	const stays = new Map<string, Reason>()
	const covered = new Map<string, TagEntry>()
	const includesImmutable = new Map<string, boolean>()
	for (const rule of planning.rules.filter(selectsTags)) {
		const matching = [...view.tags]
			.filter(([tag]) => !attachedTo(view, tag) && matchesTagGlob(rule.tag ?? '*', tag))
			.sort(newestFirst)
		for (const [index, [tag, entry]] of matching.entries()) {
			covered.set(tag, entry)
			includesImmutable.set(tag, (includesImmutable.get(tag) ?? true) && rule.includeImmutable === true)
			const reason = ruleKeeps(rule, { index, age: planning.policy.now - entry.at })
			if (reason && !stays.has(tag)) stays.set(tag, reason)
		}
	}
	for (const [tag, entry] of covered) {
		const item = { kind: 'tag', tag, digest: entry.digest, size: 0, pushedAt: entry.at } as const
		const reason = protection(planning, { tag, entry, immutable: includesImmutable.get(tag) !== true })
		const stay = reason ?? stays.get(tag)
		if (stay) kept.push({ ...item, reason: stay })
		else removed.push({ ...item, reason: { code: 'rule' } })
	}
	// Content that stays for its grace keeps its last tags, or no rule would ever be about it again.
	const going = new Set(removed.map(({ tag }) => tag))
	const left = new Set([...view.tags].filter(([tag]) => !going.has(tag)).map(([, entry]) => entry.digest))
	const isAwaited = ({ digest }: PruneItem): boolean =>
		!left.has(digest) && (planning.policy.freshAt(digest) ?? 0) > planning.policy.freshSince
	const awaited = removed.filter(isAwaited).map((item) => ({ ...item, reason: { code: 'fresh' } as const }))
	return { removed: removed.filter((item) => !isAwaited(item)), kept: [...kept, ...awaited] }
}

/** Why a tag stays whatever its rules say. */
function protection(
	{ policy, inUse }: TagPlanning,
	{ tag, entry, immutable }: { readonly tag: string; readonly entry: TagEntry; readonly immutable: boolean },
): Reason | undefined {
	const by = inUse(tag, entry.digest)
	if (by !== undefined) return { code: 'in-use', by }
	if (policy.isTagHeld(tag)) return { code: 'busy' }
	if (entry.at > policy.freshSince) return { code: 'fresh' }
	return immutable && policy.isImmutable(tag) ? { code: 'immutable' } : undefined
}

function ruleKeeps(
	{ keep, olderThanMs }: RetentionRule,
	{ index, age }: { readonly index: number; readonly age: number },
): Reason | undefined {
	if (keep !== undefined && index < keep) return { code: 'newest', count: keep }
	if (olderThanMs !== undefined && age < olderThanMs) return { code: 'young', olderThan: olderThanMs }
	return undefined
}

function newestFirst([a, first]: [string, TagEntry], [b, second]: [string, TagEntry]): number {
	return second.order - first.order || (a < b ? 1 : -1)
}
