import * as v from 'valibot'
import { supportedArgoCd } from '../argocd/index.ts'
import { RemoteError } from '../errors/index.ts'
import type { ArgocdClient } from './client.ts'

const versionAnswer = v.looseObject({ Version: v.string() })

/**
 * The version of an Argo CD, `v3.6.1+…`; asked without rights, so that it also tells whether it is one.
 * @throws RemoteError `ARGOCD_UNSUPPORTED`, `ARGOCD_FAILED`
 */
export async function readArgocdVersion(
	client: ArgocdClient,
	{ signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<string> {
	const answer = v.safeParse(versionAnswer, await client.json({ path: 'version', signal }))
	if (!answer.success)
		throw new RemoteError(
			'ARGOCD_FAILED',
			`${client.server.host} does not tell its version: it is no Argo CD`,
		)
	const version = answer.output.Version
	const support = supportedArgoCd(version)
	if (support.status !== 'too-old') return version
	throw new RemoteError('ARGOCD_UNSUPPORTED', support.reason, { hint: 'Upgrade Argo CD.' })
}

const userAnswer = v.looseObject({
	loggedIn: v.optional(v.boolean(), false),
	username: v.optional(v.string(), ''),
})

/** Who the token is of; `undefined` where Argo CD does not know it. */
export async function readArgocdUser(
	client: ArgocdClient,
	{ signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<string | undefined> {
	const answer = v.safeParse(userAnswer, await client.json({ path: 'v1/session/userinfo', signal }))
	return answer.success && answer.output.loggedIn ? answer.output.username : undefined
}
