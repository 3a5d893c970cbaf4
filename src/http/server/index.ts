export type { Handler, ServerRequest, ServerResponse } from './handler.ts'
