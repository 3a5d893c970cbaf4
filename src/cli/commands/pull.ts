import { buildCommand, type Command } from '@stricli/core'
import type { CliContext } from '../context.ts'
import { docs } from '../docs.ts'
import { commonAliases, commonFlags, filled, registryFlags, toggle } from '../flags.ts'
import { commandFunction } from '../invocation.ts'
import type { PullFlags } from '../run/pull.ts'

export function pullCommand(): Command<CliContext> {
	return buildCommand<PullFlags, [string, string], CliContext>({
		loader: async () => commandFunction((await import('../run/pull.ts')).pull),
		parameters: {
			flags: {
				force: toggle(
					'Write into a directory that is not empty: replace files of the same name, leave others',
				),
				...registryFlags,
				...commonFlags,
			},
			aliases: commonAliases,
			positional: {
				kind: 'tuple',
				parameters: [
					{ placeholder: 'REFERENCE', brief: '[registry/]repository[:tag][@digest]', parse: filled },
					{
						placeholder: 'DIR',
						brief: 'Directory to write, which must not exist or be empty unless --force',
						parse: filled,
					},
				],
			},
		},
		docs: docs(
			'Fetch an artifact into a directory',
			'Verifies every byte and writes the directory whole or not at all. With --force, the files of a directory that is not empty are replaced one by one after all of the artifact has been fetched and verified; nothing is changed where one of them is a link, or a directory in place of a file or the reverse. Files that are not of the artifact stay, and a warning says how many.',
			[
				{ line: 'pull shop:v1.2.0 ./shop', brief: 'from the local registry' },
				{ line: 'pull shop:v1.3.0 ./shop --force', brief: 'over an older version' },
			],
		),
	})
}
