import { buildCommand, type Command } from '@stricli/core'
import type { CliContext } from '../context.ts'
import { docs } from '../docs.ts'
import { clusterFlags, commonAliases, commonFlags, filled } from '../flags.ts'
import { commandFunction } from '../invocation.ts'
import type { ForwardFlags } from '../run/forward.ts'

export function forwardCommand(): Command<CliContext> {
	return buildCommand<ForwardFlags, [string, string?], CliContext>({
		loader: async () => commandFunction((await import('../run/forward.ts')).forward),
		parameters: {
			flags: {
				...clusterFlags,
				...commonFlags,
			},
			aliases: commonAliases,
			positional: {
				kind: 'tuple',
				parameters: [
					{ placeholder: 'NAME', brief: 'Application, Service, or NAMESPACE/SERVICE', parse: filled },
					{
						placeholder: 'PORTS',
						brief: 'LOCAL:REMOTE; default: the only port of the Service',
						parse: filled,
						optional: true,
					},
				],
			},
		},
		docs: docs(
			'Reach a Service of the application from this machine',
			'Listens on 127.0.0.1 until it is interrupted. Each connection goes to a pod that is ready at that moment, so that a new version or a restart does not end it.',
			[
				{ line: 'forward shop 8082:80', brief: 'then: curl http://localhost:8082' },
				{ line: 'forward shop', brief: 'its only port, on a free one' },
				{ line: 'forward argocd/argocd-server 8443:443', brief: 'any Service, such as Argo CD’s own pages' },
			],
		),
	})
}
