import { buildCommand, type Command } from '@stricli/core'
import type { CliContext } from '../context.ts'
import { docs } from '../docs.ts'
import {
	applicationFlags,
	choice,
	clusterFlags,
	commonAliases,
	commonFlags,
	filled,
	registryFlags,
	toggle,
} from '../flags.ts'
import { commandFunction } from '../invocation.ts'
import type { DeployFlags } from '../run/deploy.ts'

export function deployCommand(): Command<CliContext> {
	return buildCommand<DeployFlags, [string, string], CliContext>({
		loader: async () => commandFunction((await import('../run/deploy.ts')).deploy),
		parameters: {
			flags: {
				pin: toggle('Pin the digest besides the tag'),
				wait: choice('Wait until it is Synced and Healthy; on by default'),
				...applicationFlags,
				...clusterFlags,
				...registryFlags,
				...commonFlags,
			},
			aliases: commonAliases,
			positional: {
				kind: 'tuple',
				parameters: [
					{ placeholder: 'NAME', brief: 'Name of the Application', parse: filled },
					{ placeholder: 'REFERENCE', brief: '[registry/]repository[:tag][@digest]', parse: filled },
				],
			},
		},
		docs: docs(
			'Create or change an Application for an artifact',
			'Applies the repository Secret and the Application and waits until the artifact is Synced and Healthy. The reference may name a tag, a moving tag such as latest, a digest, or tag@digest. A range of versions is set by: lading sync NAME ^1.0.0',
			[
				{ line: 'deploy shop shop:v1.2.0', brief: 'a tag' },
				{ line: 'deploy shop shop:v1.2.0@sha256:…', brief: 'a tag for people, a digest for Argo CD' },
				{ line: 'deploy shop ghcr.io/acme/shop:v1.2.0 --print', brief: 'only the YAML' },
			],
		),
	})
}
