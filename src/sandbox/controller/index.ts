export { ignoredPaths, parseIgnoreRules, without } from './ignore-differences.ts'
export { runController } from './run-controller.ts'
export type { RunControllerOptions } from './run-controller.ts'
