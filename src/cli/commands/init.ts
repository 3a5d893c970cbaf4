import { buildCommand, type Command } from '@stricli/core'
import type { CliContext } from '../context.ts'
import { docs } from '../docs.ts'
import { commonAliases, commonFlags, text, toggle } from '../flags.ts'
import { commandFunction } from '../invocation.ts'
import type { InitFlags } from '../run/init.ts'

export function initCommand(): Command<CliContext> {
	return buildCommand<InitFlags, [], CliContext>({
		loader: async () => commandFunction((await import('../run/init.ts')).init),
		parameters: {
			flags: {
				name: text('Name of the Application; default: of the directory', 'NAME'),
				force: toggle('Replace a lading.yaml that is there'),
				...commonFlags,
			},
			aliases: commonAliases,
		},
		docs: docs(
			'Start a project: lading.yaml, manifests/, .gitignore',
			'Writes lading.yaml, a starting manifests/ directory and the line for .gitignore. Files that are there stay.',
			[
				{ line: 'init', brief: 'in the directory of the project' },
				{ line: 'init --name shop', brief: 'with another name' },
			],
		),
	})
}
