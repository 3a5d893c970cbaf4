import { buildCommand, type Command } from '@stricli/core'
import type { CliContext } from '../context.ts'
import { docs } from '../docs.ts'
import {
	choice,
	clusterFlags,
	commonAliases,
	commonFlags,
	count,
	filled,
	registryFlags,
	text,
	toggle,
} from '../flags.ts'
import { commandFunction } from '../invocation.ts'
import type { CopyFlags } from '../run/copy.ts'
import { sideFlags } from '../side-flags.ts'

export function copyCommand(): Command<CliContext> {
	return buildCommand<CopyFlags, [string, string], CliContext>({
		loader: async () => commandFunction((await import('../run/copy.ts')).copy),
		parameters: {
			flags: {
				allTags: toggle('Everything in the repository that has a tag'),
				tags: text('Every version of the repository in this range, such as ">=1.2 <2"', 'RANGE'),
				referrers: choice('Take signatures, SBOMs and whatever else points at it along; on by default'),
				force: toggle('Move version tags that have other content'),
				dryRun: toggle('Only say what would be done'),
				concurrency: count('Requests and contents on their way at once; default 4', 'NUMBER'),
				refresh: choice(
					'Refresh the Applications that follow what is copied; on by default where a cluster is known',
				),
				...sideFlags,
				...clusterFlags,
				...registryFlags,
				...commonFlags,
			},
			aliases: commonAliases,
			positional: {
				kind: 'tuple',
				parameters: [
					{
						placeholder: 'FROM',
						brief: 'Reference, oci:DIR[:TAG] or oci-archive:FILE.tar[:TAG]',
						parse: filled,
					},
					{ placeholder: 'TO', brief: 'As FROM; without a tag, the artifact keeps its own', parse: filled },
				],
			},
		},
		docs: docs(
			'Copy artifacts between registries, OCI layouts and tars, as they are',
			'Copies byte by byte, so that no digest changes, with everything that points at the artifact. What is there already is not sent again, so that the same command to a registry or to oci:DIR goes on after an interruption; a tar is written anew. Within one registry nothing is uploaded where it can mount. A tag is set when all its content is there. --ca, --insecure, --plain-http and --username hold for both sides, --from-… and --to-… for one. The answer is one line for each artifact: where it is, with its digest.',
			[
				{ line: 'copy shop:v1.2.0 ghcr.io/acme/shop', brief: 'to another registry, under the same tag' },
				{ line: 'copy ghcr.io/acme/shop registry.corp/shop --all-tags', brief: 'a whole repository' },
				{ line: "copy ghcr.io/acme/shop registry.corp/shop --tags '>=1.2 <2'", brief: 'a range of versions' },
				{ line: 'copy ghcr.io/acme/shop:v1.2.0 oci:layout:v1.2.0', brief: 'to an OCI layout on disk' },
			],
		),
	})
}
