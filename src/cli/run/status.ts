import { openCluster, readApplications } from '../../flows/index.ts'
import { formatStatus } from '../../output/index.ts'
import { exitCodes } from '../exit-codes.ts'
import type { ClusterFlags } from '../flags.ts'
import type { CommonFlags, Invocation } from '../invocation.ts'
import { clusterOf, sessionOf } from '../session.ts'

export interface StatusFlags extends CommonFlags, ClusterFlags {
	readonly exitCode?: boolean
}

export async function status(
	invocation: Invocation,
	flags: StatusFlags,
	name: string | undefined,
): Promise<number> {
	const { output } = invocation
	const session = sessionOf(invocation)
	const target = await openCluster(session, clusterOf(invocation, flags, await invocation.config()))
	const states = await readApplications(session, target, name === undefined ? [] : [name])
	output.answer({
		text: formatStatus(states, { style: output.style, cluster: target.name }),
		document: { cluster: target.name, sandbox: target.name === 'sandbox', applications: states },
	})
	const good = states.every(({ sync, health, stale }) => sync === 'Synced' && health === 'Healthy' && !stale)
	return flags.exitCode && !good ? exitCodes.no : 0
}
