import { buildCommand, buildRouteMap, type Command, type RouteMap } from '@stricli/core'
import type { CliContext } from '../context.ts'
import { docs } from '../docs.ts'
import { commonAliases, commonFlags, duration, filled, path, toggle } from '../flags.ts'
import { commandFunction } from '../invocation.ts'
import type { TokenCreateFlags, TokenListFlags } from '../run/registry-token.ts'

const where = {
	data: path('Directory of the registry; default that of the project', 'DIR'),
	config: path('Settings of the registry, for its directory', 'FILE'),
}

function create(): Command<CliContext> {
	return buildCommand<TokenCreateFlags, [string], CliContext>({
		loader: async () => commandFunction((await import('../run/registry-token.ts')).tokenCreate),
		parameters: {
			flags: {
				read: toggle('It may pull'),
				write: toggle('It may pull, push and delete'),
				expires: duration('How long it is good; default for ever'),
				...where,
				...commonFlags,
			},
			aliases: commonAliases,
			positional: {
				kind: 'tuple',
				parameters: [
					{ placeholder: 'NAME', brief: 'Whose it is, as the log and events show it', parse: filled },
				],
			},
		},
		docs: docs(
			'Make a token',
			'Prints a token for the registry, once: only its digest is kept. A client uses it as the password of any user name, or as "Authorization: Bearer". A registry that runs takes it within a second.',
			[
				{ line: 'registry token create ci --write --expires 90d', brief: 'for a pipeline' },
				{ line: 'registry token create argocd --read --data ./registry', brief: 'for Argo CD' },
			],
		),
	})
}

function list(): Command<CliContext> {
	return buildCommand<TokenListFlags, [], CliContext>({
		loader: async () => commandFunction((await import('../run/registry-token.ts')).tokenList),
		parameters: { flags: { ...where, ...commonFlags }, aliases: commonAliases },
		docs: docs('List the tokens', 'Shows the tokens of the registry, without what would let anybody in.', [
			{ line: 'registry token list', brief: 'who may do what, and until when' },
		]),
	})
}

function revoke(): Command<CliContext> {
	return buildCommand<TokenListFlags, [string], CliContext>({
		loader: async () => commandFunction((await import('../run/registry-token.ts')).tokenRevoke),
		parameters: {
			flags: { ...where, ...commonFlags },
			aliases: commonAliases,
			positional: {
				kind: 'tuple',
				parameters: [{ placeholder: 'ID|NAME', brief: 'One token, or all of a name', parse: filled }],
			},
		},
		docs: docs(
			'Take a token away',
			'Revokes tokens by their id or name; a registry that runs refuses them within a second.',
			[{ line: 'registry token revoke ci', brief: 'every token of that name' }],
		),
	})
}

export function registryTokenRoutes(): RouteMap<CliContext> {
	return buildRouteMap<'create' | 'list' | 'revoke', CliContext>({
		routes: { create: create(), list: list(), revoke: revoke() },
		docs: { brief: 'Tokens for the registry' },
	})
}
