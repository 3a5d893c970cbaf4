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
import type { DevFlags } from '../run/dev.ts'

const { clusterRegistry, namespace, path, recurse, project, prune, serverSide, timeout } = applicationFlags

export function devCommand(): Command<CliContext> {
	return buildCommand<DevFlags, [string?, string?], CliContext>({
		loader: async () => commandFunction((await import('../run/dev.ts')).dev),
		parameters: {
			flags: {
				registry: text('embedded, docker, or a registry; default: embedded, with kind docker', 'REGISTRY'),
				name: text('Name of the Application', 'NAME'),
				port: port('Port of the local registry; default 5000, or a free one'),
				image: text('Image of the registry’s container; default registry:3', 'IMAGE'),
				force: toggle(
					'Move an Application that follows something else, in a cluster that is not this project’s',
				),
				clusterRegistry,
				namespace,
				path,
				recurse,
				project,
				prune,
				serverSide,
				timeout,
				...clusterFlags,
				...kindFlags,
				...registryFlags,
				...commonFlags,
				json: toggle('A line of JSON for everything that happens'),
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
					{
						placeholder: 'REFERENCE',
						brief: '[registry/]repository[:tag] that every save moves; default NAME:dev',
						parse: filled,
						optional: true,
					},
				],
			},
		},
		docs: docs(
			'Run what is saved in a directory, at every save',
			'Brings up the registry and the cluster where they are not running, and then at every save packs, checks and pushes to a tag that moves, has Argo CD deploy it, and shows what changed, how long it took until Synced and Healthy, and what is not healthy and why. What cannot be deployed is shown and not pushed. Ctrl-C ends it; what runs stays.',
			[
				{ line: 'dev', brief: 'as lading.yaml says' },
				{ line: 'dev manifests --name shop', brief: 'without a lading.yaml' },
				{
					line: 'dev manifests ghcr.io/acme/shop:dev-anna --name shop-anna --cluster context:staging',
					brief: 'in a real cluster',
				},
				{ line: 'dev manifests --json', brief: 'a line of JSON for everything that happens' },
			],
		),
	})
}
