export { lockDirectory } from './directory-lock.ts'
export type { DirectoryLock } from './directory-lock.ts'
export { createStorage } from './file-storage.ts'
export type { CreateStorageOptions } from './file-storage.ts'
export { createRegistry } from './registry.ts'
export type { RegistryOptions } from './registry.ts'
export { serveRegistry } from './serve.ts'
export type { RunningRegistry, ServeRegistryOptions } from './serve.ts'
export type { LogEntry, PushEvent } from './context.ts'
export type { HtpasswdOptions } from './htpasswd.ts'
export type {
	ByteRange,
	OpenedBlob,
	RegistryStorage,
	StorageStatistics,
	StoredManifest,
	TagPage,
	Upload,
	UploadOptions,
	UploadRefusal,
	UploadResult,
} from './storage.ts'
