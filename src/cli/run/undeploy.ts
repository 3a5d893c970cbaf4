import { openCluster, undeploy as undeployFlow } from '../../flows/index.ts'
import type { ClusterFlags } from '../flags.ts'
import type { CommonFlags, Invocation } from '../invocation.ts'
import { clusterOf, sessionOf } from '../session.ts'

export interface UndeployFlags extends CommonFlags, ClusterFlags {
	readonly keepResources?: boolean
	readonly timeout?: number
}

export async function undeploy(invocation: Invocation, flags: UndeployFlags, name: string): Promise<void> {
	const { output, workspace, signal } = invocation
	const session = sessionOf(invocation)
	const target = await openCluster(session, clusterOf(invocation, flags, await invocation.config()))
	const step = output.progress.step('application')
	await workspace.exclusive(
		async () =>
			await undeployFlow(session, target, {
				name,
				keepResources: flags.keepResources,
				timeoutMs: flags.timeout,
			}),
		{ signal },
	)
	step.done(`${name} removed${flags.keepResources ? '; what it deployed stays' : ', with all it deployed'}`)
	output.answer({ text: '', document: { undeploy: { name, keptResources: flags.keepResources } } })
}
