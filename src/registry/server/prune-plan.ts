import type { Digest } from '../../oci/index.ts'
import type { RepositoryView } from './catalog.ts'
import type { PruneItem, PrunePolicy, Reason, RepositoryPlan } from './pruning.ts'
import { type RetentionRule, rulesOf } from './retention.ts'
import { attachedTo, planTags } from './prune-tags.ts'

/**
 * What a pruning takes away from one repository. Pure: the same catalog and the same policy give the same plan.
 *
 * Tags go by the rules. A manifest goes when its last tag does, when it has none and a rule says so,
 * and with the index or the subject that it belonged to. Whatever is left keeps what it needs: an
 * index its manifests, an artifact its referrers, a referrer its subject. A blob goes when no manifest
 * that stays refers to it. What is fresh, in use or needed by a request under way stays in any case.
 */
export function planRepository(view: RepositoryView, policy: PrunePolicy): RepositoryPlan {
	return new Planning(view, policy).plan()
}

class Planning {
	readonly #view: RepositoryView
	readonly #policy: PrunePolicy
	readonly #rules: readonly RetentionRule[]
	readonly #digestsInUse = new Map<Digest, string>()
	readonly #references = new Map<Digest, readonly Digest[]>()
	/** Manifests that may go, and why. */
	readonly #candidates = new Map<Digest, Reason>()
	/** Candidates that stay, and why. */
	readonly #saved = new Map<Digest, Reason>()
	/** What hangs on a manifest by the name of its tag, with that tag. */
	readonly #attached = new Map<Digest, { readonly tag: string; readonly digest: Digest }[]>()

	constructor(view: RepositoryView, policy: PrunePolicy) {
		this.#view = view
		this.#policy = policy
		this.#rules = rulesOf(policy.rules, view.name)
	}

