import { buildCommand, type Command } from '@stricli/core'
import type { CliContext } from '../context.ts'
import { docs } from '../docs.ts'
import { clusterFlags, commonAliases, commonFlags, duration, kindFlags, port, text } from '../flags.ts'
import { commandFunction } from '../invocation.ts'
import type { ClusterUpFlags } from '../run/cluster.ts'

export function clusterUpCommand(): Command<CliContext> {
	return buildCommand<ClusterUpFlags, [], CliContext>({
		loader: async () => commandFunction((await import('../run/cluster.ts')).clusterUp),
		parameters: {
			flags: {
				cluster: text('sandbox, kind or kind:NAME; default: of lading.yaml, else sandbox', 'CLUSTER'),
				argocdNamespace: clusterFlags.argocdNamespace,
				port: port('Port of the sandbox’s Kubernetes API; default: a free one'),
				timeout: duration('How long to wait for the Argo CD of a kind cluster; default 10m'),
				...kindFlags,
				...commonFlags,
			},
			aliases: commonAliases,
		},
		docs: docs(
			'Start the local cluster with Argo CD',
			'Starts the sandbox, a stand-in in which no container runs, or makes a kind cluster, installs Argo CD in it and waits until it is ready. The kubeconfig is .lading/kubeconfig; ~/.kube/config is never touched. A kind cluster that is there already is used as it is.',
			[
				{ line: 'cluster up', brief: 'then: kubectl --kubeconfig .lading/kubeconfig get ns' },
				{ line: 'cluster up --cluster kind', brief: 'containers: needs Docker and kind' },
				{ line: 'cluster up --cluster kind:shop --kubernetes 1.37.0', brief: 'of a name and a version' },
				{
					line: 'cluster up --cluster kind --argocd-manifest install.yaml',
					brief: 'without internet',
				},
			],
		),
	})
}
