import type { Digest } from '../../oci/index.ts'
import type { RegistryStorage } from './storage.ts'

/** A manifest that was stored, or a tag that was set. */
export interface PushEvent {
	readonly repository: string
	/** Absent for a push by digest alone. */
	readonly tag?: string | undefined
	readonly digest: Digest
	readonly mediaType: string
}

export interface LogEntry {
	readonly level: 'info' | 'warning' | 'error'
	readonly message: string
}

export type Log = (entry: LogEntry) => void

/** What every endpoint works with. */
export interface RegistryContext {
	readonly storage: RegistryStorage
	readonly onPush: ((event: PushEvent) => void) | undefined
	readonly digestsInUse: (() => Promise<ReadonlySet<Digest>>) | undefined
	readonly log: Log
}
