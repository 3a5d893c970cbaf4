export { createMemoryStore } from './memory-store.ts'
export type { ByteStream, ContentSource, ContentStore, ReadableStore, StoreOptions } from './store.ts'
export { bytesSource, MAX_DOCUMENT_BYTES, readVerified, verified } from './verify.ts'
