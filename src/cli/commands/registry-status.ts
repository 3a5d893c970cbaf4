import { buildCommand, type Command } from '@stricli/core'
import type { CliContext } from '../context.ts'
import { docs } from '../docs.ts'
import { commonAliases, commonFlags } from '../flags.ts'
import { commandFunction } from '../invocation.ts'
import type { RegistryStatusFlags } from '../run/registry.ts'

export function registryStatusCommand(): Command<CliContext> {
	return buildCommand<RegistryStatusFlags, [], CliContext>({
		loader: async () => commandFunction((await import('../run/registry.ts')).registryStatus),
		parameters: {
			flags: {
				...commonFlags,
			},
			aliases: commonAliases,
		},
		docs: docs('Show the embedded registry', 'Shows its address, its content and its CA.', [
			{ line: 'registry status', brief: 'is it running?' },
		]),
	})
}
