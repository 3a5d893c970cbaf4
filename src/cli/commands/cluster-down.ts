import { buildCommand, type Command } from '@stricli/core'
import type { CliContext } from '../context.ts'
import { docs } from '../docs.ts'
import { commonAliases, commonFlags } from '../flags.ts'
import { commandFunction } from '../invocation.ts'
import type { ClusterDownFlags } from '../run/cluster.ts'

export const clusterDownCommand: Command<CliContext> = buildCommand<ClusterDownFlags, [], CliContext>({
	loader: async () => commandFunction((await import('../run/cluster.ts')).clusterDown),
	parameters: {
		flags: {
			...commonFlags,
		},
		aliases: commonAliases,
	},
	docs: docs('Stop the sandbox cluster', 'Stops the sandbox and removes its objects and the kubeconfig.', [
		{ line: 'cluster down', brief: 'with all objects' },
	]),
})
