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
	list,
	registryFlags,
	text,
	toggle,
} from '../flags.ts'
import { commandFunction } from '../invocation.ts'
import type { PushFlags } from '../run/push.ts'

export function pushCommand(): Command<CliContext> {
	return buildCommand<PushFlags, [string, string], CliContext>({
		loader: async () => commandFunction((await import('../run/push.ts')).push),
		parameters: {
			flags: {
				tag: list('A further tag; may be given more than once', 'TAG'),
				force: toggle('Move a version tag that has other content'),
				check: choice('Check as Argo CD would; on by default'),
				git: toggle('Annotate with revision, time and source of the git commit'),
				annotation: list('Annotation of the artifact', 'KEY=VALUE'),
				compress: text('none or gzip; default none', 'HOW'),
				refresh: choice(
					'Refresh the Applications that follow what is pushed; on by default where a cluster is known',
				),
				pin: toggle('Print the tag too: registry/repository:tag@sha256:…'),
				...judgeFlags,
				...clusterFlags,
				...registryFlags,
				...commonFlags,
			},
			aliases: commonAliases,
			positional: {
				kind: 'tuple',
				parameters: [
					{ placeholder: 'DIR', brief: 'Directory of the manifests', parse: filled },
					{ placeholder: 'REFERENCE', brief: '[registry/]repository[:tag][@digest]', parse: filled },
				],
			},
		},
		docs: docs(
			'Pack, check and push a directory',
			'Packs the directory into one deterministic layer, refuses what Argo CD would refuse, pushes it and refreshes the Applications that follow it. The answer is one line: registry/repository@sha256:…',
			[
				{ line: 'push manifests shop:v1.2.0', brief: 'to the running local registry' },
				{
					line: 'push manifests ghcr.io/acme/shop:v1.2.0 --tag latest',
					brief: 'to any registry, with two tags',
				},
				{ line: 'push . shop:v1.2.0 --git', brief: 'with the commit it was made from' },
			],
		),
	})
}
