import { UserError } from '../errors/index.ts'
import type { InUse, PruneReport, RetentionRule, ScrubReport } from '../registry/server/index.ts'
import type { ClusterChoice } from './clusters.ts'
import { collectInUse } from './in-use.ts'
import { withRegistryDirectory } from './registry-directory.ts'
import type { Session } from './session.ts'

export interface PruneRegistryOptions {
	readonly rules: readonly RetentionRule[]
	/** Default: the local registry of this project. */
	readonly dataDirectory?: string | undefined
	/** What was pushed, asked for or named by a tag within this time stays, in milliseconds; default one hour. */
	readonly graceMs?: number | undefined
	readonly dryRun?: boolean | undefined
	readonly cluster: ClusterChoice
	/** What Applications name does not count. */
	readonly ignoreCluster?: boolean | undefined
}

/**
 * Removes from the embedded registry what the rules let go, unless an Application still names it, and what
 * nothing refers to.
 * @throws RemoteError `CLUSTER_UNREACHABLE` where what is in use is not known: then nothing is removed
 */
export async function pruneRegistry(session: Session, options: PruneRegistryOptions): Promise<PruneReport> {
	const dataDirectory = directoryOf(session, options.dataDirectory)
	const readOnly = options.dryRun === true
	const onWarning = (message: string): void => session.progress.warn(message)
	return await withRegistryDirectory(session, { dataDirectory, readOnly, onWarning }, async (registry) => {
		const inUse = await inUseFor(session, options, registry.tags)
		const step = session.progress.step('prune')
		const { rules, graceMs, dryRun } = options
		const report = await registry.prune({ rules, inUse, graceMs, dryRun }, ({ done, of }) =>
			step.update(`${done} of ${of} repositories`),
		)
		step.done(registry.running ? 'by the server that runs' : 'in its directory: no server runs')
		return report
	})
}

async function inUseFor(
	session: Session,
	{ rules, cluster, ignoreCluster }: PruneRegistryOptions,
	listTags: (repository: string) => Promise<readonly string[]>,
): Promise<readonly InUse[]> {
	if (ignoreCluster === true) {
		session.progress.warn('what Applications deploy, or may roll back to, is not looked at')
		return []
	}
	const { inUse, clusters } = await collectInUse(session, { choice: cluster, listTags })
	if (clusters.length === 0 && rules.length > 0)
		session.progress.warn(
			'no cluster is known here, so that no Application keeps anything',
			'Where one deploys from this registry, name it with --cluster.',
		)
	return inUse
}

/** Reads all content of the embedded registry and checks it. */
export async function scrubRegistry(
	session: Session,
	options: { readonly dataDirectory?: string | undefined },
): Promise<ScrubReport> {
	const dataDirectory = directoryOf(session, options.dataDirectory)
	return await withRegistryDirectory(session, { dataDirectory }, async (registry) => {
		const step = session.progress.step('scrub')
		const report = await registry.scrub(({ done, of }) => step.update(`${done} of ${of}`))
		if (report.damaged.length > 0) step.fail()
		else step.done()
		return report
	})
}

/** @throws UserError `USAGE` where the project's registry is not ours to look into */
function directoryOf({ workspace }: Session, dataDirectory: string | undefined): string {
	if (dataDirectory !== undefined) return dataDirectory
	if (workspace.state().registry?.kind !== 'docker') return workspace.paths.registry
	throw new UserError('USAGE', 'the registry of this project is a container of another make', {
		hint: 'This works on the embedded registry: name its directory with --data DIR.',
	})
}
