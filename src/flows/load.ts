import { resolve } from 'node:path'
import type { LayoutEntry, LayoutReader } from '../content/index.ts'
import { UserError } from '../errors/index.ts'
import {
	type Digest,
	formatReference,
	isRepository,
	isTag,
	parseReference,
	type Reference,
} from '../oci/index.ts'
import { openConnections, openSource, refuseSharedCredentials } from './copy-ends.ts'
import { readReference, type RegistryAccess } from './registries.ts'
import type { Session } from './session.ts'
import {
	addMoved,
	describeMoved,
	type Moved,
	NOTHING_MOVED,
	planTransfer,
	runTransfer,
	type TransferOptions,
} from './transfer.ts'

export interface LoadOptions extends TransferOptions {
	/** A tar that ends in `.tar`, or a directory. */
	readonly source: string
	/** `REGISTRY` or `REGISTRY/PREFIX`: what comes before the repositories that the artifacts were in. */
	readonly prefix?: string | undefined
	/** `OLD=NEW`: the start of a reference, and what stands in its place; the longest that fits counts. */
	readonly map?: readonly string[] | undefined
	readonly access?: RegistryAccess | undefined
}

export interface LoadedArtifact {
	/** What the layout calls it; absent where it has no name there. */
	readonly from?: string | undefined
	/** Where it is now, with its digest. */
	readonly reference: string
	readonly digest: Digest
	readonly outcome: 'loaded' | 'unchanged'
}

export interface LoadResult extends Moved {
	readonly outcome: 'loaded' | 'unchanged'
	readonly artifacts: readonly LoadedArtifact[]
	readonly dryRun: boolean
}

/** Places that a mistake lists. */
const MAX_LISTED = 20

interface Goal {
	readonly entry: LayoutEntry
	readonly reference: Reference
	/** Whether its registry is named by who loads it, and not by the layout. */
	readonly isNamed: boolean
}

/**
 * Puts the artifacts of an OCI image layout, a directory or a tar, into registries: where they
 * came from, or elsewhere by prefix and map. Nothing is written before every tag was looked at.
 * @throws UserError `ARTIFACT_INVALID` for a layout that is none, `TAG_EXISTS`, `USAGE`
 */
export async function load(session: Session, options: LoadOptions): Promise<LoadResult> {
	const { workspace, progress } = session
	const kind = options.source.endsWith('.tar') ? 'archive' : 'layout'
	const path = resolve(workspace.root, options.source)
	const place = { kind, path, shown: options.source } as const
	const step = progress.step('load')
	const connections = openConnections(session)
	try {
		const source = await openSource(place, { connections, access: undefined })
		const goals = await goalsOf(session, source, options)
		refuseStrangers(session, goals, options)
		refuseSharedCredentials(
			options.access,
			goals.map(({ reference }) => reference),
		)
		const groups = byRepository(goals)
		const transfers = []
		for (const group of groups) {
			const [{ reference }] = group
			const destination = connections
				.connect(reference.registry, options.access)
				.repository(reference, { writes: options.dryRun !== true })
			const artifacts = group.map(({ entry, reference: { tag } }) => ({ root: entry.descriptor, tag }))
			const wish = { source, destination, artifacts, place: reference }
			transfers.push({ group, transfer: await planTransfer(session, wish, options) })
		}
		let moved = NOTHING_MOVED
		let isChanged = false
		const artifacts: LoadedArtifact[] = []
		for (const { group, transfer } of transfers) {
			const result = await runTransfer(session, transfer, { ...options, step })
			moved = addMoved(moved, result)
			isChanged ||= result.changed
			// By digest and tag: of several tags, only one may be new.
			const changed = new Set(
				transfer.roots.flatMap(({ root, tags }, index) => {
					const { moved: isNew = false, tagged = [] } = result.roots[index] ?? {}
					return isNew
						? [undefined, ...tags].map((tag) => `${root.digest} ${tag}`)
						: tagged.map((tag) => `${root.digest} ${tag}`)
				}),
			)
			for (const { entry, reference } of group) artifacts.push(loadedOf(entry, reference, changed))
		}
		if (isChanged) step.done(`${options.dryRun === true ? 'would be: ' : ''}${describeMoved(moved)}`)
		else step.unchanged('unchanged: everything is there already')
		const outcome = isChanged ? 'loaded' : 'unchanged'
		return { outcome, artifacts, ...moved, dryRun: options.dryRun === true }
	} finally {
		connections.close()
	}
}

