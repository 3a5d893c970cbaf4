import { buildCommand, type Command } from '@stricli/core'
import type { CliContext } from '../context.ts'
import { docs } from '../docs.ts'
import { commonAliases, commonFlags, path, port, text } from '../flags.ts'
import { commandFunction } from '../invocation.ts'
import type { ClusterServeFlags } from '../run/cluster-serve.ts'

export function clusterServeCommand(): Command<CliContext> {
	return buildCommand<ClusterServeFlags, [], CliContext>({
		loader: async () => commandFunction((await import('../run/cluster-serve.ts')).clusterServe),
		parameters: {
			flags: {
				port: port('Port of the Kubernetes API; default: a free one'),
				data: path('Directory of the objects', 'DIR'),
				kubeconfig: path('Where to write the kubeconfig; default DIR/kubeconfig', 'FILE'),
				instance: { ...text('Name of this run', 'ID'), hidden: true },
				...commonFlags,
			},
			aliases: commonAliases,
		},
		docs: docs(
			'Serve the sandbox cluster in the foreground',
			'Runs until it is interrupted. The kubeconfig is at DIR/kubeconfig.',
			[{ line: 'cluster serve --data ./sandbox', brief: 'for a pipeline' }],
		),
	})
}
