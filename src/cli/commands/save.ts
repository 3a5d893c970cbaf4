import { buildCommand, type Command } from '@stricli/core'
import type { CliContext } from '../context.ts'
import { docs } from '../docs.ts'
import { choice, commonAliases, commonFlags, count, filled, registryFlags, text, toggle } from '../flags.ts'
import { commandFunction } from '../invocation.ts'
import type { SaveFlags } from '../run/save.ts'

export function saveCommand(): Command<CliContext> {
	return buildCommand<SaveFlags, string[], CliContext>({
		loader: async () => commandFunction((await import('../run/save.ts')).save),
		parameters: {
			flags: {
				allTags: toggle('Everything in the repositories that has a tag'),
				tags: text('Every version of the repositories in this range, such as ">=1.2 <2"', 'RANGE'),
				referrers: choice('Take signatures, SBOMs and whatever else points at it along; on by default'),
				force: toggle('Replace a tar or a layout that is there'),
				concurrency: count('Requests and contents on their way at once; default 4', 'NUMBER'),
				...registryFlags,
				...commonFlags,
			},
			aliases: commonAliases,
			positional: {
				kind: 'array',
				parameter: {
					placeholder: 'REFERENCE… FILE.tar|DIR',
					brief: 'Artifacts, and last the file or directory to write',
					parse: filled,
				},
				minimum: 2,
			},
		},
		docs: docs(
			'Save artifacts as an OCI layout that can be carried anywhere',
			'Writes the artifacts, with everything that points at them, as one standard OCI image layout, which skopeo and oras read too: a tar when the name ends in .tar, else a directory. The same artifacts give the same tar, byte by byte. Where each came from is kept in it, for lading load. It appears whole or not at all: a save that was interrupted starts anew.',
			[
				{ line: 'save shop:v1.2.0 shop.tar', brief: 'one artifact' },
				{ line: 'save ghcr.io/acme/shop:v1.2.0 ghcr.io/acme/web:v3 release.tar', brief: 'several in one' },
				{ line: "save ghcr.io/acme/shop --tags '^1.2' layout", brief: 'a range of versions, as a directory' },
			],
		),
	})
}
