import { buildCommand, type Command } from '@stricli/core'
import type { CliContext } from '../context.ts'
import { docs } from '../docs.ts'
import { clusterFlags, commonAliases, commonFlags, filled, toggle } from '../flags.ts'
import { commandFunction } from '../invocation.ts'
import type { StatusFlags } from '../run/status.ts'

export function statusCommand(): Command<CliContext> {
	return buildCommand<StatusFlags, [string?], CliContext>({
		loader: async () => commandFunction((await import('../run/status.ts')).status),
		parameters: {
			flags: {
				exitCode: toggle('Exit with 1 unless everything is Synced and Healthy'),
				...clusterFlags,
				...commonFlags,
			},
			aliases: commonAliases,
			positional: {
				kind: 'tuple',
				parameters: [
					{
						placeholder: 'NAME',
						brief: 'Name of an Application; default: all of this project',
						parse: filled,
						optional: true,
					},
				],
			},
		},
		docs: docs(
			'Show what runs, and why when it does not',
			'Shows sync, health, revision and resources of Applications, with the cause and the fix of every error.',
			[
				{ line: 'status', brief: 'all' },
				{ line: 'status shop --exit-code', brief: 'for a script' },
			],
		),
	})
}
