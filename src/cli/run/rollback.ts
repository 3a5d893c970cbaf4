import { openCluster, planRollback, rollbackApplication } from '../../flows/index.ts'
import { formatYaml } from '../../output/index.ts'
import type { ClusterFlags, RegistryFlags } from '../flags.ts'
import type { CommonFlags, Invocation } from '../invocation.ts'
import { accessOf, clusterOf, sessionOf } from '../session.ts'

export interface RollbackFlags extends CommonFlags, ClusterFlags, RegistryFlags {
	readonly to?: string
	readonly print?: boolean
	readonly timeout?: number
	readonly prune?: boolean
}

export async function rollback(invocation: Invocation, flags: RollbackFlags, name: string): Promise<void> {
	const { output, workspace, signal } = invocation
	const session = sessionOf(invocation)
	const target = await openCluster(session, clusterOf(invocation, flags, await invocation.config()))
	const options = {
		name,
		to: flags.to,
		prune: flags.prune,
		timeoutMs: flags.timeout,
		access: await accessOf(invocation, flags),
	}
	if (flags.print) {
		const { namespace, targetRevision } = await planRollback(session, target, options)
		const object = {
			apiVersion: 'argoproj.io/v1alpha1',
			kind: 'Application',
			metadata: { name, namespace },
			spec: { source: { targetRevision } },
		}
		output.answer({ text: formatYaml([object]), document: { objects: [object] } })
		return
	}
	const result = await workspace.exclusive(async () => await rollbackApplication(session, target, options), {
		signal,
	})
	const state = result.sync === undefined ? 'unchanged' : `${result.sync.sync} and ${result.sync.health}`
	const revision = result.sync === undefined ? result.from : result.targetRevision
	output.answer({
		text: `${name} is ${state} at ${revision} (${result.digest}), deployment ${result.id} of ${result.deployedAt}`,
		document: { rollback: result },
	})
}
