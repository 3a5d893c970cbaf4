import { openCluster, syncApplication } from '../../flows/index.ts'
import type { ClusterFlags, RegistryFlags } from '../flags.ts'
import type { CommonFlags, Invocation } from '../invocation.ts'
import { accessOf, clusterOf, sessionOf } from '../session.ts'

export interface SyncFlags extends CommonFlags, ClusterFlags, RegistryFlags {
	readonly timeout?: number
	readonly prune?: boolean
}

export async function sync(
	invocation: Invocation,
	flags: SyncFlags,
	name: string,
	revision: string | undefined,
): Promise<void> {
	const { output, workspace, signal } = invocation
	const session = sessionOf(invocation)
	const target = await openCluster(session, clusterOf(invocation, flags, await invocation.config()))
	const access = await accessOf(invocation, flags)
	const result = await workspace.exclusive(
		async () =>
			await syncApplication(session, target, {
				name,
				revision,
				access,
				prune: flags.prune,
				timeoutMs: flags.timeout,
			}),
		{ signal },
	)
	const { sync: done } = result
	output.answer({
		text: `${name} is ${done.sync} and ${done.health} at ${result.targetRevision} (${done.revision ?? 'no digest'})`,
		document: { sync: result },
	})
}
