import { createLimiter, readVerified } from '../content/index.ts'
import { UserError } from '../errors/index.ts'
import {
	type Descriptor,
	type Digest,
	formatReference,
	MediaType,
	parseManifest,
	type Reference,
} from '../oci/index.ts'
import type { RemoteRepository } from '../registry/client/index.ts'
import { type ArtifactUsers, findArtifactUsers, runningOn } from './artifact-users.ts'
import type { ClusterChoice } from './chosen-cluster.ts'
import { isReferrersTag } from './choose-artifacts.ts'
import { connectRegistry, type RegistryAccess } from './registries.ts'
import type { Session } from './session.ts'
import { resolveReference } from './subject.ts'

/** What goes, and what that leaves behind. */
export interface RemovalPlan {
	readonly place: Pick<Reference, 'registry' | 'repository'>
	readonly access?: RegistryAccess | undefined
	/** The manifest that is deleted; absent where only tags are. */
	readonly manifest?: Descriptor | undefined
	/** The tags that go, with what they name. */
	readonly tags: readonly NamedTag[]
	/** Manifests that no tag names any more. */
	readonly orphans: readonly Digest[]
	/** Whether every tag of the repository was looked at: where there are too many, others may name the same. */
	readonly tagsKnown: boolean
	/** What points at what goes, or at an orphan: signatures, SBOMs. */
	readonly referrers: readonly Descriptor[]
	/** What an index that goes lists, and what stays without it. */
	readonly listed: readonly Descriptor[]
	/** Tags that stay, of indexes that list what goes, with the index. */
	readonly listing: readonly NamedTag[]
	readonly use: Use
}

export interface NamedTag {
	readonly tag: string
	readonly digest: Digest
}

/** Names of Applications. */
export interface Use {
	/** Run what goes, or what no tag names any more. */
	readonly running: readonly string[]
	/** Ask for a tag that goes. */
	readonly following: readonly string[]
	/** Ran it, and may be rolled back to it. */
	readonly history: readonly string[]
	readonly users: ArtifactUsers
}

export interface RemovalOptions {
	readonly access?: RegistryAccess | undefined
	readonly cluster?: ClusterChoice | undefined
}

/** Requests at once. */
const CONCURRENCY = 8
/** Tags that are looked at, to find those that name the same. */
const MAX_TAGS = 2000
const INDEX_TYPES: ReadonlySet<string> = new Set([MediaType.imageIndex, MediaType.dockerManifestList])
/** Indexes within indexes. */
const MAX_NESTED = 4

/** Plans to take tags away. All are of one repository. @throws UserError `NOT_FOUND`, `USAGE` */
export async function planUntag(
	session: Session,
	references: readonly Reference[],
	options: RemovalOptions = {},
): Promise<RemovalPlan> {
	const [first, ...others] = references
	if (!first) throw new UserError('USAGE', 'no tag is named')
	const place = { registry: first.registry, repository: first.repository }
	for (const each of references) {
		const text = formatReference(each)
		if (each.tag === undefined || each.digest !== undefined)
			throw new UserError('USAGE', `${text} is not a tag`, {
				hint: 'Name it as REPOSITORY:TAG. lading delete removes an artifact, with all its tags.',
			})
	}
	if (
		others.some(({ registry, repository }) => registry !== place.registry || repository !== place.repository)
	)
		throw new UserError('USAGE', 'the tags are of several repositories', {
			hint: 'Take one repository at a time.',
		})
	return await withRepository(session, { place, ...options }, async (repository) => {
		const { signal } = session
		const tags: NamedTag[] = []
		for (const each of references) {
			const { digest } = await resolveReference(repository, each, signal)
			tags.push({ tag: each.tag ?? '', digest })
		}
		const going = new Set(tags.map(({ tag }) => tag))
		const digests = [...new Set(tags.map(({ digest }) => digest))]
		const { known, named, listing } = await tagsReaching(repository, digests, session)
		const orphans = digests.filter((digest) =>
			[...named, ...listing].every((each) => each.to !== digest || going.has(each.tag)),
		)
		const referrers = await referrersOf(repository, orphans, session)
		const use = await useOf(session, { place, tags, digests: orphans, ...options })
		const { access } = options
		return { place, access, tags, orphans, tagsKnown: known, referrers, listed: [], listing: [], use }
	})
}

/** Plans to delete an artifact, with all its tags. @throws UserError `NOT_FOUND` */
export async function planDelete(
	session: Session,
	reference: Reference,
	options: RemovalOptions = {},
): Promise<RemovalPlan> {
	const place = { registry: reference.registry, repository: reference.repository }
	return await withRepository(session, { place, ...options }, async (repository) => {
		const { signal } = session
		const manifest = await resolveReference(repository, reference, signal)
		const digests = [manifest.digest]
		const reaching = await tagsReaching(repository, digests, session)
		const tags = reaching.named.map(({ tag, digest }) => ({ tag, digest }))
		const listing = reaching.listing.map(({ tag, digest }) => ({ tag, digest }))
		const referrers = await referrersOf(repository, digests, session)
		const listed = await listedBy(repository, manifest, session)
		const use = await useOf(session, { place, tags, digests, ...options })
		const shown = { tagsKnown: reaching.known, referrers, listed, listing, use }
		return { place, access: options.access, manifest, tags, orphans: [], ...shown }
	})
}

