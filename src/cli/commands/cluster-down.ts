import { buildCommand, type Command } from '@stricli/core'
import type { CliContext } from '../context.ts'
import { docs } from '../docs.ts'
import { commonAliases, commonFlags, text } from '../flags.ts'
import { commandFunction } from '../invocation.ts'
import type { ClusterDownFlags } from '../run/cluster.ts'

export function clusterDownCommand(): Command<CliContext> {
	return buildCommand<ClusterDownFlags, [], CliContext>({
		loader: async () => commandFunction((await import('../run/cluster.ts')).clusterDown),
		parameters: {
			flags: {
				cluster: text('sandbox, kind or kind:NAME; default: that of this project', 'CLUSTER'),
				...commonFlags,
			},
			aliases: commonAliases,
		},
		docs: docs(
			'Remove the local cluster',
			'Stops the sandbox and removes its objects, or removes the kind cluster that lading made, with the kubeconfig. A kind cluster that was there before is only forgotten.',
			[{ line: 'cluster down', brief: 'with all objects' }],
		),
	})
}
