import { LadingError } from '../errors/index.ts'
import type { ResolveTag } from '../observe/index.ts'
import type { RegistryEndpoint } from './state.ts'
import { connectRegistry, reachUnnamed, type RegistryConnection } from './registries.ts'
import type { Session } from './session.ts'

/** Milliseconds that registries have, all together. */
const PATIENCE_MS = 5000

export interface CurrentTags {
	readonly resolve: ResolveTag
	/** Closes the kept connections. */
	close(): void
}

/**
 * What tags name now, each asked for once, on one connection to its registry. A registry
 * that has failed is not asked again: what the cluster says must not wait for it.
 */
export function currentTags(session: Session, endpoint: RegistryEndpoint | undefined): CurrentTags {
	const patience = AbortSignal.timeout(PATIENCE_MS)
	const signal = session.signal ? AbortSignal.any([session.signal, patience]) : patience
	const connections = new Map<string, RegistryConnection>()
	const failed = new Set<string>()
	const asked = new Map<string, Promise<string | undefined>>()
	const connect = (registry: string): RegistryConnection => {
		const present = connections.get(registry)
		if (present) return present
		const reach = registry === endpoint?.push ? { session } : reachUnnamed(session, registry)
		const connection = connectRegistry(reach.session, registry)
		connections.set(registry, connection)
		return connection
	}
	const ask: ResolveTag = async ({ registry: named, repository, tag }) => {
		const registry = endpoint?.cluster === named ? endpoint.push : named
		if (failed.has(registry)) return undefined
		try {
			const place = { registry, repository }
			return (await connect(registry).repository(place).resolve(tag, { signal }))?.digest
		} catch (error) {
			if (!(error instanceof LadingError && error.kind === 'denied')) failed.add(registry)
			session.signal?.throwIfAborted()
			if (patience.aborted) return undefined
			throw error
		}
	}
	return {
		resolve(place) {
			const key = `${place.registry}/${place.repository}:${place.tag}`
			const answer = asked.get(key) ?? ask(place)
			asked.set(key, answer)
			return answer
		},
		close() {
			for (const connection of connections.values()) connection.close()
		},
	}
}
