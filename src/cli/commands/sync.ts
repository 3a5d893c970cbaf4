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
	toggle,
} from '../flags.ts'
import { commandFunction } from '../invocation.ts'
import type { SyncFlags } from '../run/sync.ts'

export function syncCommand(): Command<CliContext> {
	return buildCommand<SyncFlags, [string, string?], CliContext>({
		loader: async () => commandFunction((await import('../run/sync.ts')).sync),
		parameters: {
			flags: {
				timeout: duration('How long to wait; default 5m'),
				prune: toggle('Delete what is no longer in the artifact, where Argo CD does not do so by itself'),
				...clusterFlags,
				...registryFlags,
				...commonFlags,
			},
			aliases: commonAliases,
			positional: {
				kind: 'tuple',
				parameters: [
					{ placeholder: 'NAME', brief: 'Name of the Application', parse: filled },
					{
						placeholder: 'REVISION',
						brief: 'Tag, digest, tag@digest or range; default: the present one, refreshed',
						parse: filled,
						optional: true,
					},
				],
			},
		},
		docs: docs(
			'Move an Application to a revision and wait',
			'Sets targetRevision, refreshes at once and waits until the digest behind it is Synced and Healthy. What only looks well then is a warning: a version that deploys nothing, kinds that Argo CD is told to leave out, an object that another Application has too.',
			[
				{ line: 'sync shop v1.3.0', brief: 'to another version' },
				{ line: 'sync shop', brief: 'fetch a moved tag now' },
			],
		),
	})
}
