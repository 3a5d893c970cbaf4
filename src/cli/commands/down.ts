import { buildCommand, type Command } from '@stricli/core'
import type { CliContext } from '../context.ts'
import { docs } from '../docs.ts'
import { commonAliases, commonFlags, toggle } from '../flags.ts'
import { commandFunction } from '../invocation.ts'
import type { DownFlags } from '../run/down.ts'

export function downCommand(): Command<CliContext> {
	return buildCommand<DownFlags, [], CliContext>({
		loader: async () => commandFunction((await import('../run/down.ts')).down),
		parameters: {
			flags: {
				keepRegistry: toggle('Leave the registry and its artifacts'),
				force: toggle('Also without a readable state file'),
				...commonFlags,
			},
			aliases: commonAliases,
		},
		docs: docs(
			'Remove what up made',
			'Removes the Applications that lading made, the sandbox or the kind cluster, and the registry with its artifacts. A kind cluster or a container that was there before is never removed.',
			[
				{ line: 'down', brief: 'remove everything' },
				{ line: 'down --keep-registry', brief: 'the artifacts stay' },
			],
		),
	})
}
