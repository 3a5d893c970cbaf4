export { LadingError, RemoteError, UserError } from './errors/index.ts'
export type { ErrorCode, ErrorKind } from './errors/index.ts'
