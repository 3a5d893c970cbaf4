import { buildCommand, type Command } from '@stricli/core'
import type { CliContext } from '../context.ts'
import { docs } from '../docs.ts'
import { commonAliases, commonFlags, toggle } from '../flags.ts'
import { commandFunction } from '../invocation.ts'
import type { RegistryDownFlags } from '../run/registry.ts'

export function registryDownCommand(): Command<CliContext> {
	return buildCommand<RegistryDownFlags, [], CliContext>({
		loader: async () => commandFunction((await import('../run/registry.ts')).registryDown),
		parameters: {
			flags: {
				keepData: toggle('Stop it, but leave its artifacts'),
				...commonFlags,
			},
			aliases: commonAliases,
		},
		docs: docs(
			'Stop the local registry',
			'Stops the registry and removes its artifacts and its CA: with a container, its volume too.',
			[
				{ line: 'registry down', brief: 'with its artifacts' },
				{ line: 'registry down --keep-data', brief: 'only stop it' },
			],
		),
	})
}
