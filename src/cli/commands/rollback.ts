import { buildCommand, type Command } from '@stricli/core'
import type { CliContext } from '../context.ts'
import { docs } from '../docs.ts'
import {
	clusterFlags,
	commonAliases,
	commonFlags,
	duration,
	filled,
	registryFlags,
	text,
	toggle,
} from '../flags.ts'
import { commandFunction } from '../invocation.ts'
import type { RollbackFlags } from '../run/rollback.ts'

export function rollbackCommand(): Command<CliContext> {
	return buildCommand<RollbackFlags, [string], CliContext>({
		loader: async () => commandFunction((await import('../run/rollback.ts')).rollback),
		parameters: {
			flags: {
				to: text(
					'A deployment by its id in lading history, its digest or its tag; default: the one before',
					'ID',
				),
				print: toggle('Print the change of the Application as YAML and change nothing'),
				timeout: duration('How long to wait; default 5m'),
				prune: toggle('Delete what is no longer in the artifact, where Argo CD does not do so by itself'),
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
			'Move an Application back to an earlier deployment and wait',
			'Pins targetRevision to an artifact of the history, by the version tag it was deployed by where that still names it, else by its digest, so that neither a moving tag nor auto-sync undoes it. A version that could not be deployed is not in the history: then the one that still runs is gone back to. Rolled back twice, it is where it was.',
			[
				{ line: 'rollback shop', brief: 'to the deployment before this one' },
				{ line: 'rollback shop --to 3', brief: 'to one that lading history shop lists' },
				{ line: 'rollback shop --to v1.2.0 --print', brief: 'only the change, as YAML' },
			],
		),
	})
}
