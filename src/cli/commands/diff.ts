import { buildCommand, type Command } from '@stricli/core'
import type { CliContext } from '../context.ts'
import { docs } from '../docs.ts'
import { choice, commonAliases, commonFlags, registryFlags, text } from '../flags.ts'
import { commandFunction } from '../invocation.ts'
import type { DiffFlags } from '../run/diff.ts'

export const diffCommand: Command<CliContext> = buildCommand<DiffFlags, [string, string], CliContext>({
	loader: async () => commandFunction((await import('../run/diff.ts')).diff),
	parameters: {
		flags: {
			path: text('Path inside both sides; default "."', 'PATH'),
			recurse: choice('Also compare what stands in subdirectories; on by default'),
			...registryFlags,
			...commonFlags,
		},
		aliases: commonAliases,
		positional: {
			kind: 'tuple',
			parameters: [
				{ placeholder: 'A', brief: 'Directory, tar file or reference', parse: String },
				{ placeholder: 'B', brief: 'Directory, tar file or reference', parse: String },
			],
		},
	},
	docs: docs(
		'Compare two artifacts or directories by resource and field',
		'Exit code 0 when both deploy the same, 1 when they differ. Renaming a file is no difference; values of Secrets are never shown.',
		[
			{ line: 'diff shop:v1.0.0 shop:v1.1.0', brief: 'two versions' },
			{ line: 'diff shop:v1.0.0 manifests', brief: 'what a push would change' },
		],
	),
})
