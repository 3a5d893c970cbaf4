import { readFileSync } from 'node:fs'
import { Agent as HttpAgent, type Agent as AnyAgent } from 'node:http'
import { Agent as HttpsAgent, type AgentOptions } from 'node:https'
import { printable, UserError } from '../errors/index.ts'
import { type ExecCredential, runExecPlugin } from './exec-credential.ts'
import type { ChosenContext, Environment } from './kubeconfig.ts'
import type { UserEntry } from './parse-kubeconfig.ts'

/** What a request is sent with. */
export interface Authorization {
	readonly agent: AnyAgent
	readonly headers: Readonly<Record<string, string | readonly string[]>>
}

/** How the API server is reached and who we are there. */
export interface Access {
	readonly server: URL
	/** `fresh`: the last answer was 401, so that a kept credential is worth nothing. */
	authorize(options?: {
		readonly fresh?: boolean
		readonly signal?: AbortSignal | undefined
	}): Promise<Authorization>
}

export interface AccessOptions {
	readonly env: Environment
	/** Milliseconds since the epoch. */
	readonly now: () => number
}

interface Certificates {
	readonly ca?: string | undefined
	readonly cert?: string | undefined
	readonly key?: string | undefined
}

/** Renewed this long before it expires. */
const EXPIRY_MARGIN_MS = 10_000
/** A file's token is read again after this; kubelets renew it in place. */
const TOKEN_FILE_MS = 60_000

/** @throws UserError `KUBECONFIG_INVALID`, `CA_UNREADABLE` */
export async function openAccess(context: ChosenContext, options: AccessOptions): Promise<Access> {
	const server = serverUrl(context)
	refuseUnsupported(context)
	const { cluster, user } = context
	const certificates: Certificates = {
		ca: pem(cluster['certificate-authority-data'], cluster['certificate-authority']),
		cert: pem(user['client-certificate-data'], user['client-certificate']),
		key: pem(user['client-key-data'], user['client-key']),
	}
	const impersonation = impersonationHeaders(user)
	const through = await openTunnelTo(server, { context, env: options.env })
	const open = (credential?: ExecCredential): AnyAgent => {
		if (server.protocol === 'http:') return new HttpAgent({ keepAlive: true })
		const tls: AgentOptions = {
			keepAlive: true,
			...(certificates.ca !== undefined && { ca: certificates.ca }),
			...(certificates.cert !== undefined && { cert: certificates.cert, key: certificates.key }),
			...(credential?.cert !== undefined && { cert: credential.cert, key: credential.key }),
			...(cluster['insecure-skip-tls-verify'] === true && { rejectUnauthorized: false }),
			...(isText(cluster['tls-server-name']) && { servername: cluster['tls-server-name'] }),
		}
		return through === undefined ? new HttpsAgent(tls) : through(tls)
	}
	let agent = agentOf(open)
	const token = tokenOf(context, {
		...options,
		certificates,
		renewed: (credential) => (agent = agentOf(() => open(credential))),
	})
	return {
		server,
		async authorize(request = {}) {
			const authorization = await token(request)
			return { agent, headers: { ...impersonation, ...(authorization !== undefined && { authorization }) } }
		},
	}
}

const TUNNEL_TIMEOUT_MS = 30_000

/** How connections are made where a proxy stands before the cluster: `proxy-url`, or as the environment says. */
async function openTunnelTo(
	server: URL,
	{ context, env }: { readonly context: ChosenContext; readonly env: Environment },
): Promise<((tls: AgentOptions) => HttpsAgent) | undefined> {
	const named = context.cluster['proxy-url']
	const isSet = Object.entries(env).some(
		([name, value]) => /^(?:https|all)_proxy$/i.test(name) && isText(value),
	)
	if (server.protocol === 'http:' || (!isText(named) && !isSet)) return undefined
	const { createTunnelAgent, ENCODE_CREDENTIALS, hasEncodedCredentials, proxyFor } =
		await import('../http/client/index.ts')
	const proxy = isText(named) ? proxyUrl(named, context.name) : proxyFor(server, env)
	if (proxy === undefined) return undefined
	if (!hasEncodedCredentials(proxy)) {
		throw new UserError(
			'KUBECONFIG_INVALID',
			`the user or the password in the proxy-url of the context "${context.name}" is not percent-encoded`,
			{ hint: ENCODE_CREDENTIALS },
		)
	}
	return (tls) => createTunnelAgent(proxy, { tls, timeout: TUNNEL_TIMEOUT_MS })
}

function proxyUrl(text: string, context: string): URL {
	const url = URL.canParse(text) ? new URL(text) : undefined
	if (url?.protocol === 'http:' || url?.protocol === 'https:') return url
	// The value is not shown: it may hold a password.
	throw new UserError(
		'KUBECONFIG_INVALID',
		`the proxy-url of the context "${context}" is no http or https URL`,
		{
			hint: 'lading goes through HTTP proxies; for others, run it where the cluster is reached without one.',
		},
	)
}

