import { buildCommand, type Command } from '@stricli/core'
import type { CliContext } from '../context.ts'
import { docs } from '../docs.ts'
import { commonAliases, commonFlags, list, port, text } from '../flags.ts'
import { commandFunction } from '../invocation.ts'
import type { RegistryUpFlags } from '../run/registry.ts'

export function registryUpCommand(): Command<CliContext> {
	return buildCommand<RegistryUpFlags, [], CliContext>({
		loader: async () => commandFunction((await import('../run/registry.ts')).registryUp),
		parameters: {
			flags: {
				registry: text(
					'embedded, or docker for a container; default: what is there, else embedded',
					'REGISTRY',
				),
				image: text('Image of the container; default registry:3', 'IMAGE'),
				port: port('Port to listen on; default 5000, or a free one'),
				immutable: list(
					'Tags that an embedded one keeps as they are: v*, semver, or REPOSITORY:TAG with globs',
					'PATTERN',
				),
				...commonFlags,
			},
			aliases: commonAliases,
		},
		docs: docs(
			'Start the local registry',
			'Starts the registry with TLS, with a CA and a certificate of its own: embedded, in the background, its content under .lading/registry; or in a container, its content in a volume, where a kind cluster reaches it.',
			[
				{ line: 'registry up', brief: 'on port 5000, or a free one' },
				{ line: 'registry up --port 5443', brief: 'on a port of your choice' },
				{ line: 'registry up --registry docker', brief: 'in a container, as kind-registry' },
			],
		),
	})
}
