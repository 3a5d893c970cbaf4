import type { Case } from './case.ts'
import { contentCases } from './contents.ts'
import { layerCases } from './layers.ts'
import { manifestCases } from './manifests.ts'
import { revisionCases } from './revisions.ts'

export type { Case } from './case.ts'
export { contentCases } from './contents.ts'
export { layerCases } from './layers.ts'
export { manifestCases } from './manifests.ts'
export { revisionCases } from './revisions.ts'

/** All cases, each with a name of its own. */
export const cases: readonly Case[] = [...manifestCases, ...layerCases, ...contentCases, ...revisionCases]
