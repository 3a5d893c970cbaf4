import { buildCommand, type Command } from '@stricli/core'
import type { CliContext } from '../context.ts'
import { docs } from '../docs.ts'
import {
	applicationFlags,
	clusterFlags,
	commonAliases,
	commonFlags,
	filled,
	kindFlags,
	port,
	registryFlags,
	text,
	toggle,
} from '../flags.ts'
import { commandFunction } from '../invocation.ts'
import type { UpFlags } from '../run/up.ts'

export function upCommand(): Command<CliContext> {
	return buildCommand<UpFlags, [string?], CliContext>({
		loader: async () => commandFunction((await import('../run/up.ts')).up),
		parameters: {
			flags: {
				registry: text('embedded, docker, or a registry; default: embedded, with kind docker', 'REGISTRY'),
				name: text('Name of the Application', 'NAME'),
				tag: text('Tag to push; default: of lading.yaml, else latest', 'TAG'),
				port: port('Port of the local registry; default 5000, or a free one'),
				image: text('Image of the registry’s container; default registry:3', 'IMAGE'),
				force: toggle('Move a version tag that has other content'),
				git: toggle('Annotate with revision, time and source of the git commit'),
				...applicationFlags,
				...clusterFlags,
				...kindFlags,
				...registryFlags,
				...commonFlags,
			},
			aliases: commonAliases,
			positional: {
				kind: 'tuple',
				parameters: [
					{
						placeholder: 'DIR',
						brief: 'Directory of the manifests; default: of lading.yaml',
						parse: filled,
						optional: true,
					},
				],
			},
		},
		docs: docs(
			'Bring a directory of manifests to a running application',
			'Starts the registry and the cluster where they are not running, makes Argo CD trust the registry, packs, checks and pushes the directory, creates the Application and waits until it is Synced and Healthy. Run again, it changes only what is missing.',
			[
				{ line: 'up', brief: 'as lading.yaml says' },
				{ line: 'up manifests --name shop', brief: 'without a lading.yaml' },
				{ line: 'up --cluster kind', brief: 'a kind cluster with Argo CD, and a registry in a container' },
				{
					line: 'up --cluster context:prod --registry ghcr.io/acme',
					brief: 'with a real cluster and registry',
				},
			],
		),
	})
}
