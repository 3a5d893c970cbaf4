import { parseConstraint, parseVersion, satisfies } from '../argocd/index.ts'
import { createLimiter, type LayoutReader, onSide, type ReadableStore } from '../content/index.ts'
import { UserError } from '../errors/index.ts'
import { type Descriptor, isTag, parseReference } from '../oci/index.ts'
import { formatArtifact, formatPlace, type Place } from './places.ts'

/** Which artifacts of a place are meant. */
export interface Choice {
	/** All that have a tag. */
	readonly allTags?: boolean | undefined
	/** Those whose tag is a version in this range, as Argo CD reads ranges. */
	readonly range?: string | undefined
}

/** An artifact that was chosen. */
export interface Chosen {
	readonly root: Descriptor
	readonly tag?: string | undefined
}

/** Requests for tags at once. */
const CONCURRENCY = 8

/** A tag that stands in for the referrers API. @see distribution-spec "Referrers Tag Schema" */
const REFERRERS_TAG = /^sha(?:256-[0-9a-f]{64}|512-[0-9a-f]{64})$/

/** Whether a tag only lists what points at a manifest, and is no tag for people. */
export function isReferrersTag(tag: string): boolean {
	return REFERRERS_TAG.test(tag)
}

/** Keeps versions within a range, as Argo CD chooses them. @throws UserError `USAGE` for what is no range */
export function inRange(range: string): (tag: string) => boolean {
	const constraint = parseConstraint(range)
	if (!constraint) {
		throw new UserError('USAGE', `"${range}" is not a range of versions`, {
			hint: "Write it as '>=1.2 <2', '^1.4' or '1.x', in quotes.",
		})
	}
	return (tag) => {
		const version = parseVersion(tag.replaceAll('_', '+'))
		return version !== undefined && satisfies(version, constraint)
	}
}

export interface ChooseOptions extends Choice {
	readonly place: Place
	readonly signal?: AbortSignal | undefined
}

/**
 * What a place and flags mean: one artifact, or many with their tags.
 * @throws UserError `USAGE`, `NOT_FOUND`
 */
export async function chooseArtifacts(
	store: ReadableStore | LayoutReader,
	options: ChooseOptions,
): Promise<readonly Chosen[]> {
	const { place, allTags, range } = options
	const name = place.kind === 'registry' ? place.reference.tag : place.name
	const digest = place.kind === 'registry' ? place.reference.digest : place.digest
	if (allTags === true || range !== undefined) {
		if (name === undefined && digest === undefined) return await chooseMany(store, options)
		throw new UserError(
			'USAGE',
			`${formatArtifact(place, { tag: name, digest })} names one artifact, and many are asked for`,
			{
				hint: `Name the whole: ${formatPlace(place)}`,
			},
		)
	}
	const wanted = digest ?? name
	if (wanted === undefined) return [await chooseOnly(store, options)]
	const root = await onSide('source', store.resolve(wanted, { signal: options.signal }))
	if (!root) throw notFound(place, wanted)
	return [{ root, tag: tagOf(name) }]
}

/** A layout may name an artifact by its whole reference, whose tag is the tag. */
function tagOf(name: string | undefined): string | undefined {
	if (name === undefined || isTag(name)) return name
	try {
		return parseReference(name).tag
	} catch {
		return undefined
	}
}

function notFound(place: Place, wanted: string): UserError {
	const hint =
		place.kind === 'registry'
			? `lading tags ${formatPlace(place)} lists what is there.`
			: 'Its index.json says what it holds.'
	return new UserError('NOT_FOUND', `there is no ${wanted} in ${formatPlace(place)}`, { hint })
}

async function chooseMany(
	store: ReadableStore | LayoutReader,
	{ place, range, signal }: ChooseOptions,
): Promise<readonly Chosen[]> {
	const fits = range === undefined ? () => true : inRange(range)
	const names = await onSide('source', store.tags({ signal }))
	if (!names) throw nothingThere(place)
	const wanted = names.filter((name) => !isReferrersTag(name) && fits(tagOf(name) ?? ''))
	if (wanted.length === 0) {
		throw new UserError(
			'NOT_FOUND',
			range === undefined
				? `${formatPlace(place)} has no tags`
				: `none of the ${names.length} tags of ${formatPlace(place)} is a version within ${range}`,
			{ hint: place.kind === 'registry' ? `lading tags ${formatPlace(place)} lists them.` : undefined },
		)
	}
	const limit = createLimiter(CONCURRENCY)
	const found = await Promise.all(
		wanted.map((name) =>
			limit(async () => {
				signal?.throwIfAborted()
				const root = await onSide('source', store.resolve(name, { signal }))
				const tag = tagOf(name)
				// Deleted since it was listed.
				return root && { root, ...(tag !== undefined && { tag }) }
			}),
		),
	)
	return found.filter((each) => each !== undefined)
}

function nothingThere(place: Place): UserError {
	return new UserError(
		'NOT_FOUND',
		place.kind === 'registry'
			? `there is no repository ${formatPlace(place)}`
			: `there is no OCI image layout in ${place.shown}`,
		{ hint: 'Check the spelling.' },
	)
}

/** A layout with one artifact needs no name. */
async function chooseOnly(store: ReadableStore | LayoutReader, { place }: ChooseOptions): Promise<Chosen> {
	if (!('entries' in store)) {
		throw new UserError('USAGE', `${formatPlace(place)} names no tag and no digest`, {
			hint: `Add one, or --all-tags. lading tags ${formatPlace(place)} lists the tags.`,
		})
	}
	const entries = await onSide('source', store.entries())
	if (!entries) throw nothingThere(place)
	const named = entries.filter(({ name, reference }) => name !== undefined || reference !== undefined)
	const candidates = named.length > 0 ? named : entries
	const [only] = candidates
	if (!only) throw new UserError('NOT_FOUND', `${formatPlace(place)} is empty`)
	if (new Set(candidates.map(({ descriptor }) => descriptor.digest)).size > 1) {
		throw new UserError('USAGE', `${formatPlace(place)} holds ${candidates.length} artifacts`, {
			details: candidates.slice(0, 20).map(({ name, descriptor }) => name ?? descriptor.digest),
			hint: `Name one: ${formatPlace(place)}:${candidates.find(({ name }) => name !== undefined)?.name ?? 'NAME'}, or all of them with --all-tags.`,
		})
	}
	return { root: only.descriptor, tag: tagOf(only.name) }
}
