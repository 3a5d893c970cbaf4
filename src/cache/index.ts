export { openSealedFiles } from './sealed-files.ts'
export type { SealedFiles, SealedFilesOptions } from './sealed-files.ts'
