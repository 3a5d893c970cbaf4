import { buildCommand, type Command } from '@stricli/core'
import type { CliContext } from '../context.ts'
import { docs } from '../docs.ts'
import {
	choice,
	clusterFlags,
	commonAliases,
	commonFlags,
	duration,
	registryFlags,
	text,
	toggle,
} from '../flags.ts'
import { commandFunction } from '../invocation.ts'
import type { DeployFlags } from '../run/deploy.ts'

export const deployCommand: Command<CliContext> = buildCommand<DeployFlags, [string, string], CliContext>({
	loader: async () => commandFunction((await import('../run/deploy.ts')).deploy),
	parameters: {
		flags: {
			...commonFlags,
			...registryFlags,
			...clusterFlags,
			clusterRegistry: text('Name of the registry as the cluster reaches it', 'REGISTRY'),
			pin: toggle('Pin the digest besides the tag'),
			print: toggle('Print the objects as YAML and touch no cluster'),
			wait: choice('Wait until it is Synced and Healthy; on by default'),
			timeout: duration('How long to wait; default 5m'),

			namespace: text('Namespace to deploy to; default NAME', 'NAMESPACE'),
			path: text('Path inside the artifact; default "."', 'PATH'),
			recurse: toggle('Also deploy what stands in subdirectories'),
			project: text('Argo CD project; default "default"', 'PROJECT'),
			manual: toggle('Do not synchronise automatically'),
			prune: choice('Delete from the cluster what is no longer in the artifact; on by default'),
			serverSide: toggle('Apply on the server side: needed for very large objects'),
		},
		aliases: commonAliases,
		positional: {
			kind: 'tuple',
			parameters: [
				{ placeholder: 'NAME', brief: 'Name of the Application', parse: String },
				{ placeholder: 'REFERENCE', brief: '[registry/]repository[:tag][@digest]', parse: String },
			],
		},
	},
	docs: docs(
		'Create or change an Application for an artifact',
		'Applies the repository Secret and the Application and waits until the artifact is Synced and Healthy. The reference may name a tag, a moving tag such as latest, a digest, tag@digest, or a range of versions by --revision of sync.',
		[
			{ line: 'deploy shop shop:v1.2.0', brief: 'a tag' },
			{ line: 'deploy shop shop:v1.2.0@sha256:…', brief: 'a tag for people, a digest for Argo CD' },
			{ line: 'deploy shop ghcr.io/acme/shop:v1.2.0 --print', brief: 'only the YAML' },
		],
	),
})
