import { buildCommand, type Command } from '@stricli/core'
import type { CliContext } from '../context.ts'
import { docs } from '../docs.ts'
import { clusterFlags, commonAliases, commonFlags, duration, filled, toggle } from '../flags.ts'
import { commandFunction } from '../invocation.ts'
import type { UndeployFlags } from '../run/undeploy.ts'

export function undeployCommand(): Command<CliContext> {
	return buildCommand<UndeployFlags, [string], CliContext>({
		loader: async () => commandFunction((await import('../run/undeploy.ts')).undeploy),
		parameters: {
			flags: {
				keepResources: toggle('Leave in the cluster what the Application deployed'),
				timeout: duration('How long to wait; default 5m'),
				...clusterFlags,
				...commonFlags,
			},
			aliases: commonAliases,
			positional: {
				kind: 'tuple',
				parameters: [{ placeholder: 'NAME', brief: 'Name of the Application', parse: filled }],
			},
		},
		docs: docs(
			'Remove an Application',
			'Removes the Application and all that it deployed, and waits until they are gone.',
			[
				{ line: 'undeploy shop', brief: 'with all it deployed' },
				{ line: 'undeploy shop --keep-resources', brief: 'only the Application' },
			],
		),
	})
}
