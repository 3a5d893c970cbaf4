import type { ServerResponse } from '../../http/server/index.ts'
import type { Health } from './observe/health.ts'
import type { EndpointCounts, Metrics } from './observe/metrics.ts'
import type { RecentPushes } from './recent-pushes.ts'
import type { RegistryStorage } from './storage.ts'

/** What `GET /livez` calls this server. */
const REGISTRY_NAME = 'lading registry'

export interface OperationsOptions {
	readonly storage: RegistryStorage
	readonly metrics: Metrics
	readonly pushes: RecentPushes
	/** Without it, it is always ready. */
	readonly health: Health | undefined
	readonly endpoints: () => readonly EndpointCounts[]
	readonly instance: string | undefined
}

/** What whoever runs a registry asks it. */
export class Operations {
	readonly #options: OperationsOptions
	readonly #live: ServerResponse

	constructor(options: OperationsOptions) {
		this.#options = options
		const { instance } = options
		this.#live = {
			status: 200,
			headers: {
				'content-type': 'application/json',
				...(instance !== undefined && { 'x-lading-instance': instance }),
			},
			body: JSON.stringify({ name: REGISTRY_NAME, instance: instance ?? null }),
		}
	}

	/** The process answers. */
	live(): ServerResponse {
		return this.#live
	}

	/** 200 or 503: whether it should get requests. It should with damaged records: pushes mend them, and it removes nothing. */
	ready(): ServerResponse {
		const troubles = this.#options.health?.troubles ?? []
		const damage = this.#options.storage.damage()
		return {
			status: troubles.length === 0 ? 200 : 503,
			headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
			body: JSON.stringify({
				ready: troubles.length === 0,
				troubles: [...troubles, ...(damage === undefined ? [] : [damage])],
			}),
		}
	}

	/** For Prometheus. */
	metrics(): ServerResponse {
		const { storage, metrics, health, endpoints } = this.#options
		const { artifacts, ...statistics } = storage.statistics()
		const text = metrics.format({
			...statistics,
			manifests: artifacts,
			uploads: storage.uploadCount(),
			disk: health?.disk,
			ready: (health?.troubles ?? []).length === 0,
			isJournalDamaged: storage.damage() !== undefined,
			endpoints: endpoints(),
		})
		return {
			status: 200,
			headers: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' },
			body: text,
		}
	}

	/** For `lading registry status`. Who pushed and from where is for those who may push. */
	statistics(options: { readonly showsWho: boolean }): ServerResponse {
		return {
			status: 200,
			headers: { 'content-type': 'application/json' },
			body: JSON.stringify(this.content(options)),
		}
	}

	/** What it holds. */
	content({ showsWho }: { readonly showsWho: boolean }): Readonly<Record<string, unknown>> {
		const { storage, health, pushes } = this.#options
		return {
			...storage.statistics(),
			uploads: storage.uploadCount(),
			disk: health?.disk,
			damage: storage.damage(),
			pushes: pushes.list({ showsWho }),
		}
	}
}