function serverUrl({ name, cluster }: ChosenContext): URL {
	if (URL.canParse(cluster.server)) {
		const url = new URL(cluster.server)
		if (url.protocol === 'https:' || url.protocol === 'http:') return url
	}
	throw new UserError('KUBECONFIG_INVALID', `the server of the context "${name}" is no http(s) URL`, {
		hint: 'Check it with: kubectl config view --minify',
	})
}

function agentOf(open: () => AnyAgent): AnyAgent {
	try {
		return open()
	} catch (error) {
		throw new UserError('KUBECONFIG_INVALID', 'the certificate or key in the kubeconfig cannot be read', {
			cause: error,
		})
	}
}

const isText = (text: string | null | undefined): text is string =>
	text !== undefined && text !== null && text !== ''

function pem(data: string | null | undefined, file: string | null | undefined): string | undefined {
	if (isText(data)) return Buffer.from(data, 'base64').toString('utf8')
	return isText(file) ? readCredential(file) : undefined
}

function readCredential(path: string): string {
	try {
		return readFileSync(path, 'utf8')
	} catch (error) {
		throw new UserError('KUBECONFIG_INVALID', `the kubeconfig names ${path}, which cannot be read`, {
			cause: error,
			hint: 'Check it with: kubectl config view',
		})
	}
}

/** One header line per group. @see https://kubernetes.io/docs/reference/access-authn-authz/authentication/#user-impersonation */
function impersonationHeaders(user: UserEntry): Readonly<Record<string, string | readonly string[]>> {
	return {
		...(isText(user.as) && { 'impersonate-user': user.as }),
		...(isText(user['as-uid']) && { 'impersonate-uid': user['as-uid'] }),
		...(user['as-groups'] && user['as-groups'].length > 0 && { 'impersonate-group': user['as-groups'] }),
	}
}

type TokenSource = (request: {
	readonly fresh?: boolean
	readonly signal?: AbortSignal | undefined
}) => Promise<string | undefined>

interface TokenOptions extends AccessOptions {
	readonly certificates: Certificates
	/** A plugin gave a client certificate. */
	readonly renewed: (credential: ExecCredential) => void
}

/** The `Authorization` header, in kubectl's order of preference. */
function tokenOf({ user, cluster }: ChosenContext, options: TokenOptions): TokenSource {
	const { now, env, certificates, renewed } = options
	if (isText(user.tokenFile)) {
		const file = user.tokenFile
		let kept: { readonly token: string; readonly until: number } | undefined
		return async ({ fresh }) => {
			if (kept === undefined || fresh === true || now() >= kept.until) {
				kept = { token: readCredential(file).trim(), until: now() + TOKEN_FILE_MS }
			}
			return `Bearer ${kept.token}`
		}
	}
	if (isText(user.token)) {
		const header = `Bearer ${user.token}`
		return () => Promise.resolve(header)
	}
	if (isText(user.username)) {
		const header = `Basic ${Buffer.from(`${user.username}:${user.password ?? ''}`).toString('base64')}`
		return () => Promise.resolve(header)
	}
	const plugin = user.exec
	if (plugin === undefined || plugin === null) return () => Promise.resolve(undefined)
	const clusterInfo = {
		server: cluster.server,
		...(certificates.ca !== undefined && {
			'certificate-authority-data': Buffer.from(certificates.ca).toString('base64'),
		}),
		...(cluster['insecure-skip-tls-verify'] === true && { 'insecure-skip-tls-verify': true }),
	}
	let pending: Promise<ExecCredential> | undefined
	let known: ExecCredential | undefined
	return async ({ fresh, signal }) => {
		const expired = known?.expires !== undefined && now() >= known.expires - EXPIRY_MARGIN_MS
		if (known === undefined || expired || fresh === true) {
			pending ??= runExecPlugin(plugin, { env, signal, clusterInfo }).finally(() => (pending = undefined))
			known = await pending
			if (known.cert !== undefined) renewed(known)
		}
		return known.token === undefined ? undefined : `Bearer ${known.token}`
	}
}

/** What would otherwise be passed over, and so answered with a puzzling 401 or timeout. */
function refuseUnsupported({ name, user }: ChosenContext): void {
	const refuse = (what: string, hint: string): UserError =>
		new UserError(
			'KUBECONFIG_INVALID',
			`the context "${name}" needs ${what}, which lading does not support`,
			{ hint },
		)
	const provider = user['auth-provider']
	if (provider !== undefined && provider !== null) {
		throw refuse(
			`the auth-provider "${printable(provider.name)}"`,
			'Log in with a credential plugin (exec) instead, as kubectl itself asks for since 1.26.',
		)
	}
}
