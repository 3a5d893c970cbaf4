import { buildCommand, type Command } from '@stricli/core'
import type { CliContext } from '../context.ts'
import { docs } from '../docs.ts'
import { commonAliases, commonFlags, registryFlags, toggle } from '../flags.ts'
import { commandFunction } from '../invocation.ts'
import type { PullFlags } from '../run/pull.ts'

export function pullCommand(): Command<CliContext> {
	return buildCommand<PullFlags, [string, string], CliContext>({
		loader: async () => commandFunction((await import('../run/pull.ts')).pull),
		parameters: {
			flags: {
				force: toggle('Replace a directory that is not empty'),
				...registryFlags,
				...commonFlags,
			},
			aliases: commonAliases,
			positional: {
				kind: 'tuple',
				parameters: [
					{ placeholder: 'REFERENCE', brief: '[registry/]repository[:tag][@digest]', parse: String },
					{
						placeholder: 'DIR',
						brief: 'Directory to write, which must not exist or be empty',
						parse: String,
					},
				],
			},
		},
		docs: docs(
			'Fetch an artifact into a directory',
			'Verifies every byte and writes the directory whole or not at all.',
			[{ line: 'pull shop:v1.2.0 ./shop', brief: 'from the local registry' }],
		),
	})
}
