import { openCluster, readDeployments } from '../../flows/index.ts'
import { formatHistory } from '../../output/index.ts'
import type { ClusterFlags, RegistryFlags } from '../flags.ts'
import type { CommonFlags, Invocation } from '../invocation.ts'
import { accessOf, clusterOf, sessionOf } from '../session.ts'

export interface HistoryFlags extends CommonFlags, ClusterFlags, RegistryFlags {}

export async function history(invocation: Invocation, flags: HistoryFlags, name: string): Promise<void> {
	const { output } = invocation
	const session = sessionOf(invocation)
	const target = await openCluster(session, clusterOf(invocation, flags, await invocation.config()))
	const deployments = await readDeployments(session, target, {
		name,
		access: await accessOf(invocation, flags),
	})
	output.answer({ text: formatHistory(deployments, output.style), document: { name, history: deployments } })
}
