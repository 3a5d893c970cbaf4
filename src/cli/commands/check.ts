import { buildCommand, type Command } from '@stricli/core'
import type { CliContext } from '../context.ts'
import { docs } from '../docs.ts'
import {
	choice,
	clusterFlags,
	commonAliases,
	commonFlags,
	filled,
	judgeFlags,
	path,
	registryFlags,
	text,
	toggle,
} from '../flags.ts'
import { commandFunction } from '../invocation.ts'
import type { CheckFlags } from '../run/check.ts'

export function checkCommand(): Command<CliContext> {
	return buildCommand<CheckFlags, [string], CliContext>({
		loader: async () => commandFunction((await import('../run/check.ts')).check),
		parameters: {
			flags: {
				validate: choice('Also check every object as an API server would; on by default'),
				kubernetesVersion: text(
					'Version of Kubernetes to check for; default: all that Argo CD runs on today',
					'VERSION',
				),
				schemas: path('Directory of CustomResourceDefinitions, besides those in the artifact', 'DIR'),
				cluster: clusterFlags.cluster,
				kubeconfig: clusterFlags.kubeconfig,
				server: toggle(
					'Let the API server of the cluster judge every object: a dry run that changes nothing',
				),
				namespace: text(
					'Namespace that --server puts objects without one in; default "default"',
					'NAMESPACE',
				),
				strict: toggle('A warning is a no, too'),
				format: text('text, json, sarif or junit; default text', 'FORMAT'),
				...judgeFlags,
				...registryFlags,
				...commonFlags,
			},
			aliases: commonAliases,
			positional: {
				kind: 'tuple',
				parameters: [
					{ placeholder: 'WHAT', brief: 'Directory, tar file, or reference of an artifact', parse: filled },
				],
			},
		},
		docs: docs(
			'Would Argo CD take it, and what would it deploy?',
			'Applies the rules of Argo CD to a directory, a tar file or any artifact in any registry, whoever pushed it, and checks every object as an API server would: fields, types, required fields, versions of the API that are gone, schemas of custom resources. Lists the resources that would be deployed, and all that would silently be left out.',
			[
				{ line: 'check manifests', brief: 'before a push' },
				{ line: 'check ghcr.io/acme/shop:v1.2.0', brief: 'what somebody else pushed' },
				{ line: 'check manifests --argocd-version 3.1.0', brief: 'for an older Argo CD' },
				{
					line: 'check manifests --kubernetes-version 1.34 --schemas crds',
					brief: 'for one cluster, offline',
				},
				{ line: 'check manifests --cluster context:prod --server', brief: 'by the cluster itself' },
				{ line: 'check manifests --strict --format sarif', brief: 'for a pipeline' },
			],
		),
	})
}
