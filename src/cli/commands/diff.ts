import { buildCommand, type Command } from '@stricli/core'
import type { CliContext } from '../context.ts'
import { docs } from '../docs.ts'
import { choice, clusterFlags, commonAliases, commonFlags, filled, registryFlags, text } from '../flags.ts'
import { commandFunction } from '../invocation.ts'
import type { DiffFlags } from '../run/diff.ts'

export function diffCommand(): Command<CliContext> {
	return buildCommand<DiffFlags, [string, string], CliContext>({
		loader: async () => commandFunction((await import('../run/diff.ts')).diff),
		parameters: {
			flags: {
				format: text('terminal, unified, markdown for a pull request, or json', 'FORMAT'),
				path: text('Path inside both sides; default: as the Application, else "."', 'PATH'),
				recurse: choice('Also compare what stands in subdirectories; default: as the Application, else yes'),
				...clusterFlags,
				...registryFlags,
				...commonFlags,
			},
			aliases: commonAliases,
			positional: {
				kind: 'tuple',
				parameters: [
					{ placeholder: 'A', brief: 'Directory, tar file, reference, live:NAME or NAME@ID', parse: filled },
					{ placeholder: 'B', brief: 'Directory, tar file, reference, live:NAME or NAME@ID', parse: filled },
				],
			},
		},
		docs: docs(
			'Compare two artifacts or directories by resource and field',
			'Exit code 0 when both deploy the same, 1 when they differ. A side may also be what runs of an Application (live:NAME; only what the other side defines counts, as with Argo CD) and what it deployed with an id of its history (NAME@ID). Renaming a file is no difference, nor is the order of containers, ports and variables; values of Secrets are never shown.',
			[
				{ line: 'diff shop:v1.0.0 shop:v1.1.0', brief: 'two versions' },
				{ line: 'diff shop:v1.0.0 manifests', brief: 'what a push would change' },
				{ line: 'diff live:shop manifests', brief: 'what a push and a sync would change' },
				{ line: 'diff shop@3 live:shop', brief: 'what has changed since a deployment' },
				{ line: 'diff shop:v1.0.0 manifests --format markdown', brief: 'for a pull request' },
			],
		),
	})
}
