import { buildCommand, type Command } from '@stricli/core'
import type { CliContext } from '../context.ts'
import { docs } from '../docs.ts'
import { commonAliases, commonFlags, path } from '../flags.ts'
import { commandFunction } from '../invocation.ts'
import type { RegistryStatusFlags } from '../run/registry.ts'

export function registryStatusCommand(): Command<CliContext> {
	return buildCommand<RegistryStatusFlags, [], CliContext>({
		loader: async () => commandFunction((await import('../run/registry.ts')).registryStatus),
		parameters: {
			flags: {
				data: path('Directory of the registry; default that of this project', 'DIR'),
				...commonFlags,
			},
			aliases: commonAliases,
		},
		docs: docs(
			'Show the embedded registry',
			"Shows its address, its content, its last pushes and its CA. The project's registry has to run; with --data that of registry serve is shown, also while no server runs.",
			[
				{ line: 'registry status', brief: 'is it running?' },
				{ line: 'registry status --data /srv/registry', brief: 'that of registry serve' },
			],
		),
	})
}
