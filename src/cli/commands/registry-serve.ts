import { buildCommand, type Command } from '@stricli/core'
import type { CliContext } from '../context.ts'
import { docs } from '../docs.ts'
import {
	clusterFlags,
	commonAliases,
	commonFlags,
	duration,
	list,
	path,
	port,
	text,
	toggle,
} from '../flags.ts'
import { commandFunction } from '../invocation.ts'
import type { RegistryServeFlags } from '../run/registry-serve.ts'

export function registryServeCommand(): Command<CliContext> {
	return buildCommand<RegistryServeFlags, [], CliContext>({
		loader: async () => commandFunction((await import('../run/registry-serve.ts')).registryServe),
		parameters: {
			flags: {
				config: path('Settings (YAML); a flag goes before what it says', 'FILE'),
				host: text('Address to listen on; default 127.0.0.1', 'HOST'),
				port: port('Port to listen on; default 5000'),
				data: path('Directory of the content; the CA is at DIR/ca.crt', 'DIR'),
				htpasswd: path('Users and bcrypt hashes: whoever is in it may read and write', 'FILE'),
				reader: list('A user of --htpasswd that may only read', 'USER'),
				anonymous: {
					kind: 'enum',
					values: ['none', 'read', 'write'],
					brief: 'What may be done without a password; default none where others reach it',
					optional: true,
				},
				tlsCert: path('Certificate (PEM), instead of one by its own CA; read again when it changes', 'FILE'),
				tlsKey: path('Key of --tls-cert', 'FILE'),
				name: list('A further name or address for the certificate', 'NAME'),
				immutable: list(
					'Tags that keep what they name: v*, semver, or REPOSITORY:TAG with globs; --config has the rules of retention',
					'PATTERN',
				),
				grace: duration(
					'What was pushed, asked for or named by a tag within this time is not removed; default 1h',
				),
				scrubInterval: duration('How often it looks for damage by itself; default 7d, 0s never'),
				cluster: text('Whose Applications keep what they name, besides the rules of retention', 'CLUSTER'),
				kubeconfig: clusterFlags.kubeconfig,
				argocdNamespace: clusterFlags.argocdNamespace,
				plainHttp: toggle('Speak HTTP: only behind a proxy that speaks TLS'),
				metrics: text('Where to serve metrics and health too, by HTTP without a password', 'HOST:PORT'),
				accessLog: toggle('One line of JSON on standard error for each request'),
				instance: { ...text('Name of this run', 'ID'), hidden: true },
				...commonFlags,
			},
			aliases: commonAliases,
		},
		docs: docs(
			'Serve the registry in the foreground',
			'Runs until it is interrupted, and then finishes what is under way. On an address other than loopback it wants --htpasswd, or a token of "registry token create". docs/guide/registry.md tells how to run it for a network.',
			[
				{ line: 'registry serve --data ./registry', brief: 'on 127.0.0.1:5000' },
				{
					line: 'registry serve --host 0.0.0.0 --data ./registry --htpasswd users --name registry.lan',
					brief: 'for a network',
				},
				{ line: 'registry serve --config registry.yaml', brief: 'with settings of a file' },
				{ line: 'registry serve --immutable semver', brief: 'a version is pushed once' },
			],
		),
	})
}
