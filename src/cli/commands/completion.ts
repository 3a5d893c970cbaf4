import { buildCommand, type Command } from '@stricli/core'
import type { CliContext } from '../context.ts'
import { docs } from '../docs.ts'
import { commonAliases, commonFlags, filled } from '../flags.ts'
import { commandFunction } from '../invocation.ts'
import type { CompletionFlags } from '../run/completion.ts'

export function completionCommand(): Command<CliContext> {
	return buildCommand<CompletionFlags, [string], CliContext>({
		loader: async () => commandFunction((await import('../run/completion.ts')).completion),
		parameters: {
			flags: {
				...commonFlags,
			},
			aliases: commonAliases,
			positional: {
				kind: 'tuple',
				parameters: [{ placeholder: 'SHELL', brief: 'bash, zsh, fish or powershell', parse: filled }],
			},
		},
		docs: docs(
			'Print the completion script of a shell',
			'Prints a script that the shell evaluates at its start.',
			[
				{ line: 'completion bash >> ~/.bashrc', brief: 'for bash' },
				{ line: 'completion zsh > ~/.zfunc/_lading', brief: 'for zsh' },
				{ line: 'completion fish > ~/.config/fish/completions/lading.fish', brief: 'for fish' },
			],
		),
	})
}
