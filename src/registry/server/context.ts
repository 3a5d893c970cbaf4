import type { Digest } from '../../oci/index.ts'
import type { BodyMemory } from './body-memory.ts'
import type { InUse } from './pruning.ts'
import type { RegistryStorage } from './storage.ts'
import type { TagPattern } from './tag-pattern.ts'

/** A manifest that was stored, or a tag that was set. */
export interface PushEvent {
	readonly repository: string
	/** Absent for a push by digest alone. */
	readonly tag?: string | undefined
	readonly digest: Digest
	readonly mediaType: string
	/** Of the manifest, in bytes. */
	readonly size: number
	/** Who pushed; absent for whoever showed no credentials. */
	readonly user?: string | undefined
	/** Address of the client. */
	readonly client: string
	/** How the client calls itself. */
	readonly userAgent?: string | undefined
	/** Milliseconds since 1970. */
	readonly time: number
}

export interface LogEntry {
	readonly level: 'info' | 'warning' | 'error'
	readonly message: string
}

export type Log = (entry: LogEntry) => void

/** What every endpoint works with. */
export interface RegistryContext {
	readonly storage: RegistryStorage
	readonly digestsInUse: (() => Promise<readonly InUse[]>) | undefined
	/** Tags that keep what they name. */
	readonly immutable: TagPattern | undefined
	readonly limits: RequestLimits
	readonly memory: BodyMemory
	readonly log: Log
}

export interface RequestLimits {
	/** Of one manifest, in bytes. */
	readonly manifestBytes: number
}
