import { buildCommand, type Command } from '@stricli/core'
import type { CliContext } from '../context.ts'
import { docs } from '../docs.ts'
import { clusterFlags, commonAliases, commonFlags, count, filled, text, toggle } from '../flags.ts'
import { commandFunction } from '../invocation.ts'
import type { LogsFlags } from '../run/logs.ts'

export function logsCommand(): Command<CliContext> {
	return buildCommand<LogsFlags, [string?], CliContext>({
		loader: async () => commandFunction((await import('../run/logs.ts')).logs),
		parameters: {
			flags: {
				component: text('Part of Argo CD; default repo-server, which reads the artifacts', 'COMPONENT'),
				follow: toggle('Go on with what is written from now on'),
				tail: count('Lines from the end; default: all, and with --follow 10', 'N'),
				...clusterFlags,
				...commonFlags,
			},
			aliases: { ...commonAliases, f: 'follow' },
			positional: {
				kind: 'tuple',
				parameters: [
					{
						placeholder: 'NAME',
						brief: 'Name of an Application; default: Argo CD itself',
						parse: filled,
						optional: true,
					},
				],
			},
		},
		docs: docs(
			'Show what the containers write',
			'Shows the log of every pod of an Application, or of a part of Argo CD: repo-server, application-controller, server, applicationset-controller, notifications-controller, dex-server, redis. Followed, it goes on with the pods that replace them.',
			[
				{ line: 'logs', brief: 'Argo CD’s repo-server' },
				{ line: 'logs shop --follow', brief: 'the pods of an Application' },
				{ line: 'logs --component application-controller --tail 50', brief: 'what synchronises' },
			],
		),
	})
}
