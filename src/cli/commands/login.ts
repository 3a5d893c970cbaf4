import { buildCommand, type Command } from '@stricli/core'
import type { CliContext } from '../context.ts'
import { docs } from '../docs.ts'
import {
	clusterFlags,
	commonAliases,
	commonFlags,
	filled,
	refusedPassword,
	registryFlags,
	text,
	toggle,
} from '../flags.ts'
import { commandFunction } from '../invocation.ts'
import type { LoginFlags } from '../run/login.ts'

export function loginCommand(): Command<CliContext> {
	return buildCommand<LoginFlags, [string], CliContext>({
		loader: async () => commandFunction((await import('../run/login.ts')).login),
		parameters: {
			flags: {
				argocd: toggle('Give the credential to the Argo CD of the cluster as well'),
				clusterRegistry: text('Name of the registry as the cluster reaches it', 'REGISTRY'),
				password: refusedPassword,
				...clusterFlags,
				...registryFlags,
				...commonFlags,
			},
			aliases: { ...commonAliases, u: 'username', p: 'password' },
			positional: {
				kind: 'tuple',
				parameters: [
					{
						placeholder: 'HOST',
						brief: 'Registry: host[:port], with --argocd also host/repository',
						parse: filled,
					},
				],
			},
		},
		docs: docs(
			'Sign in at a registry',
			'Asks the registry with the credential, and keeps it only when it is accepted: with the credential helper that docker’s configuration names, else in that file. The password is asked for without showing it, or comes by --password-stdin.',
			[
				{ line: 'login ghcr.io -u acme', brief: 'asks for the password' },
				{ line: 'login ghcr.io -u acme --password-stdin < token', brief: 'in a pipeline' },
				{
					line: 'login ghcr.io -u acme --argocd --cluster context:prod',
					brief: 'Argo CD may read all of its repositories too',
				},
			],
		),
	})
}
