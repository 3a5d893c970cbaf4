import { buildCommand, type Command } from '@stricli/core'
import type { CliContext } from '../context.ts'
import { docs } from '../docs.ts'
import { choice, clusterFlags, commonAliases, commonFlags, filled, registryFlags, toggle } from '../flags.ts'
import { commandFunction } from '../invocation.ts'
import type { TagFlags } from '../run/tag.ts'

export function tagCommand(): Command<CliContext> {
	return buildCommand<TagFlags, [string, ...string[]], CliContext>({
		loader: async () => commandFunction((await import('../run/tag.ts')).tag),
		parameters: {
			flags: {
				force: toggle('Move version tags that have other content'),
				refresh: choice(
					'Refresh the Applications that follow the tags; on by default where a cluster is known',
				),
				...clusterFlags,
				...registryFlags,
				...commonFlags,
			},
			aliases: commonAliases,
			positional: {
				kind: 'array',
				parameter: {
					placeholder: 'REFERENCE NEWTAG…',
					brief: 'An artifact, and the tags that shall name it',
					parse: filled,
				},
				minimum: 2,
			},
		},
		docs: docs(
			'Point tags at an artifact that is in the registry',
			'Nothing is uploaded but the manifest, as it is. A version tag that has other content is moved with --force only. The answer is one line: registry/repository:tag@sha256:…',
			[
				{ line: 'tag shop:v1.2.0 stable', brief: 'stable names what v1.2.0 names' },
				{ line: 'tag shop@sha256:… v1.2.1 latest', brief: 'two tags for a digest' },
			],
		),
	})
}
