import { buildCommand, type Command } from '@stricli/core'
import type { CliContext } from '../context.ts'
import { docs } from '../docs.ts'
import { commonAliases, commonFlags, filled } from '../flags.ts'
import { commandFunction } from '../invocation.ts'
import type { LogoutFlags } from '../run/logout.ts'

export function logoutCommand(): Command<CliContext> {
	return buildCommand<LogoutFlags, [string], CliContext>({
		loader: async () => commandFunction((await import('../run/logout.ts')).logout),
		parameters: {
			flags: commonFlags,
			aliases: commonAliases,
			positional: {
				kind: 'tuple',
				parameters: [{ placeholder: 'HOST', brief: 'Registry: host[:port]', parse: filled }],
			},
		},
		docs: docs(
			'Forget the credential for a registry',
			'Takes it out of the credential helper and of docker’s configuration. What Argo CD was given stays there.',
			[{ line: 'logout ghcr.io', brief: 'the next push asks to sign in' }],
		),
	})
}
