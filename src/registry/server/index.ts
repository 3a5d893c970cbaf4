export { lockDirectory, lockInTurn } from './directory-lock.ts'
export type { DirectoryLock } from './directory-lock.ts'
export { createStorage } from './open-storage.ts'
export type { CreateStorageOptions } from './open-storage.ts'
export { findControlDoor, rememberedImmutable } from './control.ts'
export { lookInto } from './look-into.ts'
export type { ControlDoor, PruneOrder } from './control.ts'
export { recordScrub } from './maintenance.ts'
export type { InUse, PruneItem, PruneReport, Reason, RepositoryPlan } from './pruning.ts'
export type { RetentionRule } from './retention.ts'
export type { DamagedContent, DamageIn, ScrubReport } from './scrub-report.ts'
export { checkGlob, parseTagPattern } from './tag-pattern.ts'
export { MAX_PUSHES } from './recent-pushes.ts'
export { createRegistry } from './registry.ts'
export type { RegistryOptions } from './registry.ts'
export { serveRegistry } from './serve.ts'
export { STOP_MS } from './stop-times.ts'
export type { RetentionOptions } from './upkeep.ts'
export type { RunningRegistry, ServeAuth, ServeLimits, ServeRegistryOptions } from './serve.ts'
export { createToken, listTokens, revokeTokens } from './access/token-file.ts'
export { isExpired } from './access/token.ts'
export type { NewToken, Right, StoredToken } from './access/token.ts'
export type { AccessOptions, Anonymous } from './access/access.ts'
export type { EventEndpoint } from './events/endpoint.ts'
export type { EventAction } from './events/registry-event.ts'
export { formatAccess } from './observe/exchange.ts'
export type { AccessEntry } from './observe/exchange.ts'
export { diskOf } from './observe/health.ts'
export type { Disk } from './observe/health.ts'
export type { LogEntry, PushEvent } from './context.ts'
export type {
	ByteRange,
	OpenedBlob,
	PutResult,
	RegistryStorage,
	StorageStatistics,
	StoredManifest,
	TagPage,
	Upload,
	UploadOptions,
	UploadRefusal,
	UploadResult,
} from './storage.ts'
