import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Digest, digestOf, MediaType } from '../../oci/index.ts'
import { Catalog, type RepositoryView } from './catalog.ts'
import { planRepository } from './prune-plan.ts'
import type { InUse, PrunePolicy, RepositoryPlan } from './pruning.ts'
import type { RetentionRule } from './retention.ts'
import { matchesTagGlob } from './tag-pattern.ts'

const DAY = 86_400_000
const NOW = 100 * DAY

interface ManifestSketch {
	readonly name: string
	readonly references?: readonly string[]
	readonly subject?: string
	readonly tags?: readonly string[]
	/** Age in days. */
	readonly age?: number
}

const id = (name: string): Digest => digestOf(name)

/** A repository `app`: blobs, then manifests in this order. */
function repository(
	manifests: readonly ManifestSketch[],
	{ blobs = [], blobAge = 50 }: { readonly blobs?: readonly string[]; readonly blobAge?: number } = {},
): Catalog {
	const catalog = new Catalog()
	for (const blob of blobs)
		catalog.apply({ type: 'blob', repository: 'app', digest: id(blob), size: 10, at: NOW - blobAge * DAY })
	for (const { name, references = [], subject, tags = [], age = 50 } of manifests) {
		catalog.apply({
			type: 'manifest',
			repository: 'app',
			digest: id(name),
			size: 1,
			mediaType: MediaType.imageManifest,
			subject: subject === undefined ? undefined : id(subject),
			references: references.map(id),
			tags,
			at: NOW - age * DAY,
			// As if they had been pushed in the order of their age.
			order: NOW - age * DAY,
		})
	}
	return catalog
}

interface PolicySketch extends Partial<Omit<PrunePolicy, 'rules'>> {
	readonly rules?: readonly RetentionRule[]
}

function policyFor(catalog: Catalog, { rules = [], ...rest }: PolicySketch = {}): PrunePolicy {
	return {
		rules,
		inUse: [],
		now: NOW,
		freshSince: NOW - DAY,
		freshAt: (digest) => catalog.freshAt(digest),
		isImmutable: () => false,
		isHeld: () => false,
		isTagHeld: () => false,
		references: (digest) => catalog.manifest('app', digest)?.references,
		...rest,
	}
}

function viewOf(catalog: Catalog): RepositoryView {
	const view = catalog.view('app')
	if (!view) throw new Error('no repository')
	return view
}

function plan(catalog: Catalog, sketch?: PolicySketch): RepositoryPlan {
	return planRepository(viewOf(catalog), policyFor(catalog, sketch))
}

/** Tags by name, manifests and blobs by what they were made of. */
function namesIn(items: RepositoryPlan['removed'], known: readonly string[]): string[] {
	const byDigest = new Map(known.map((name) => [id(name), name]))
	return items.map(({ tag, digest }) => tag ?? byDigest.get(digest) ?? digest).toSorted()
}

describe('without rules', () => {
	it('only what nothing refers to goes', () => {
		const catalog = repository([{ name: 'm', references: ['layer'] }], { blobs: ['layer', 'stray'] })
		expect(namesIn(plan(catalog).removed, ['stray', 'layer'])).toEqual(['stray'])
	})

	it('what is fresh, held or in use stays', () => {
		expect(plan(repository([], { blobs: ['stray'], blobAge: 0.5 })).kept).toMatchObject([
			{ kind: 'blob', reason: { code: 'fresh' } },
		])
		const catalog = repository([], { blobs: ['stray'] })
		expect(plan(catalog, { isHeld: () => true }).kept).toMatchObject([{ reason: { code: 'busy' } }])
		const inUse = [{ names: { digest: id('stray') }, by: 'it' }]
		expect(plan(catalog, { inUse }).kept).toMatchObject([{ reason: { code: 'in-use', by: 'it' } }])
	})

	it('what belonged to a subject that was deleted goes, once that is long enough ago', () => {
		const all = [
			{ name: 'image', references: ['layer'] },
			{ name: 'sbom', subject: 'image', references: ['list'] },
			{ name: 'signature', subject: 'sbom' },
			{ name: 'early', subject: 'never pushed' },
		]
		const gone = (at: number): Catalog => {
			const catalog = repository(all, { blobs: ['layer', 'list'] })
			catalog.apply({ type: 'manifest-deleted', repository: 'app', digest: id('image'), at })
			return catalog
		}
		const known = ['layer', 'list', 'sbom', 'signature', 'early']
		expect(namesIn(plan(gone(NOW - 2 * DAY)).removed, known)).toEqual(['layer', 'list', 'sbom', 'signature'])
		expect(namesIn(plan(gone(NOW)).removed, known)).toEqual(['layer'])
	})

	it('nothing of a repository is touched in which a manifest cannot be read', () => {
		const catalog = repository([{ name: 'm' }], { blobs: ['stray'] })
		expect(plan(catalog, { references: () => undefined })).toMatchObject({
			removed: [],
			skipped: expect.stringContaining(id('m')),
		})
	})
})

