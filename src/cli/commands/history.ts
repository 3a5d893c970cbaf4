import { buildCommand, type Command } from '@stricli/core'
import type { CliContext } from '../context.ts'
import { docs } from '../docs.ts'
import { clusterFlags, commonAliases, commonFlags, filled, registryFlags } from '../flags.ts'
import { commandFunction } from '../invocation.ts'
import type { HistoryFlags } from '../run/history.ts'

export function historyCommand(): Command<CliContext> {
	return buildCommand<HistoryFlags, [string], CliContext>({
		loader: async () => commandFunction((await import('../run/history.ts')).history),
		parameters: {
			flags: {
				...clusterFlags,
				...registryFlags,
				...commonFlags,
			},
			aliases: commonAliases,
			positional: {
				kind: 'tuple',
				parameters: [{ placeholder: 'NAME', brief: 'Name of the Application', parse: filled }],
			},
		},
		docs: docs(
			'Show what was deployed when',
			'Lists the deployments of an Application with their digests, and the tags that name them.',
			[{ line: 'history shop', brief: 'newest first' }],
		),
	})
}
