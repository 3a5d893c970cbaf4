import { buildCommand, type Command } from '@stricli/core'
import type { CliContext } from '../context.ts'
import { docs } from '../docs.ts'
import { commonAliases, commonFlags, port } from '../flags.ts'
import { commandFunction } from '../invocation.ts'
import type { ClusterUpFlags } from '../run/cluster.ts'

export const clusterUpCommand: Command<CliContext> = buildCommand<ClusterUpFlags, [], CliContext>({
	loader: async () => commandFunction((await import('../run/cluster.ts')).clusterUp),
	parameters: {
		flags: {
			port: port('Port of the Kubernetes API; default: a free one'),
			...commonFlags,
		},
		aliases: commonAliases,
	},
	docs: docs(
		'Start the sandbox cluster',
		'Starts the sandbox, a stand-in for Kubernetes with Argo CD, in the background. No container runs in it.',
		[{ line: 'cluster up', brief: 'then: kubectl --kubeconfig .lading/kubeconfig get ns' }],
	),
})
