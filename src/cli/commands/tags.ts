import { buildCommand, type Command } from '@stricli/core'
import type { CliContext } from '../context.ts'
import { docs } from '../docs.ts'
import { commonAliases, commonFlags, registryFlags } from '../flags.ts'
import { commandFunction } from '../invocation.ts'
import type { TagsFlags } from '../run/tags.ts'

export const tagsCommand: Command<CliContext> = buildCommand<TagsFlags, [string], CliContext>({
	loader: async () => commandFunction((await import('../run/tags.ts')).tags),
	parameters: {
		flags: {
			...registryFlags,
			...commonFlags,
		},
		aliases: commonAliases,
		positional: {
			kind: 'tuple',
			parameters: [{ placeholder: 'REPOSITORY', brief: '[registry/]repository', parse: String }],
		},
	},
	docs: docs('List the tags of a repository', 'Versions first, newest first, then the other tags.', [
		{ line: 'tags shop', brief: 'in the local registry' },
		{ line: 'tags ghcr.io/acme/shop --json', brief: 'for a script' },
	]),
})