describe('by rules', () => {
	const versions = repository(
		[1, 2, 3, 4].map((age) => ({
			name: `m${age}`,
			tags: [`v${age}`],
			references: [`layer${age}`, 'shared'],
			age: age * 10,
		})),
		{ blobs: ['layer1', 'layer2', 'layer3', 'layer4', 'shared'] },
	)
	const known = ['m1', 'm2', 'm3', 'm4', 'layer1', 'layer2', 'layer3', 'layer4', 'shared']
	const goes = (sketch: PolicySketch): string[] => namesIn(plan(versions, sketch).removed, known)

	it('the newest stay, and the content of the others goes with them', () => {
		expect(goes({ rules: [{ keep: 2 }] })).toEqual(['layer3', 'layer4', 'm3', 'm4', 'v3', 'v4'])
	})

	it('number and age count together, and so do rules', () => {
		expect(goes({ rules: [{ keep: 1, olderThanMs: 35 * DAY }] })).toEqual(['layer4', 'm4', 'v4'])
		expect(goes({ rules: [{ keep: 1 }, { tag: 'v*', olderThanMs: 35 * DAY }] })).toEqual([
			'layer4',
			'm4',
			'v4',
		])
		expect(goes({ rules: [{ tag: 'v4' }, { repository: 'other', keep: 1 }] })).toEqual(['layer4', 'm4', 'v4'])
	})

	it('an artifact in use stays with its tags, and a tag in use with its artifact', () => {
		const inUse: InUse[] = [
			{ names: { digest: id('m4') }, by: 'Application a' },
			{ repository: 'app', names: { tag: 'v3' }, by: 'Application b' },
			{ repository: 'other', names: { tag: 'v2' }, by: 'Application c' },
		]
		expect(goes({ rules: [{ keep: 1 }], inUse })).toEqual(['layer2', 'm2', 'v2'])
	})

	it('an immutable tag stays unless the rule is about those too', () => {
		const isImmutable = (tag: string): boolean => tag !== 'v2'
		expect(goes({ rules: [{ keep: 1 }], isImmutable })).toEqual(['layer2', 'm2', 'v2'])
		expect(goes({ rules: [{ keep: 3, includeImmutable: true }], isImmutable })).toEqual([
			'layer4',
			'm4',
			'v4',
		])
	})

	it('a tag that is being set stays', () => {
		expect(goes({ rules: [{ keep: 3 }], isTagHeld: (tag) => tag === 'v4' })).toEqual([])
	})

	it('an artifact without a tag goes only where a rule says so', () => {
		const catalog = repository([
			{ name: 'old' },
			{ name: 'young', age: 10 },
			{ name: 'now', tags: ['latest'] },
		])
		const all = ['old', 'young', 'now']
		expect(plan(catalog, { rules: [{ keep: 1 }] }).removed).toEqual([])
		expect(namesIn(plan(catalog, { rules: [{ untagged: true }] }).removed, all)).toEqual(['old', 'young'])
		const rules = [{ untagged: true, olderThanMs: 30 * DAY }]
		expect(namesIn(plan(catalog, { rules }).removed, all)).toEqual(['old'])
	})

	it('an artifact without a tag is as old as what happened to it last: its push, a question, the loss of its tag', () => {
		const catalog = repository([
			{ name: 'old', age: 60 },
			{ name: 'asked', age: 60 },
			{ name: 'moved', tags: ['main'], age: 60 },
			{ name: 'untagged', tags: ['pr'], age: 60 },
			{ name: 'now', tags: ['main'], age: 20 },
		])
		catalog.apply({ type: 'touched', digest: id('asked'), at: NOW - 20 * DAY })
		catalog.apply({ type: 'tag-deleted', repository: 'app', tag: 'pr', at: NOW - 20 * DAY })
		const all = ['old', 'asked', 'moved', 'untagged', 'now']
		const goes = (days: number): readonly string[] =>
			namesIn(plan(catalog, { rules: [{ untagged: true, olderThanMs: days * DAY }] }).removed, all)
		expect(goes(30)).toEqual(['old'])
		expect(goes(10)).toEqual(['asked', 'moved', 'old', 'untagged'])
	})

	it('what was just asked for keeps its last tags, so that it goes with them later', () => {
		const catalog = repository([
			{ name: 'both', tags: ['main', 'pr-1'] },
			{ name: 'one', tags: ['pr-2'] },
		])
		for (const name of ['both', 'one']) catalog.apply({ type: 'touched', digest: id(name), at: NOW })
		const planned = plan(catalog, { rules: [{ tag: 'pr-*' }] })
		expect(namesIn(planned.removed, ['both', 'one'])).toEqual(['pr-1'])
		expect(planned.kept).toMatchObject([{ tag: 'pr-2', reason: { code: 'fresh' } }])
		const later = plan(catalog, { rules: [{ tag: 'pr-*' }], now: NOW + 2 * DAY, freshSince: NOW + DAY })
		expect(namesIn(later.removed, ['both', 'one'])).toEqual(['one', 'pr-1', 'pr-2'])
	})

	it('an index takes its manifests along, but those of another stay', () => {
		const catalog = repository([
			{ name: 'amd' },
			{ name: 'arm' },
			{ name: 'both', references: ['amd', 'arm'], tags: ['v1'] },
			{ name: 'one', references: ['arm'], tags: ['v2'], age: 10 },
		])
		const all = ['amd', 'arm', 'both', 'one']
		expect(namesIn(plan(catalog, { rules: [{ keep: 1 }] }).removed, all)).toEqual(['amd', 'both', 'v1'])
		expect(plan(catalog, { rules: [{ untagged: true }] }).removed).toEqual([])
	})

	it('referrers go and stay with their subject, by the API and by tags', () => {
		const cosign = `${id('m1').replace(':', '-')}.sig`
		const make = (age: number): Catalog =>
			repository([
				{ name: 'm1', tags: ['v1'] },
				{ name: 'sbom', subject: 'm1' },
				{ name: 'signature', subject: 'sbom', age },
				{ name: 'cosign', tags: [cosign] },
				{ name: 'm2', tags: ['v2'], age: 10 },
			])
		const all = ['m1', 'sbom', 'signature', 'cosign', 'm2']
		const rules = [{ keep: 1, untagged: true }]
		expect(namesIn(plan(make(50), { rules }).removed, all)).toEqual(
			['cosign', 'm1', 'sbom', 'signature', 'v1', cosign].toSorted(),
		)
		// Somebody has just signed it: all of it stays, but for the tag.
		expect(namesIn(plan(make(0), { rules }).removed, all)).toEqual(['v1'])
		expect(plan(make(50), { rules: [{ keep: 2, untagged: true }] }).removed).toEqual([])
	})
})

