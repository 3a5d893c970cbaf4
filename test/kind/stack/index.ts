export { restartEngine } from './engine.ts'
export type { Machine } from './machine.ts'
export { machine } from './machine.ts'