async function withRepository<T>(
	session: Session,
	{ place, access }: { readonly place: RemovalPlan['place']; readonly access?: RegistryAccess | undefined },
	use: (repository: RemoteRepository) => Promise<T>,
): Promise<T> {
	const connection = connectRegistry(session, place.registry, access)
	try {
		return await use(connection.repository(place))
	} finally {
		connection.close()
	}
}

/** A tag, what it names, and which of the digests that are looked for it leads to. */
interface ReachingTag extends NamedTag {
	readonly to: Digest
}

/** All tags that name one of the digests, or an index that lists it, as far as they were looked at. */
async function tagsReaching(
	repository: RemoteRepository,
	digests: readonly Digest[],
	session: Session,
): Promise<{
	readonly known: boolean
	readonly named: readonly ReachingTag[]
	readonly listing: readonly ReachingTag[]
}> {
	const { signal } = session
	const all = ((await repository.tags({ signal })) ?? []).filter((tag) => !isReferrersTag(tag))
	const limit = createLimiter(CONCURRENCY)
	const below = new Map<Digest, Promise<ReadonlySet<Digest>>>()
	const found = await Promise.all(
		all.slice(0, MAX_TAGS).map((tag) =>
			limit(async () => {
				signal?.throwIfAborted()
				const target = await repository.resolve(tag, { signal })
				if (!target) return []
				const { digest } = target
				if (digests.includes(digest)) return [{ tag, digest, to: digest }]
				let listed = below.get(digest)
				if (!listed) below.set(digest, (listed = allBelow(repository, target, session)))
				const reached = await listed
				return digests.filter((each) => reached.has(each)).map((to) => ({ tag, digest, to }))
			}),
		),
	)
	const isNamed = ({ digest, to }: ReachingTag): boolean => digest === to
	return {
		known: all.length <= MAX_TAGS,
		named: found.flat().filter(isNamed),
		listing: found.flat().filter((each) => !isNamed(each)),
	}
}

/** What an index lists, and what the indexes among that list, to a depth that nobody needs. */
async function allBelow(
	repository: RemoteRepository,
	target: Descriptor,
	session: Session,
	depth = 0,
): Promise<ReadonlySet<Digest>> {
	const found = new Set<Digest>()
	if (depth === MAX_NESTED || !INDEX_TYPES.has(target.mediaType)) return found
	for (const each of await listedBy(repository, target, session)) {
		found.add(each.digest)
		for (const digest of await allBelow(repository, each, session, depth + 1)) found.add(digest)
	}
	return found
}

async function referrersOf(
	repository: RemoteRepository,
	digests: readonly Digest[],
	{ signal }: Session,
): Promise<readonly Descriptor[]> {
	const found = new Map<Digest, Descriptor>()
	for (const digest of digests) {
		const target = await repository.resolve(digest, { signal })
		if (!target) continue
		for (const referrer of await repository.referrers(target, { signal }))
			found.set(referrer.digest, referrer)
	}
	return [...found.values()]
}

async function listedBy(
	repository: RemoteRepository,
	manifest: Descriptor,
	{ signal }: Session,
): Promise<readonly Descriptor[]> {
	try {
		const bytes = await readVerified(repository, manifest, { signal })
		const parsed = bytes && parseManifest(bytes, manifest.mediaType)
		return parsed?.kind === 'index' ? parsed.manifest.manifests : []
	} catch (error) {
		// What is broken may be deleted all the same.
		if (error instanceof UserError && error.code === 'ARTIFACT_INVALID') return []
		throw error
	}
}

interface Going extends RemovalOptions {
	readonly place: RemovalPlan['place']
	readonly tags: readonly NamedTag[]
	readonly digests: readonly Digest[]
}

async function useOf(session: Session, { place, tags, digests, cluster }: Going): Promise<Use> {
	const users = await findArtifactUsers(session, place, cluster ?? {})
	if (users.kind !== 'known') return { running: [], following: [], history: [], users }
	const running = [...new Set(digests.flatMap((digest) => runningOn(users, digest)))]
	const following = users.users
		.filter((user) => tags.some(({ tag }) => user.follows(tag)))
		.map(({ name }) => name)
	const history = users.users
		.filter(
			({ name, history: ran }) => !running.includes(name) && digests.some((digest) => ran.includes(digest)),
		)
		.map(({ name }) => name)
	return { running, following, history, users }
}
