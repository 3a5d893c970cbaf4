import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { openLayoutArchive } from '../artifact/index.ts'
import {
	type ContentStore,
	createLayoutStore,
	type LayoutEntry,
	type LayoutReader,
	type ReadableStore,
} from '../content/index.ts'
import { UserError } from '../errors/index.ts'
import type { Reference } from '../oci/index.ts'
import { createLayoutTarget, type LayoutTargetOptions } from './layout-target.ts'
import type { Place } from './places.ts'
import { connectRegistry, type RegistryAccess, type RegistryConnection } from './registries.ts'
import type { Session } from './session.ts'

/** How to reach the registries of the two sides. */
export interface SideAccess {
	readonly from?: RegistryAccess | undefined
	readonly to?: RegistryAccess | undefined
}

/** Connections to registries: each is made once for all that reach it in the same way. */
export interface Connections {
	connect(registry: string, access: RegistryAccess | undefined): RegistryConnection
	close(): void
}

export function openConnections(session: Session): Connections {
	const open = new Map<string, RegistryConnection>()
	return {
		connect(registry, access = {}) {
			const key = JSON.stringify([registry, access])
			const connection = open.get(key) ?? connectRegistry(session, registry, access)
			open.set(key, connection)
			return connection
		},
		close() {
			for (const connection of open.values()) connection.close()
		},
	}
}

/**
 * Credentials that are given for both sides without the name of a registry belong to one of them,
 * and it is not said which.
 * @throws UserError `USAGE`
 */
export function refuseSharedCredentials(
	access: RegistryAccess | undefined,
	references: readonly Pick<Reference, 'registry'>[],
): void {
	if (access?.credentials === undefined || access.credentials.registry !== undefined) return
	const registries = [...new Set(references.map(({ registry }) => registry))]
	if (registries.length < 2) return
	throw new UserError(
		'USAGE',
		`the user name and password are for one registry, and this asks several: ${registries.join(' and ')}`,
		{
			hint: 'Sign in to each with docker login, give them for one side (--from-username, --to-username), or set LADING_REGISTRY to the one that LADING_USERNAME is for.',
		},
	)
}

export interface EndOptions {
	readonly connections: Connections
	readonly access: RegistryAccess | undefined
}

/** Opens a place to read from. @throws UserError `NOT_FOUND`, those of a registry and of an archive */
export async function openSource(
	place: Place,
	{ connections, access }: EndOptions,
): Promise<ReadableStore | LayoutReader> {
	switch (place.kind) {
		case 'registry':
			return connections.connect(place.reference.registry, access).repository(place.reference)
		case 'archive':
			return await openLayoutArchive(place.path)
		case 'layout':
			if (!existsSync(place.path)) {
				throw new UserError('NOT_FOUND', `there is no directory ${place.shown}`)
			}
			return createLayoutStore(place.path)
	}
}

/** A place to write to. */
export interface Destination {
	readonly store: ContentStore
	/** Makes what was copied visible, where copying alone does not. */
	finish(entries: readonly LayoutEntry[]): Promise<void>
	/** After a failure: takes away what was not finished. */
	discard(): void
}

/** @throws UserError `NAME_TAKEN` for an archive that is there already, those of a registry */
export function openDestination(
	place: Place,
	{
		connections,
		access,
		force,
		signal,
		progress,
	}: EndOptions & Pick<LayoutTargetOptions, 'force' | 'signal' | 'progress'>,
): Destination {
	switch (place.kind) {
		case 'registry': {
			const { reference } = place
			const store = connections.connect(reference.registry, access).repository(reference, { writes: true })
			return { store, async finish() {}, discard() {} }
		}
		case 'archive':
			return createLayoutTarget(place.path, {
				kind: 'archive',
				shown: place.shown,
				force,
				signal,
				progress,
			})
		case 'layout': {
			refuseOther(place)
			const store = createLayoutStore(place.path)
			return { store, finish: (entries) => store.seal(entries), discard() {} }
		}
	}
}

/** A directory with something else in it is somebody's. @throws UserError `NAME_TAKEN` */
function refuseOther({ path, shown }: Exclude<Place, { kind: 'registry' }>): void {
	if (!existsSync(path) || existsSync(join(path, 'index.json'))) return
	// Of a copy that was interrupted, contents are left that the next one need not fetch.
	if (readdirSync(path).every((name) => name === 'blobs' || name === 'oci-layout')) return
	throw new UserError('NAME_TAKEN', `${shown} is not empty, and no OCI image layout`, {
		hint: 'Name a directory that is new, empty, or such a layout.',
	})
}