function loadedOf(entry: LayoutEntry, reference: Reference, changed: ReadonlySet<string>): LoadedArtifact {
	const { descriptor } = entry
	const from = entry.reference ?? entry.name
	return {
		...(from !== undefined && { from }),
		reference: formatReference({ ...reference, digest: descriptor.digest }),
		digest: descriptor.digest,
		outcome: changed.has(`${descriptor.digest} ${reference.tag}`) ? 'loaded' : 'unchanged',
	}
}

/**
 * A password is for the registry that its owner means: what a file says of its origin is anybody's word.
 * @throws UserError `USAGE`
 */
function refuseStrangers({ workspace }: Session, goals: readonly Goal[], options: LoadOptions): void {
	const { access, source } = options
	if (access?.credentials === undefined || access.credentials.registry !== undefined) return
	const own = workspace.state().registry?.endpoint.push
	const stranger = goals.find(({ reference, isNamed }) => !isNamed && reference.registry !== own)
	if (!stranger) return
	const { registry } = stranger.reference
	throw new UserError(
		'USAGE',
		`the user name and password would go to ${registry}, because ${source} says so`,
		{
			hint: `If you mean that registry, name it: lading load ${source} ${registry}`,
		},
	)
}

type Group = readonly [Goal, ...Goal[]]

function byRepository(goals: readonly Goal[]): readonly Group[] {
	const groups = new Map<string, [Goal, ...Goal[]]>()
	for (const goal of goals) {
		const key = `${goal.reference.registry}/${goal.reference.repository}`
		const known = groups.get(key)
		if (known) known.push(goal)
		else groups.set(key, [goal])
	}
	return [...groups.values()]
}

/** The artifacts of a layout, and where each goes. @throws UserError */
async function goalsOf(
	session: Session,
	source: Awaited<ReturnType<typeof openSource>>,
	options: LoadOptions,
): Promise<readonly Goal[]> {
	const roots = 'entries' in source ? await rootsOf(source) : undefined
	if (!roots) {
		throw new UserError('ARTIFACT_INVALID', `${options.source} holds no OCI image layout`, {
			hint: 'Name a directory, or a tar, that holds oci-layout, index.json and blobs/.',
		})
	}
	if (roots.length === 0) throw new UserError('ARTIFACT_INVALID', `${options.source} holds no artifact`)
	const prefix = options.prefix === undefined ? undefined : readPrefix(session, options.prefix)
	const maps = (options.map ?? []).map(readMap)
	const goals = roots.map((entry) => ({ entry, ...goalOf(entry, { prefix, maps }) }))
	refuseUnused(maps, roots, options.source)
	refuseTwoForOne(goals)
	return goals
}

/** A map that fits nothing is a mistake, and what it was meant for would go where it came from. */
function refuseUnused(maps: readonly PrefixMap[], roots: readonly LayoutEntry[], source: string): void {
	const places = new Set(
		roots.flatMap(({ name, reference }) => {
			const origin = originOf(reference) ?? originOf(name)
			return origin ? [`${origin.registry}/${origin.repository}`] : []
		}),
	)
	const unused = maps.find(({ from }) => ![...places].some((place) => isBelow(place, from)))
	if (!unused) return
	throw new UserError('USAGE', `nothing in ${source} comes from ${unused.from}`, {
		details: [...places].slice(0, MAX_LISTED).map((place) => `there is ${place}`),
		hint: 'Correct what stands before the = of --map.',
	})
}

function isBelow(place: string, prefix: string): boolean {
	return place === prefix || place.startsWith(`${prefix}/`)
}

/** What has a name, and what nothing else leads to. */
async function rootsOf(layout: LayoutReader): Promise<readonly LayoutEntry[] | undefined> {
	const entries = await layout.entries()
	if (!entries) return undefined
	const led = new Set<string>()
	for (const { descriptor } of entries) {
		const manifest = await layout.inspect(descriptor)
		for (const { digest } of manifest?.lists ?? []) led.add(digest)
		if (manifest?.pointing) led.add(descriptor.digest)
	}
	return entries.filter(
		({ descriptor, name, reference }) =>
			name !== undefined || reference !== undefined || !led.has(descriptor.digest),
	)
}

