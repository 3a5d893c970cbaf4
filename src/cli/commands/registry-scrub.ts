import { buildCommand, type Command } from '@stricli/core'
import type { CliContext } from '../context.ts'
import { docs } from '../docs.ts'
import { commonAliases, commonFlags, path } from '../flags.ts'
import { commandFunction } from '../invocation.ts'
import type { RegistryScrubFlags } from '../run/registry-scrub.ts'

export function registryScrubCommand(): Command<CliContext> {
	return buildCommand<RegistryScrubFlags, [], CliContext>({
		loader: async () => commandFunction((await import('../run/registry-scrub.ts')).registryScrub),
		parameters: {
			flags: {
				data: path('Directory of the registry; default that of this project', 'DIR'),
				...commonFlags,
			},
			aliases: commonAliases,
		},
		docs: docs(
			'Look for damage in the embedded registry',
			'Reads all content and checks its digests, whatever was found good before, by the server where one runs. Damaged content is never served whole; the exit code is 1 where there is any. A server does this by itself every seven days.',
			[
				{ line: 'registry scrub', brief: 'is everything as it was pushed?' },
				{ line: 'registry scrub --data /srv/registry --json', brief: 'another one, for a monitor' },
			],
		),
	})
}
