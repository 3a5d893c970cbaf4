import { buildCommand, type Command } from '@stricli/core'
import type { CliContext } from '../context.ts'
import { docs } from '../docs.ts'
import { commonAliases, commonFlags, registryFlags, judgeFlags } from '../flags.ts'
import { commandFunction } from '../invocation.ts'
import type { CheckFlags } from '../run/check.ts'

export const checkCommand: Command<CliContext> = buildCommand<CheckFlags, [string], CliContext>({
	loader: async () => commandFunction((await import('../run/check.ts')).check),
	parameters: {
		flags: {
			...judgeFlags,
			...registryFlags,
			...commonFlags,
		},
		aliases: commonAliases,
		positional: {
			kind: 'tuple',
			parameters: [
				{ placeholder: 'WHAT', brief: 'Directory, tar file, or reference of an artifact', parse: String },
			],
		},
	},
	docs: docs(
		'Would Argo CD take it, and what would it deploy?',
		'Applies the rules of Argo CD to a directory, a tar file or any artifact in any registry, whoever pushed it. Lists the resources that would be deployed, and all that would silently be left out.',
		[
			{ line: 'check manifests', brief: 'before a push' },
			{ line: 'check ghcr.io/acme/shop:v1.2.0', brief: 'what somebody else pushed' },
			{ line: 'check manifests --argocd-version 3.1.0', brief: 'for an older Argo CD' },
		],
	),
})