interface World {
	readonly manifests: readonly {
		readonly references: readonly number[]
		readonly subject: number | undefined
		readonly tags: readonly number[]
		readonly age: number
	}[]
	readonly rules: readonly RetentionRule[]
	readonly inUse: readonly number[]
	readonly tagsInUse: readonly number[]
	readonly held: readonly number[]
	readonly immutable: readonly number[]
	readonly deleted: readonly number[]
}

const BLOBS = 4
const COUNT = 7
const optional = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
	fc.option(value, { nil: undefined })
const some = (max: number): fc.Arbitrary<number[]> => fc.uniqueArray(fc.nat(max), { maxLength: 3 })

const world: fc.Arbitrary<World> = fc.record({
	manifests: fc.array(
		fc.record({
			references: some(COUNT + BLOBS - 1),
			subject: optional(fc.nat(COUNT)),
			tags: some(5),
			age: fc.nat(12),
		}),
		{ minLength: 1, maxLength: COUNT },
	),
	rules: fc.array(
		fc.record({
			tag: optional(fc.constantFrom('*', 't1', 't?', 't2*')),
			keep: optional(fc.integer({ min: 1, max: 3 })),
			olderThanMs: optional(fc.nat(10).map((days) => days * DAY)),
			untagged: optional(fc.boolean()),
			includeImmutable: optional(fc.boolean()),
		}),
		{ maxLength: 3 },
	),
	inUse: some(COUNT + BLOBS),
	tagsInUse: fc.uniqueArray(fc.nat(5), { maxLength: 1 }),
	held: fc.uniqueArray(fc.nat(COUNT + BLOBS), { maxLength: 1 }),
	immutable: some(5),
	deleted: some(COUNT),
})