	plan(): RepositoryPlan {
		const { name, manifests } = this.#view
		for (const digest of manifests.keys()) {
			const references = this.#policy.references(digest)
			if (!references) return { repository: name, removed: [], kept: [], skipped: unreadable(digest) }
			this.#references.set(digest, references)
		}
		const tagsInUse = this.#collectInUse()
		const tags = planTags(this.#view, {
			policy: this.#policy,
			rules: this.#rules,
			inUse: (tag, digest) => tagsInUse.get(tag) ?? this.#digestsInUse.get(digest),
		})
		const going = new Set(tags.removed.map((item) => item.tag))
		const left = new Set<Digest>()
		for (const [tag, { digest }] of this.#view.tags) {
			if (going.has(tag)) continue
			const subject =
				this.#policy.isTagHeld(tag) || tagsInUse.has(tag) ? undefined : attachedTo(this.#view, tag)
			if (subject === undefined) left.add(digest)
			else this.#attached.set(subject, [...(this.#attached.get(subject) ?? []), { tag, digest }])
		}
		this.#nominate(tags.removed, left)
		this.#save()
		return this.#result(tags)
	}

	/** @returns tags that are named themselves */
	#collectInUse(): ReadonlyMap<string, string> {
		const tags = new Map<string, string>()
		for (const { repository, names, by } of this.#policy.inUse) {
			if (repository !== undefined && repository !== this.#view.name) continue
			if ('digest' in names) {
				if (!this.#digestsInUse.has(names.digest)) this.#digestsInUse.set(names.digest, by)
				continue
			}
			if (!tags.has(names.tag)) tags.set(names.tag, by)
			const digest = this.#view.tags.get(names.tag)?.digest
			if (digest && !this.#digestsInUse.has(digest)) this.#digestsInUse.set(digest, by)
		}
		return tags
	}

	/** @param tagged manifests that keep a tag */
	#nominate(removedTags: readonly PruneItem[], tagged: ReadonlySet<Digest>): void {
		const { manifests, lostSubjects, referrers } = this.#view
		const belonging = this.#belonging()
		const open: Digest[] = []
		const nominate = (digest: Digest, reason: Reason): void => {
			if (!manifests.has(digest) || tagged.has(digest) || this.#candidates.has(digest)) return
			this.#candidates.set(digest, reason)
			open.push(digest)
		}
		for (const { digest, tag = '' } of removedTags) nominate(digest, { code: 'last-tag', tag })
		for (const [subject, since] of lostSubjects) {
			if (since > this.#policy.freshSince) continue
			for (const digest of referrers.get(subject) ?? [])
				nominate(digest, { code: 'subject-gone', of: subject })
		}
		const rules = this.#rules.filter((rule) => rule.untagged === true)
		for (const { digest, pushedAt = 0, subject } of rules.length > 0 ? manifests.values() : []) {
			// What belongs to another goes with that one.
			const belongs = belonging.has(digest) || (subject !== undefined && manifests.has(subject))
			const age = this.#policy.now - Math.max(pushedAt, this.#policy.freshAt(digest) ?? 0)
			if (!belongs && rules.every(({ olderThanMs = 0 }) => age >= olderThanMs))
				nominate(digest, { code: 'untagged' })
		}
		for (let digest = open.pop(); digest !== undefined; digest = open.pop()) {
			for (const child of this.#references.get(digest) ?? [])
				nominate(child, { code: 'parent-gone', of: digest })
			for (const referrer of this.#referrersOf(digest))
				nominate(referrer, { code: 'subject-gone', of: digest })
		}
	}

	#referrersOf(digest: Digest): readonly Digest[] {
		const attached = (this.#attached.get(digest) ?? []).map((each) => each.digest)
		return [...(this.#view.referrers.get(digest) ?? []), ...attached]
	}

	/** Manifests that an index refers to, or that a tag hangs on another. */
	#belonging(): ReadonlySet<Digest> {
		const children = new Set<Digest>()
		for (const attached of this.#attached.values()) for (const { digest } of attached) children.add(digest)
		for (const references of this.#references.values())
			for (const digest of references) if (this.#view.manifests.has(digest)) children.add(digest)
		return children
	}

	/** Takes back the candidates that something needs. */
	#save(): void {
		const { manifests } = this.#view
		const open: Digest[] = []
		for (const digest of manifests.keys()) {
			if (this.#candidates.has(digest)) {
				const reason = this.#protection(digest)
				if (!reason) continue
				this.#saved.set(digest, reason)
			}
			open.push(digest)
		}
		const save = (digest: Digest | undefined, reason: Reason): void => {
			if (digest === undefined || !this.#candidates.has(digest) || this.#saved.has(digest)) return
			this.#saved.set(digest, reason)
			open.push(digest)
		}
		for (let digest = open.pop(); digest !== undefined; digest = open.pop()) {
			for (const child of this.#references.get(digest) ?? []) save(child, { code: 'child', of: digest })
			for (const each of this.#referrersOf(digest)) save(each, { code: 'referrer', of: digest })
			save(manifests.get(digest)?.subject, { code: 'subject', of: digest })
		}
	}

	/** Why content stays, whatever the rules say. */
	#protection(digest: Digest): Reason | undefined {
		const by = this.#digestsInUse.get(digest)
		if (by !== undefined) return { code: 'in-use', by }
		if (this.#policy.isHeld(digest)) return { code: 'busy' }
		return (this.#policy.freshAt(digest) ?? 0) > this.#policy.freshSince ? { code: 'fresh' } : undefined
	}

	#result(tags: Pick<RepositoryPlan, 'removed' | 'kept'>): RepositoryPlan {
		const { name, manifests, blobs } = this.#view
		const removed: PruneItem[] = [...tags.removed]
		const kept: PruneItem[] = [...tags.kept]
		for (const [digest, reason] of this.#candidates) {
			const { size = 0, pushedAt } = manifests.get(digest) ?? {}
			const saved = this.#saved.get(digest)
			const item = { kind: 'manifest', digest, size, pushedAt } as const
			if (saved) kept.push({ ...item, reason: saved })
			else removed.push({ ...item, reason })
		}
		removed.push(...this.#attachedTags())
		const needed = new Set<Digest>()
		for (const [digest, references] of this.#references)
			if (!this.#candidates.has(digest) || this.#saved.has(digest))
				for (const each of references) needed.add(each)
		for (const [digest, size] of blobs) {
			if (needed.has(digest)) continue
			const protection = this.#protection(digest)
			const item = { kind: 'blob', digest, size } as const
			if (protection) kept.push({ ...item, reason: protection })
			else removed.push({ ...item, reason: { code: 'unreferenced' } })
		}
		return { repository: name, removed, kept }
	}

	/** The tags of what goes because it hung on something that goes. */
	#attachedTags(): readonly PruneItem[] {
		return [...this.#attached].flatMap(([subject, attached]) =>
			attached
				.filter(({ digest }) => this.#candidates.has(digest) && !this.#saved.has(digest))
				.map(({ tag, digest }) => ({
					kind: 'tag' as const,
					tag,
					digest,
					size: 0,
					pushedAt: this.#view.tags.get(tag)?.at,
					reason: { code: 'subject-gone' as const, of: subject },
				})),
		)
	}
}

function unreadable(digest: Digest): string {
	return `its manifest ${digest} is damaged, so that what it needs is not known; push it again`
}
