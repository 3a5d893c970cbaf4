import { LadingError } from '../errors/index.ts'
import type { ResolveTag } from '../observe/index.ts'
import type { RegistryEndpoint } from './state.ts'
import {
	adviceOnWithheld,
	connectRegistry,
	NAMED_BY_CLUSTER,
	reachUnnamed,
	type RegistryConnection,
} from './registries.ts'
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
 * that has failed is not asked again: what the cluster says must not wait for it. `endpoint` tells only where a
 * registry is reached: the cluster that says so does not decide who gets a password.
 */
export function currentTags(session: Session, endpoint: RegistryEndpoint | undefined): CurrentTags {
	const patience = AbortSignal.timeout(PATIENCE_MS)
	const signal = session.signal ? AbortSignal.any([session.signal, patience]) : patience
	const connections = new Map<string, RegistryConnection>()
	const failed = new Set<string>()
	const told = new Set<string>()
	const asked = new Map<string, Promise<string | undefined>>()
	const connect = (registry: string): RegistryConnection => {
		const present = connections.get(registry)
		if (present) return present
		const connection = connectRegistry(reachUnnamed(session, registry).session, registry)
		connections.set(registry, connection)
		return connection
	}
	const tellWithheld = (registry: string, namedByCluster: boolean): void => {
		const advice = adviceOnWithheld({ session, access: {} }, reachUnnamed(session, registry), registry)
		if (advice === undefined || told.has(registry)) return
		told.add(registry)
		session.progress.warn(
			`whether tags of ${registry} have moved is not known: it was not given the user name and password, as ${namedByCluster ? NAMED_BY_CLUSTER : 'only an Application names it'}`,
			namedByCluster ? undefined : advice,
		)
	}
	const ask: ResolveTag = async ({ registry: named, repository, tag }) => {
		const registry = endpoint?.cluster === named ? endpoint.push : named
		if (failed.has(registry)) return undefined
		try {
			const place = { registry, repository }
			return (await connect(registry).repository(place).resolve(tag, { signal }))?.digest
		} catch (error) {
			if (error instanceof LadingError && error.kind === 'denied') tellWithheld(registry, registry !== named)
			else failed.add(registry)
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
