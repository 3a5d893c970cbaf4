import { buildCommand, type Command } from '@stricli/core'
import type { CliContext } from '../context.ts'
import { docs } from '../docs.ts'
import { commonAliases, commonFlags, port } from '../flags.ts'
import { commandFunction } from '../invocation.ts'
import type { RegistryUpFlags } from '../run/registry.ts'

export const registryUpCommand: Command<CliContext> = buildCommand<RegistryUpFlags, [], CliContext>({
	loader: async () => commandFunction((await import('../run/registry.ts')).registryUp),
	parameters: {
		flags: {
			port: port('Port to listen on; default 5000, or a free one'),
			...commonFlags,
		},
		aliases: commonAliases,
	},
	docs: docs(
		'Start the embedded registry',
		'Starts the registry with TLS in the background, with a CA and a certificate of its own. Its content is kept under .lading/registry.',
		[
			{ line: 'registry up', brief: 'on port 5000, or a free one' },
			{ line: 'registry up --port 5443', brief: 'on a port of your choice' },
		],
	),
})
