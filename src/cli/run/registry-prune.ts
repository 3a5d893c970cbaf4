import { resolve } from 'node:path'
import { UserError } from '../../errors/index.ts'
import { pruneRegistry, type RetentionRule } from '../../flows/index.ts'
import { formatPrune } from '../../output/index.ts'
import { checkGlob } from '../../registry/server/index.ts'
import type { ClusterFlags } from '../flags.ts'
import type { CommonFlags, Invocation } from '../invocation.ts'
import { clusterOf, sessionOf } from '../session.ts'

export interface RegistryPruneFlags extends CommonFlags, ClusterFlags {
	readonly keep?: number
	readonly olderThan?: number
	readonly repository?: string
	readonly tag?: string
	readonly untagged?: boolean
	readonly includeImmutable?: boolean
	readonly grace?: number
	readonly dryRun?: boolean
	readonly ignoreCluster?: boolean
	readonly data?: string
}

export async function registryPrune(invocation: Invocation, flags: RegistryPruneFlags): Promise<void> {
	const { output, cwd } = invocation
	const report = await pruneRegistry(sessionOf(invocation), {
		rules: rulesOf(flags),
		dataDirectory: flags.data === undefined ? undefined : resolve(cwd, flags.data),
		graceMs: flags.grace,
		dryRun: flags.dryRun,
		cluster: clusterOf(invocation, flags, await invocation.config()),
		ignoreCluster: flags.ignoreCluster,
	})
	output.answer({ text: formatPrune(report, output.style), document: { prune: report } })
}

/** @throws UserError `USAGE` */
function rulesOf(flags: RegistryPruneFlags): readonly RetentionRule[] {
	const { keep, olderThan: olderThanMs, repository, tag, untagged, includeImmutable } = flags
	for (const glob of [repository, tag]) if (glob !== undefined) checkGlob(glob)
	if (keep === undefined && olderThanMs === undefined && tag === undefined && untagged !== true) {
		if (repository === undefined && includeImmutable !== true) return []
		throw new UserError('USAGE', 'nothing says what is to go', {
			hint: 'Add --keep N, --older-than 30d, --tag GLOB or --untagged; see lading registry prune --help.',
		})
	}
	return [{ keep, olderThanMs, repository, tag, untagged, includeImmutable }]
}
