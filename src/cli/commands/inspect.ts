import { buildCommand, type Command } from '@stricli/core'
import type { CliContext } from '../context.ts'
import { docs } from '../docs.ts'
import { commonAliases, commonFlags, filled, registryFlags } from '../flags.ts'
import { commandFunction } from '../invocation.ts'
import type { InspectFlags } from '../run/inspect.ts'

export function inspectCommand(): Command<CliContext> {
	return buildCommand<InspectFlags, [string], CliContext>({
		loader: async () => commandFunction((await import('../run/inspect.ts')).inspect),
		parameters: {
			flags: {
				...registryFlags,
				...commonFlags,
			},
			aliases: commonAliases,
			positional: {
				kind: 'tuple',
				parameters: [
					{ placeholder: 'REFERENCE', brief: '[registry/]repository[:tag][@digest]', parse: filled },
				],
			},
		},
		docs: docs(
			'Show what an artifact is made of',
			'Shows digest, type, layers, annotations, files and what refers to it.',
			[{ line: 'inspect shop:v1.2.0', brief: 'an artifact of the local registry' }],
		),
	})
}
