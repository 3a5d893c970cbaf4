import { compileGlob } from '../argocd/index.ts'
import { createLimiter } from '../content/index.ts'
import { type ErrorCode, LadingError, UserError } from '../errors/index.ts'
import { type Descriptor, type Digest, formatReference, type Reference } from '../oci/index.ts'
import type { RemoteRepository } from '../registry/client/index.ts'
import { type ArtifactUsers, findArtifactUsers, runningOn } from './artifact-users.ts'
import type { ClusterChoice } from './chosen-cluster.ts'
import { inRange, isReferrersTag } from './choose-artifacts.ts'
import { type ArtifactDescription, describeArtifact } from './describe-artifact.ts'
import { connectRegistry, type RegistryAccess } from './registries.ts'
import type { Session } from './session.ts'

/** Requests at once. */
const CONCURRENCY = 8
/** Tags that are described where nothing is said. */
const DEFAULT_LIMIT = 50

const BROKEN: ReadonlySet<ErrorCode> = new Set(['ARTIFACT_INVALID', 'CONTENT_CORRUPT'])

export interface TagsFilter {
	/** Only versions in this range, as Argo CD reads ranges. */
	readonly range?: string | undefined
	/** Only tags that match, such as `v1.*`. */
	readonly filter?: string | undefined
}

export interface DescribeTagsOptions extends TagsFilter {
	/** How many tags are looked at; 50. */
	readonly limit?: number | undefined
	/** Where to look for Applications that run them. */
	readonly cluster?: ClusterChoice | undefined
	readonly access?: RegistryAccess | undefined
}

/** A tag, and what it names. */
export interface TagDescription extends Partial<ArtifactDescription> {
	readonly tag: string
	/** Absent when the tag is gone since it was listed. */
	readonly digest?: Digest | undefined
	/** Applications that run what it names. */
	readonly applications: readonly string[]
}

export interface TagsDescription {
	/** All that match, in order: versions first and newest first, then the others by name. */
	readonly tags: readonly string[]
	/** The first of them. */
	readonly described: readonly TagDescription[]
	readonly users: ArtifactUsers
}

/** All tags of a repository that match: versions first and newest first, then the others by name. */
export async function listTags(
	session: Session,
	reference: Reference,
	options: TagsFilter & { readonly access?: RegistryAccess | undefined } = {},
): Promise<readonly string[]> {
	const connection = connectRegistry(session, reference.registry, options.access)
	try {
		return await matchingTags(session, connection.repository(reference), { reference, ...options })
	} finally {
		connection.close()
	}
}

/** As {@link listTags}, with what the first of them name, and which Applications run that. */
export async function describeTags(
	session: Session,
	reference: Reference,
	options: DescribeTagsOptions = {},
): Promise<TagsDescription> {
	const connection = connectRegistry(session, reference.registry, options.access)
	// The cluster is asked while the registry is.
	const asking = findArtifactUsers(session, reference, options.cluster ?? {})
	asking.catch(() => {})
	try {
		const repository = connection.repository(reference)
		const tags = await matchingTags(session, repository, { reference, ...options })
		const shown = tags.slice(0, options.limit ?? DEFAULT_LIMIT)
		const known = await describeAll(session, repository, shown)
		const users = await asking
		if (users.kind === 'unknown')
			session.progress.note(`which Applications run them is not known: ${users.error.message}`)
		const described = known.map((each) => ({ ...each, applications: runningOn(users, each.digest) }))
		return { tags, described, users }
	} finally {
		connection.close()
	}
}

interface Matching extends TagsFilter {
	readonly reference: Reference
}

async function matchingTags(
	{ signal, progress }: Session,
	repository: RemoteRepository,
	{ reference: { registry, repository: name }, range, filter }: Matching,
): Promise<readonly string[]> {
	const isWanted = [
		...(range === undefined ? [] : [inRange(range)]),
		...(filter === undefined ? [] : [glob(filter)]),
	]
	const all = await repository.tags({ signal })
	if (all === undefined) {
		throw new UserError(
			'NOT_FOUND',
			`there is no repository ${formatReference({ registry, repository: name })}`,
			{
				hint: `Push to it: lading push DIR ${name}:v1.0.0`,
			},
		)
	}
	const tags = all.filter((tag) => !isReferrersTag(tag))
	const hidden = all.length - tags.length
	if (hidden > 0)
		progress.note(
			`left out: ${hidden === 1 ? 'a tag that only lists' : `${hidden} tags that only list`} what points at a manifest`,
		)
	return tags.filter((tag) => isWanted.every((fits) => fits(tag))).sort(byVersion)
}

function glob(pattern: string): (tag: string) => boolean {
	const matches = compileGlob(pattern)
	if (matches) return matches
	throw new UserError('USAGE', `"${pattern}" is not a pattern`, {
		hint: "Write it as 'v1.*', '*-rc.?' or '{main,latest}', in quotes.",
	})
}

type Known = Omit<TagDescription, 'applications'>

/** What tags name: each artifact is read once, however many tags it has. */
async function describeAll(
	{ signal }: Session,
	repository: RemoteRepository,
	tags: readonly string[],
): Promise<readonly Known[]> {
	const limit = createLimiter(CONCURRENCY)
	const reading = new Map<Digest, Promise<ArtifactDescription | undefined>>()
	const describe = (target: Descriptor): Promise<ArtifactDescription | undefined> => {
		const known = reading.get(target.digest)
		if (known) return known
		const description = limit(async () => {
			try {
				return await describeArtifact(repository, target, { signal })
			} catch (error) {
				// One that is broken must not keep the others from being seen.
				if (error instanceof LadingError && BROKEN.has(error.code)) return undefined
				throw error
			}
		})
		reading.set(target.digest, description)
		return description
	}
	return await Promise.all(
		tags.map(async (tag): Promise<Known> => {
			const target = await limit(() => repository.resolve(tag, { signal }))
			return target ? { tag, digest: target.digest, ...(await describe(target)) } : { tag }
		}),
	)
}

const VERSION = /^v?(\d+)\.(\d+)\.(\d+)(?:-([0-9A-Za-z.-]+))?(?:[+_].*)?$/

/** Orders tags: versions before other tags, newest first, a pre-release after its release. */
export function byVersion(left: string, right: string): number {
	const [a, b] = [VERSION.exec(left), VERSION.exec(right)]
	if (!a || !b) return a ? -1 : b ? 1 : left < right ? -1 : left > right ? 1 : 0
	for (const part of [1, 2, 3]) {
		const difference = Number(b[part]) - Number(a[part])
		if (difference !== 0) return difference
	}
	return byPrerelease(a[4], b[4])
}

function byPrerelease(left: string | undefined, right: string | undefined): number {
	if (left === right) return 0
	if (left === undefined) return -1
	if (right === undefined) return 1
	const [a, b] = [left.split('.'), right.split('.')]
	for (let index = 0; index < Math.max(a.length, b.length); index++) {
		const [x, y] = [a[index], b[index]]
		if (x === y) continue
		if (x === undefined) return 1
		if (y === undefined) return -1
		const [numeric, other] = [/^\d+$/.test(x), /^\d+$/.test(y)]
		if (numeric && other) return Number(y) - Number(x)
		if (numeric !== other) return numeric ? 1 : -1
		return x < y ? 1 : -1
	}
	return 0
}
