import { buildCommand, type Command } from '@stricli/core'
import type { CliContext } from '../context.ts'
import { docs } from '../docs.ts'
import { choice, commonAliases, commonFlags, count, filled, list, registryFlags, toggle } from '../flags.ts'
import { commandFunction } from '../invocation.ts'
import type { LoadFlags } from '../run/load.ts'

export function loadCommand(): Command<CliContext> {
	return buildCommand<LoadFlags, [string, string?], CliContext>({
		loader: async () => commandFunction((await import('../run/load.ts')).load),
		parameters: {
			flags: {
				map: list('Put what came from OLD under NEW; may be given more than once', 'OLD=NEW'),
				referrers: choice('Take signatures, SBOMs and whatever else points at it along; on by default'),
				force: toggle('Move version tags that have other content'),
				dryRun: toggle('Only say what would be done'),
				concurrency: count('Requests and contents on their way at once; default 4', 'NUMBER'),
				...registryFlags,
				...commonFlags,
			},
			aliases: commonAliases,
			positional: {
				kind: 'tuple',
				parameters: [
					{ placeholder: 'FILE.tar|DIR', brief: 'What lading save, skopeo or oras wrote', parse: filled },
					{
						placeholder: 'REGISTRY/PREFIX',
						brief: 'Where to; default: where each came from',
						parse: filled,
						optional: true,
					},
				],
			},
		},
		docs: docs(
			'Put the artifacts of an OCI layout into a registry',
			'Every artifact gets the repository and the tag that it came from; with REGISTRY/PREFIX the repository stands below that, with --map the start of its name is replaced. A layout of another tool, which does not say where an artifact came from, goes to the repository REGISTRY/PREFIX itself. Everything is verified. The answer is one line for each artifact: where it is, with its digest.',
			[
				{ line: 'load release.tar', brief: 'where it came from' },
				{
					line: 'load release.tar registry.corp:5000/mirror',
					brief: 'ghcr.io/acme/shop becomes registry.corp:5000/mirror/acme/shop',
				},
				{
					line: 'load release.tar --map ghcr.io/acme=registry.corp:5000/team',
					brief: 'ghcr.io/acme/shop becomes registry.corp:5000/team/shop',
				},
			],
		),
	})
}
