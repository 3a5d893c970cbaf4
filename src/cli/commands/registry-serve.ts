import { buildCommand, type Command } from '@stricli/core'
import type { CliContext } from '../context.ts'
import { docs } from '../docs.ts'
import { commonAliases, commonFlags, list, port, text, toggle } from '../flags.ts'
import { commandFunction } from '../invocation.ts'
import type { RegistryServeFlags } from '../run/registry-serve.ts'

export const registryServeCommand: Command<CliContext> = buildCommand<RegistryServeFlags, [], CliContext>({
	loader: async () => commandFunction((await import('../run/registry-serve.ts')).registryServe),
	parameters: {
		flags: {
			config: text('Settings (YAML); a flag goes before what it says', 'FILE'),
			host: text('Address to listen on; default 127.0.0.1', 'HOST'),
			port: port('Port to listen on; default 5000'),
			data: text('Directory of the content; the CA is at DIR/ca.crt', 'DIR'),
			htpasswd: text('Users and bcrypt hashes: whoever is in it may read and write', 'FILE'),
			name: list('A further name or address for the certificate', 'NAME'),
			plainHttp: toggle('Speak HTTP: only behind a proxy that speaks TLS'),
			instance: { ...text('Name of this run', 'ID'), hidden: true },
			...commonFlags,
		},
		aliases: commonAliases,
	},
	docs: docs(
		'Serve the registry in the foreground',
		'Runs until it is interrupted. On an address other than loopback it wants --htpasswd.',
		[
			{ line: 'registry serve --data ./registry', brief: 'on 127.0.0.1:5000' },
			{
				line: 'registry serve --host 0.0.0.0 --data ./registry --htpasswd users --name registry.lan',
				brief: 'for a network',
			},
		],
	),
})