type Prefix = Pick<Reference, 'registry'> & { readonly path: string }

/** `REGISTRY`, `REGISTRY/PREFIX`, or a prefix in the local registry. */
function readPrefix(session: Session, text: string): Prefix {
	const bare = text.replace(/^oci:\/\//, '').replace(/\/$/, '')
	if (!bare.includes('/') && (bare === 'localhost' || /[.:]/.test(bare))) {
		// Read with a repository, so that it is judged as a registry.
		return { registry: readReference(session, `${bare}/x`).registry, path: '' }
	}
	const { registry, repository, tag, digest } = readReference(session, bare)
	if (tag === undefined && digest === undefined) return { registry, path: repository }
	throw new UserError('USAGE', `"${text}" names one artifact, and a registry or a prefix is wanted`, {
		hint: `lading load FILE ${registry}/${repository}`,
	})
}

interface PrefixMap {
	readonly from: string
	readonly to: string
}

function readMap(text: string): PrefixMap {
	const [from = '', to = '', ...more] = text.split('=').map((side) => side.replace(/\/$/, ''))
	if (from !== '' && to !== '' && more.length === 0) return { from, to }
	throw new UserError('USAGE', `"${text}" is not a map of prefixes`, {
		hint: 'Write it as OLD=NEW, such as ghcr.io/acme=registry.example.com/mirror',
	})
}

interface GoalOptions {
	readonly prefix: Prefix | undefined
	readonly maps: readonly PrefixMap[]
}

function goalOf(
	{ name, reference, descriptor }: LayoutEntry,
	{ prefix, maps }: GoalOptions,
): Omit<Goal, 'entry'> {
	const named = (to: Reference): Omit<Goal, 'entry'> => ({ reference: to, isNamed: true })
	const origin = originOf(reference) ?? originOf(name)
	const tag = origin?.tag ?? (name !== undefined && isTag(name) ? name : undefined)
	const pinned = tag === undefined ? { digest: descriptor.digest } : { tag }
	if (!origin) {
		if (prefix && prefix.path !== '')
			return named({ registry: prefix.registry, repository: prefix.path, ...pinned })
		throw new UserError('USAGE', `${name ?? descriptor.digest} does not say which repository it comes from`, {
			hint: 'Name the repository that it shall go to: lading load FILE REGISTRY/REPOSITORY',
		})
	}
	const place = `${origin.registry}/${origin.repository}`
	const [map] = maps.filter(({ from }) => isBelow(place, from)).sort((a, b) => b.from.length - a.from.length)
	if (map) return named({ ...parseReference(map.to + place.slice(map.from.length)), ...pinned })
	if (!prefix) {
		const back = { registry: origin.registry, repository: origin.repository, ...pinned }
		return { reference: back, isNamed: false }
	}
	const repository = prefix.path === '' ? origin.repository : `${prefix.path}/${origin.repository}`
	if (isRepository(repository)) return named({ registry: prefix.registry, repository, ...pinned })
	throw new UserError('REFERENCE_INVALID', `"${repository}" is not a repository: its name is too long`)
}

/** Where a layout says that an artifact comes from, if that is a place. */
function originOf(text: string | undefined): Reference | undefined {
	if (text === undefined || isTag(text)) return undefined
	try {
		return parseReference(text)
	} catch {
		return undefined
	}
}

/** Two artifacts that would get the same tag. */
function refuseTwoForOne(goals: readonly Goal[]): void {
	const taken = new Map<string, Digest>()
	for (const { entry, reference } of goals) {
		const text = formatReference(reference)
		const digest = taken.get(text)
		if (digest !== undefined && digest !== entry.descriptor.digest) {
			throw new UserError(
				'USAGE',
				`two artifacts would become ${text}: ${digest} and ${entry.descriptor.digest}`,
				{
					hint: 'Keep them apart with --map OLD=NEW.',
				},
			)
		}
		taken.set(text, entry.descriptor.digest)
	}
}
