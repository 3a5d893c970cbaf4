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
} from '../flags.ts'
import { commandFunction } from '../invocation.ts'
import type { TagsFlags } from '../run/tags.ts'

export function tagsCommand(): Command<CliContext> {
	return buildCommand<TagsFlags, [string], CliContext>({
		loader: async () => commandFunction((await import('../run/tags.ts')).tags),
		parameters: {
			flags: {
				range: text('Only versions in this range, such as ">=1.2 <2"', 'RANGE'),
				filter: text('Only tags that match, such as "v1.*"', 'GLOB'),
				limit: count('How many are listed; by default all names, or 50 with what each names', 'NUMBER'),
				long: choice('Digest, size, age, type and Applications of each; by default on a terminal'),
				...clusterFlags,
				...registryFlags,
				...commonFlags,
			},
			aliases: commonAliases,
			positional: {
				kind: 'tuple',
				parameters: [{ placeholder: 'REPOSITORY', brief: '[registry/]repository', parse: filled }],
			},
		},
		docs: docs(
			'List the tags of a repository',
			'Versions first, newest first, then the other tags. On a terminal, or with --long, also what each names: digest, size, age, type, and the Applications of a known cluster that run it. Elsewhere the names alone, one a line.',
			[
				{ line: 'tags shop', brief: 'in the local registry' },
				{ line: "tags shop --range '>=1.2 <2' --limit 10", brief: 'the ten newest of a range' },
				{ line: 'tags ghcr.io/acme/shop --json', brief: 'for a script' },
			],
		),
	})
}
