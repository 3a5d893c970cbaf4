import { buildCommand, type Command } from '@stricli/core'
import type { CliContext } from '../context.ts'
import { docs } from '../docs.ts'
import { clusterFlags, commonAliases, commonFlags, filled, registryFlags, removalFlags } from '../flags.ts'
import { commandFunction } from '../invocation.ts'
import type { DeleteFlags } from '../run/delete.ts'

export function deleteCommand(): Command<CliContext> {
	return buildCommand<DeleteFlags, [string], CliContext>({
		loader: async () => commandFunction((await import('../run/delete.ts')).deleteArtifact),
		parameters: {
			flags: {
				...removalFlags,
				...clusterFlags,
				...registryFlags,
				...commonFlags,
			},
			aliases: commonAliases,
			positional: {
				kind: 'tuple',
				parameters: [
					{ placeholder: 'REFERENCE', brief: '[registry/]repository:tag or @digest', parse: filled },
				],
			},
		},
		docs: docs(
			'Delete an artifact, with all its tags',
			'First says which tags go with it, what would point at nothing, and which Applications run it or ask for one of its tags; where one does, --force is needed. Asks on a terminal, elsewhere --yes is needed. The space is free when the registry has collected its garbage.',
			[
				{ line: 'delete shop:v0.9.0', brief: 'after a question' },
				{ line: 'delete shop@sha256:… --dry-run', brief: 'what would go' },
			],
		),
	})
}
