import { buildCommand, type Command } from '@stricli/core'
import type { CliContext } from '../context.ts'
import { docs } from '../docs.ts'
import { clusterFlags, commonAliases, commonFlags, filled, registryFlags, removalFlags } from '../flags.ts'
import { commandFunction } from '../invocation.ts'
import type { UntagFlags } from '../run/untag.ts'

export function untagCommand(): Command<CliContext> {
	return buildCommand<UntagFlags, string[], CliContext>({
		loader: async () => commandFunction((await import('../run/untag.ts')).untag),
		parameters: {
			flags: {
				...removalFlags,
				...clusterFlags,
				...registryFlags,
				...commonFlags,
			},
			aliases: commonAliases,
			positional: {
				kind: 'array',
				parameter: { placeholder: 'REPOSITORY:TAG', brief: 'Tags of one repository', parse: filled },
				minimum: 1,
			},
		},
		docs: docs(
			'Take tags away, and leave what they name',
			'First says which artifacts no tag would name any more, what points at them, and which Applications run them or ask for the tag; where one does, --force is needed. Asks on a terminal, elsewhere --yes is needed.',
			[
				{ line: 'untag shop:old shop:older', brief: 'after a question' },
				{ line: 'untag shop:old --yes', brief: 'in a script' },
			],
		),
	})
}
