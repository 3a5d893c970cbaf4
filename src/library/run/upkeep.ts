import {
	type ClusterChoice,
	pruneRegistry,
	type PruneReport,
	type RetentionRule,
	type ScrubReport,
	scrubRegistry,
} from '../../flows/index.ts'
import { inProject, type ProjectOptions } from '../project.ts'
import type { RegistryDataOptions } from './registry-server.ts'

export interface RegistryPruneOptions extends ProjectOptions, ClusterChoice {
	/** What is to go. Empty: only what nothing refers to. */
	readonly rules?: readonly RetentionRule[] | undefined
	/** Default: that of the project's local registry. */
	readonly dataDirectory?: string | undefined
	/** What was pushed, asked for or named by a tag within this time stays, in milliseconds. Default one hour. */
	readonly graceMs?: number | undefined
	/** Only say what would go. Default false. */
	readonly dryRun?: boolean | undefined
	/** What Applications name does not count. Default false. */
	readonly ignoreCluster?: boolean | undefined
}

export async function registryPrune(options: RegistryPruneOptions = {}): Promise<PruneReport> {
	return await inProject(options, async (project) => {
		const { rules = [], dataDirectory, graceMs, dryRun, ignoreCluster } = options
		return await pruneRegistry(project.session, {
			rules,
			dataDirectory: dataDirectory === undefined ? undefined : project.at(dataDirectory),
			graceMs,
			dryRun,
			ignoreCluster,
			cluster: project.cluster(options),
		})
	})
}

export async function registryScrub(options: RegistryDataOptions = {}): Promise<ScrubReport> {
	return await inProject(options, async ({ session, at }) => {
		const { dataDirectory } = options
		return await scrubRegistry(session, {
			dataDirectory: dataDirectory === undefined ? undefined : at(dataDirectory),
		})
	})
}
