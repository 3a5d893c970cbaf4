import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { ASSUMED_ARGOCD_VERSION } from '../argocd/index.ts'
import { unreachable, UserError } from '../errors/index.ts'
import { diffResources, type ManifestObject, type ResourceDiff } from '../manifests/index.ts'
import { builtInTypes } from './built-in-types.ts'
import type { ClusterChoice } from './chosen-cluster.ts'
import type { ClusterSides } from './cluster-sides.ts'
import { type SideObjects, subjectObjects } from './diff-sides.ts'
import { type SkippedOfSide, skippedOf } from './diff-skipped.ts'
import type { RegistryAccess } from './registries.ts'
import type { Session } from './session.ts'
import { locateSubject, readSubject, type SubjectPlace } from './subject.ts'

export interface DiffOptions extends ClusterChoice {
	/** Path inside both sides; that of the Application where one is compared with, else `.`. */
	readonly path?: string | undefined
	/** Also what stands in subdirectories; as the Application has it where one is compared with, else true. */
	readonly recurse?: boolean | undefined
	readonly access?: RegistryAccess | undefined
}

export interface Comparison {
	/** Empty when both sides deploy the same, as far as they were compared. */
	readonly differences: readonly ResourceDiff[]
	readonly skipped: readonly SkippedOfSide[]
}

/**
 * What changes from `before` to `after`, by resource and field. A side is a
 * directory, a tar file, an artifact, `live:NAME` (what runs of an Application) or `NAME@ID` (what it deployed then).
 * Beside what runs, only what the other side defines is compared, as Argo CD does.
 * @throws UserError `NOT_FOUND`, `USAGE`, those of reading either side
 */
export async function diff(
	session: Session,
	[before, after]: readonly [before: string, after: string],
	options: DiffOptions = {},
): Promise<Comparison> {
	const places = [placeOf(session, before), placeOf(session, after)] as const
	const registries = registriesOf(places)
	refuseCredentialsForTwo(registries, options)
	const applications = places.filter((place) => place.kind === 'live' || place.kind === 'history')
	const cluster = applications.length === 0 ? undefined : await openSides(session, options)
	const source = applications[0] && cluster ? await cluster.sourceOf(applications[0].name) : undefined
	const read: ReadOptions = {
		access: options.access,
		named: registries,
		path: options.path ?? source?.path,
		recurse: options.recurse ?? (source === undefined ? true : source.directory?.recurse === true),
	}
	const [left, right] = await Promise.all(
		places.map(async (place) => await readSide(session, place, { read, cluster })),
	)
	const sides = await pairUp(left?.objects ?? [], right?.objects ?? [], { places, cluster })
	const skipped = skippedOf(left?.unread, right?.unread)
	tellSkipped(session, skipped, { before, after })
	return { differences: diffResources(sides.before, sides.after, { typesOf: builtInTypes }), skipped }
}

/** Files that are told one by one. */
const MAX_TOLD = 5

function tellSkipped(
	{ progress }: Session,
	skipped: readonly SkippedOfSide[],
	names: Readonly<Record<SkippedOfSide['side'], string>>,
): void {
	// A file that is changed is one of both sides.
	const told = skipped.filter(({ side, change }) => change !== 'changed' || side === 'after')
	for (const { side, path, detail, change } of told.slice(0, MAX_TOLD)) {
		const what = change === undefined ? `${path} of ${names[side]} is` : `${path} is ${change}, and`
		progress.warn(`${what} not compared: ${detail}`)
	}
	const more = told.length - MAX_TOLD
	if (more > 0) progress.warn(`${more} more file${more === 1 ? ' is' : 's are'} not compared`)
}

type SidePlace =
	| (SubjectPlace & { readonly text: string })
	| { readonly kind: 'live'; readonly name: string }
	| { readonly kind: 'history'; readonly name: string; readonly id: string }

/** Finds what a text names: a file or directory of that name comes first. */
function placeOf(session: Session, text: string): SidePlace {
	if (!existsSync(resolve(session.workspace.root, text))) {
		const live = /^live:(.+)$/.exec(text)?.[1]
		if (live !== undefined) return { kind: 'live', name: live }
		const [, name, id] = /^([a-z0-9][a-z0-9.-]*)@(\d+)$/.exec(text) ?? []
		if (name !== undefined && id !== undefined) return { kind: 'history', name, id }
	}
	return { text, ...locateSubject(session, text) }
}

async function openSides(session: Session, choice: ClusterChoice): Promise<ClusterSides> {
	// What compares two files need not load what talks to a cluster.
	const { openClusterSides } = await import('./cluster-sides.ts')
	return await openClusterSides(session, choice)
}

interface ReadOptions {
	readonly access: RegistryAccess | undefined
	/** Registries that the sides name themselves. */
	readonly named: readonly string[]
	readonly path: string | undefined
	readonly recurse: boolean
}

async function readSide(
	session: Session,
	place: SidePlace,
	{ read, cluster }: { readonly read: ReadOptions; readonly cluster: ClusterSides | undefined },
): Promise<SideObjects> {
	switch (place.kind) {
		case 'live':
			return { objects: (await cluster?.live(place.name)) ?? [] }
		case 'history':
			return (await cluster?.deployed(place, read)) ?? { objects: [] }
		case 'directory':
		case 'tar':
		case 'artifact': {
			const subject = await readSubject(session, place.text, {
				access: read.access,
				version: ASSUMED_ARGOCD_VERSION,
			})
			return await subjectObjects(session, subject, { ...read, what: place.text })
		}
		default:
			return unreachable(place)
	}
}

/** Both sides as they are compared: beside what runs, only as far as the other side defines it. */
async function pairUp(
	before: readonly ManifestObject[],
	after: readonly ManifestObject[],
	{
		places,
		cluster,
	}: { readonly places: readonly [SidePlace, SidePlace]; readonly cluster: ClusterSides | undefined },
): Promise<{ readonly before: readonly ManifestObject[]; readonly after: readonly ManifestObject[] }> {
	const [left, right] = places
	if (cluster === undefined || (left.kind === 'live') === (right.kind === 'live')) return { before, after }
	if (left.kind === 'live') {
		const { live, wanted } = await cluster.asDefined(left.name, { live: before, wanted: after })
		return { before: live, after: wanted }
	}
	if (right.kind !== 'live') return { before, after }
	const { live, wanted } = await cluster.asDefined(right.name, { live: after, wanted: before })
	return { before: wanted, after: live }
}

function registriesOf(places: readonly SidePlace[]): readonly string[] {
	return [
		...new Set(places.flatMap((place) => (place.kind === 'artifact' ? [place.reference.registry] : []))),
	]
}

/**
 * Credentials that are given without the name of a registry belong to one, and it is not said which. The one that
 * an Application names does not count: beside one that is named here, it gets none of them.
 */
function refuseCredentialsForTwo(registries: readonly string[], { access }: DiffOptions): void {
	if (access?.credentials === undefined || access.credentials.registry !== undefined) return
	if (registries.length < 2) return
	throw new UserError(
		'USAGE',
		`the user name and password are for one registry, and this asks two: ${registries.join(' and ')}`,
		{
			hint: 'Sign in to each with lading login, or set LADING_REGISTRY to the one that LADING_USERNAME is for.',
		},
	)
}