/** Content `0…COUNT-1` are manifests, those behind them blobs. */
const nameOf = (index: number): string => (index < COUNT ? `m${index}` : `b${index - COUNT}`)

function build({ manifests, deleted }: World): Catalog {
	const catalog = repository(
		manifests.map(({ references, subject, tags, age }, index) => ({
			name: nameOf(index),
			references: references.map(nameOf),
			...(subject !== undefined && subject !== index && { subject: nameOf(subject) }),
			tags: tags.map((tag) => `t${tag}`),
			age,
		})),
		{ blobs: Array.from({ length: BLOBS }, (_, index) => nameOf(COUNT + index)), blobAge: 20 },
	)
	for (const index of deleted)
		catalog.apply({
			type: 'manifest-deleted',
			repository: 'app',
			digest: id(nameOf(index)),
			at: NOW - 3 * DAY,
		})
	return catalog
}

function policyOf(catalog: Catalog, { rules, inUse, tagsInUse, held, immutable }: World): PrunePolicy {
	const heldDigests = new Set(held.map(nameOf).map(id))
	return policyFor(catalog, {
		rules,
		inUse: [
			...inUse.map((index) => ({ names: { digest: id(nameOf(index)) }, by: 'x' })),
			...tagsInUse.map((tag) => ({ repository: 'app', names: { tag: `t${tag}` }, by: 'y' })),
		],
		isHeld: (digest) => heldDigests.has(digest),
		isImmutable: (tag) => immutable.includes(Number(tag.slice(1))),
	})
}

