export { createLimiter } from './concurrency.ts'
export type { Limiter } from './concurrency.ts'
export { copy, copyAll } from './copy.ts'
export type { CopyAllOptions, CopyAllResult, CopyCount, CopyOptions, CopyResult, CopyRoot } from './copy.ts'
export type { ContentEvent, CopySettings } from './copy-node.ts'
export { createDryRun } from './dry-run.ts'
export { MAX_INDEX_BYTES, parseLayoutIndex } from './layout-index.ts'
export type { LayoutEntry, LayoutIndex } from './layout-index.ts'
export { createLayoutReader } from './layout-reader.ts'
export type { LayoutReader } from './layout-reader.ts'
export { createLayoutStore } from './layout-store.ts'
export type { LayoutStore, LayoutStoreOptions } from './layout-store.ts'
export { createMemoryStore } from './memory-store.ts'
export { createSourceStore } from './source-store.ts'
export { readTextFile } from './read-text.ts'
export { onSide } from './sides.ts'
export type { Side } from './sides.ts'
export type {
	ByteStream,
	ContentSource,
	ContentStore,
	ReadableStore,
	StoreOptions,
	UnnamedContent,
} from './store.ts'
export { referrerTo, subjectOf } from './subject.ts'
export { bytesSource, MAX_DOCUMENT_BYTES, readVerified, verified } from './verify.ts'
