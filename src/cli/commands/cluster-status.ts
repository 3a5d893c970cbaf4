import { buildCommand, type Command } from '@stricli/core'
import type { CliContext } from '../context.ts'
import { docs } from '../docs.ts'
import { commonAliases, commonFlags, text } from '../flags.ts'
import { commandFunction } from '../invocation.ts'
import type { ClusterStatusFlags } from '../run/cluster.ts'

export function clusterStatusCommand(): Command<CliContext> {
	return buildCommand<ClusterStatusFlags, [], CliContext>({
		loader: async () => commandFunction((await import('../run/cluster.ts')).clusterStatus),
		parameters: {
			flags: {
				cluster: text('sandbox, kind or kind:NAME; default: that of this project', 'CLUSTER'),
				...commonFlags,
			},
			aliases: commonAliases,
		},
		docs: docs('Show the local cluster', 'Shows its address and what runs in it.', [
			{ line: 'cluster status', brief: 'is it running?' },
		]),
	})
}
