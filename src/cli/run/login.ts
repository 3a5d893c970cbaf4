import { UserError } from '../../errors/index.ts'
import { login as loginFlow, readLoginPlace } from '../../flows/index.ts'
import type { ClusterFlags, RegistryFlags } from '../flags.ts'
import type { CommonFlags, Invocation } from '../invocation.ts'
import { openPrompt } from '../prompt.ts'
import { accessOf, clusterOf, readPassword, sessionOf } from '../session.ts'

export interface LoginFlags extends CommonFlags, ClusterFlags, RegistryFlags {
	readonly argocd?: boolean
	readonly clusterRegistry?: string
	readonly password?: string
}

export async function login(invocation: Invocation, flags: LoginFlags, host: string): Promise<void> {
	const session = sessionOf(invocation)
	const place = readLoginPlace(session, host)
	const { username: _name, passwordStdin: _stdin, ...reach } = flags
	const access = await accessOf({ ...invocation, env: {} }, reach)
	const { username, password } = await credentialOf(invocation, flags, place.registry)
	const argocd =
		flags.argocd === true
			? {
					...clusterOf(invocation, flags, await invocation.config()),
					clusterRegistry: flags.clusterRegistry,
				}
			: undefined
	const result = await loginFlow(session, { place, username, password, access, argocd })
	invocation.output.answer({
		text: `Signed in at ${result.registry} as ${result.username}.`,
		document: { login: result },
	})
}

/** Flags, then the environment, then whoever sits before the terminal. */
async function credentialOf(
	{ env, context, signal }: Invocation,
	flags: LoginFlags,
	registry: string,
): Promise<{ readonly username: string; readonly password: string }> {
	const only = env.LADING_REGISTRY
	// What the environment names a registry for must not reach another one.
	const isMeant = only === undefined || only === '' || only === registry
	const known = {
		username: flags.username ?? (isMeant ? env.LADING_USERNAME : undefined),
		password: flags.passwordStdin
			? await readPassword(context.stdin)
			: isMeant
				? env.LADING_PASSWORD
				: undefined,
	}
	if (known.username !== undefined && known.password !== undefined)
		return { username: known.username, password: known.password }
	if (context.stdin.isTTY !== true) {
		throw new UserError(
			'USAGE',
			`${known.username === undefined ? 'no user name' : 'no password'} is given`,
			{
				hint: `lading login ${registry} -u NAME --password-stdin < FILE; on a terminal it is asked for.`,
			},
		)
	}
	const prompt = openPrompt(context, signal)
	try {
		const username = known.username ?? (await prompt.ask(`User name for ${registry}: `))
		return { username, password: known.password ?? (await prompt.askHidden(`Password for ${username}: `)) }
	} finally {
		prompt.close()
	}
}
