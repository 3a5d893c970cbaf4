import { buildCommand, type Command } from '@stricli/core'
import type { CliContext } from '../context.ts'
import { docs } from '../docs.ts'
import { clusterFlags, commonAliases, commonFlags, count, duration, path, text, toggle } from '../flags.ts'
import { commandFunction } from '../invocation.ts'
import type { RegistryPruneFlags } from '../run/registry-prune.ts'

export function registryPruneCommand(): Command<CliContext> {
	return buildCommand<RegistryPruneFlags, [], CliContext>({
		loader: async () => commandFunction((await import('../run/registry-prune.ts')).registryPrune),
		parameters: {
			flags: {
				keep: count('Let go what is not among the newest N tags of a repository', 'N'),
				olderThan: duration('Let go what was pushed longer ago, such as 30d; with --keep, what both let go'),
				repository: text('Only repositories that this glob matches', 'GLOB'),
				tag: text(
					'Only tags that this glob matches, or semver; without --keep and --older-than all of them',
					'GLOB',
				),
				untagged: toggle(
					'Let go also artifacts that no tag names; --older-than counts from when they last had one or were asked for',
				),
				includeImmutable: toggle('Let go also tags that the registry calls immutable'),
				grace: duration('What was pushed, asked for or named by a tag within this time stays; default 1h'),
				dryRun: toggle('Only list what would go, and what stays and why'),
				ignoreCluster: toggle('Do not look at what Applications need'),
				data: path('Directory of the registry; default that of this project', 'DIR'),
				...clusterFlags,
				...commonFlags,
			},
			aliases: commonAliases,
		},
		docs: docs(
			'Remove old artifacts from the embedded registry',
			'Lets go the tags and artifacts that the flags name, with their signatures and other referrers, and all content that nothing refers to any more; without flags only the latter. What an Application deploys or may roll back to stays, as does what is immutable, or newer than the grace period. Runs beside pushes where a server runs, else in its directory. Where the cluster does not answer, nothing is removed.',
			[
				{ line: 'registry prune --keep 10 --dry-run', brief: 'what would go, and what stays and why' },
				{
					line: 'registry prune --keep 10 --older-than 30d',
					brief: 'ten of each repository, and the last month',
				},
				{ line: "registry prune --tag 'pr-*' --older-than 7d", brief: 'what pull requests have left' },
				{ line: 'registry prune --untagged --older-than 30d', brief: 'what no tag names any more' },
			],
		),
	})
}