/** The same said once more, as sets that are made until they no longer change. */
function oracle(view: RepositoryView, policy: PrunePolicy): { tags: string[]; digests: Digest[] } {
	const tags = [...view.tags].map(([tag, entry]) => ({ tag, ...entry }))
	const tagsUsed = new Set(policy.inUse.flatMap(({ names }) => ('tag' in names ? names.tag : [])))
	const used = new Set<Digest>(
		policy.inUse.flatMap(({ names }) =>
			'digest' in names ? names.digest : (view.tags.get(names.tag)?.digest ?? []),
		),
	)
	const isSafe = (digest: Digest): boolean =>
		used.has(digest) || policy.isHeld(digest) || (policy.freshAt(digest) ?? 0) > policy.freshSince
	const letsGo = (rule: RetentionRule, each: (typeof tags)[number]): boolean => {
		const better = tags.filter(
			(other) =>
				matchesTagGlob(rule.tag ?? '*', other.tag) &&
				(other.at > each.at || (other.at === each.at && other.tag > each.tag)),
		)
		const isNewest = rule.keep !== undefined && better.length < rule.keep
		return !isNewest && !(rule.olderThanMs !== undefined && policy.now - each.at < rule.olderThanMs)
	}
	const letGo = tags.filter((each) => {
		const about = policy.rules.filter(
			(rule) =>
				matchesTagGlob(rule.tag ?? '*', each.tag) &&
				(rule.keep !== undefined ||
					rule.tag !== undefined ||
					(rule.olderThanMs !== undefined && !rule.untagged)),
		)
		if (about.length === 0 || !about.every((rule) => letsGo(rule, each))) return false
		if (tagsUsed.has(each.tag) || used.has(each.digest) || each.at > policy.freshSince) return false
		return !policy.isImmutable(each.tag) || about.every((rule) => rule.includeImmutable === true)
	})
	const goingTags = letGo.filter(
		({ digest }) =>
			(policy.freshAt(digest) ?? 0) <= policy.freshSince ||
			[...view.tags].some(
				([tag, entry]) => entry.digest === digest && !letGo.some((other) => other.tag === tag),
			),
	)
	const tagged = new Set(tags.filter((each) => !goingTags.includes(each)).map(({ digest }) => digest))
	const all = [...view.manifests.values()]
	const refers = (a: Digest, b: Digest): boolean => view.manifests.get(a)?.references?.includes(b) === true
	const isSubject = (a: Digest, b: Digest): boolean => view.manifests.get(b)?.subject === a
	const untagged = policy.rules.filter((rule) => rule.untagged === true)
	const grow = (set: Set<Digest>, joins: (digest: Digest) => boolean): void => {
		for (let before = -1; before < set.size;) {
			before = set.size
			for (const { digest } of all) if (joins(digest)) set.add(digest)
		}
	}
	const candidates = new Set<Digest>()
	grow(candidates, (digest) => {
		if (tagged.has(digest)) return false
		if (goingTags.some((each) => each.digest === digest)) return true
		const { pushedAt = 0, subject } = view.manifests.get(digest) ?? {}
		if (subject && (view.lostSubjects.get(subject) ?? Infinity) <= policy.freshSince) return true
		const belongs =
			all.some((other) => refers(other.digest, digest)) || (subject && view.manifests.has(subject))
		const at = Math.max(pushedAt, policy.freshAt(digest) ?? 0)
		const isOld = untagged.every(({ olderThanMs = 0 }) => policy.now - at >= olderThanMs)
		if (untagged.length > 0 && !belongs && isOld) return true
		return [...candidates].some((other) => refers(other, digest) || isSubject(other, digest))
	})
	const kept = new Set<Digest>()
	grow(
		kept,
		(digest) =>
			!candidates.has(digest) ||
			isSafe(digest) ||
			[...kept].some(
				(other) => refers(other, digest) || isSubject(other, digest) || isSubject(digest, other),
			),
	)
	const blobs = [...view.blobs.keys()].filter(
		(blob) => !isSafe(blob) && ![...kept].some((manifest) => refers(manifest, blob)),
	)
	const manifests = all.map(({ digest }) => digest).filter((digest) => !kept.has(digest))
	return { tags: goingTags.map(({ tag }) => tag).toSorted(), digests: [...manifests, ...blobs].toSorted() }
}

describe('in any repository', () => {
	it('is what a plain definition says, leaves nothing dangling, and is done at once', () => {
		fc.assert(
			fc.property(world, (made) => {
				const catalog = build(made)
				const view = catalog.view('app')
				if (!view) return
				const policy = policyOf(catalog, made)
				const planned = planRepository(view, policy)
				const digests = planned.removed.filter(({ kind }) => kind !== 'tag').map(({ digest }) => digest)
				const tags = planned.removed.flatMap(({ tag }) => tag ?? [])
				expect({ tags: tags.toSorted(), digests: digests.toSorted() }).toEqual(oracle(view, policy))
				const needed = [...view.manifests.values()].flatMap(({ references = [] }) => references)
				const before = new Set(needed.filter((each) => view.blobs.has(each) || view.manifests.has(each)))

				catalog.apply({
					type: 'removed',
					repository: 'app',
					tags,
					manifests: digests.filter((digest) => view.manifests.has(digest)),
					blobs: digests.filter((digest) => view.blobs.has(digest)),
					at: NOW,
				})
				for (const { digest } of view.tags.values()) expect(view.manifests.has(digest)).toBe(true)
				const still = [...view.manifests.values()].flatMap(({ references = [] }) => references)
				for (const each of still.filter((digest) => before.has(digest)))
					expect(view.blobs.has(each) || view.manifests.has(each)).toBe(true)
				expect(planRepository(view, policyOf(catalog, made)).removed).toEqual([])
			}),
			{ numRuns: 1000 },
		)
	})
})
