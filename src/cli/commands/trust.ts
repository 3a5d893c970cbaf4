import { buildCommand, type Command } from '@stricli/core'
import type { CliContext } from '../context.ts'
import { docs } from '../docs.ts'
import { clusterFlags, commonAliases, commonFlags, filled, registryFlags, toggle } from '../flags.ts'
import { commandFunction } from '../invocation.ts'
import type { TrustFlags } from '../run/trust.ts'

export function trustCommand(): Command<CliContext> {
	return buildCommand<TrustFlags, [string], CliContext>({
		loader: async () => commandFunction((await import('../run/trust.ts')).trust),
		parameters: {
			flags: {
				print: toggle('Print the ConfigMap as YAML and touch no cluster'),
				...clusterFlags,
				...registryFlags,
				...commonFlags,
			},
			aliases: commonAliases,
			positional: {
				kind: 'tuple',
				parameters: [{ placeholder: 'HOST', brief: 'Registry: host[:port]', parse: filled }],
			},
		},
		docs: docs(
			'Make Argo CD trust a registry’s CA',
			'Puts the CA under the host’s name into argocd-tls-certs-cm, with every CA that its token service and blob redirects need. Other entries are never touched.',
			[
				{ line: 'trust registry.example.com --ca ca.crt', brief: 'a private CA' },
				{
					line: 'trust registry.example.com:5000 --ca ca.crt --cluster context:prod',
					brief: 'in a real cluster',
				},
			],
		),
	})
}
