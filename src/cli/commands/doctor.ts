import { buildCommand, type Command } from '@stricli/core'
import type { CliContext } from '../context.ts'
import { docs } from '../docs.ts'
import { clusterFlags, commonAliases, commonFlags, filled, registryFlags } from '../flags.ts'
import { commandFunction } from '../invocation.ts'
import type { DoctorFlags } from '../run/doctor.ts'

export function doctorCommand(): Command<CliContext> {
	return buildCommand<DoctorFlags, [string?], CliContext>({
		loader: async () => commandFunction((await import('../run/doctor.ts')).doctor),
		parameters: {
			flags: {
				...clusterFlags,
				...registryFlags,
				...commonFlags,
			},
			aliases: commonAliases,
			positional: {
				kind: 'tuple',
				parameters: [
					{
						placeholder: 'NAME',
						brief: 'Name of an Application; default: all of this project',
						parse: filled,
						optional: true,
					},
				],
			},
		},
		docs: docs(
			'Find what is wrong and say how to mend it',
			'Looks at this machine, the registry, its certificate, the trust, the credentials, the artifacts and the Applications. Exit code 1 when it finds a fault.',
			[{ line: 'doctor', brief: 'look at everything' }],
		),
	})
}
