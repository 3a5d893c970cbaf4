import { join } from 'node:path'
import { RemoteError, UserError } from '../../errors/index.ts'
import { type ClusterChoice, registryInUse } from '../../flows/index.ts'
import type { CertificatePaths } from '../../http/server/index.ts'
import {
	type AccessEntry,
	type Anonymous,
	createToken,
	type EventEndpoint,
	type LogEntry,
	type PushEvent,
	listTokens,
	type RetentionOptions,
	revokeTokens,
	type Right,
	serveRegistry as serveFrom,
	type ServeLimits,
	type StoredToken,
} from '../../registry/server/index.ts'
import { inProject, type Project, type ProjectOptions, type RunningServer } from '../project.ts'

/** Who may do what. */
export interface RegistryAuth {
	/** Path of `user:bcrypt-hash` lines, as `htpasswd -B` writes it. Read again when it changes. */
	readonly htpasswd?: string | undefined
	/** Users of that file that may only read. The others may write. */
	readonly readers?: readonly string[] | undefined
	/**
	 * What may be done without credentials. Default: nothing; but on a loopback address, without a password
	 * file and for as long as no token was made, everything.
	 */
	readonly anonymous?: Anonymous | undefined
	/** Wrong passwords of a user from an address in a minute, until it has to wait. Default 10. */
	readonly failures?: number | undefined
	/** Addresses of proxies whose `X-Forwarded-*` is believed. */
	readonly trustedProxies?: readonly string[] | undefined
}

export interface ServeRegistryOptions extends ProjectOptions, ClusterChoice {
	/** Path of content, tokens, and the certificate authority at `ca.crt`. Default: `.lading/registry`. */
	readonly dataDirectory?: string | undefined
	/** 0 takes any free one. */
	readonly port: number
	/** Address to listen on. Default `127.0.0.1`. */
	readonly host?: string | undefined
	/** Further DNS names and addresses for the certificate. */
	readonly names?: readonly string[] | undefined
	/** A certificate of somebody else's, instead of one by its own authority. Read again when it changes. */
	readonly tls?: CertificatePaths | undefined
	/** HTTP instead of TLS. Default false. */
	readonly plainHttp?: boolean | undefined
	readonly auth?: RegistryAuth | undefined
	readonly limits?: ServeLimits | undefined
	/** Who is told of what happens, by HTTP. */
	readonly events?: readonly EventEndpoint[] | undefined
	/** Where health and metrics are served by HTTP, without a password. */
	readonly metrics?: { readonly host: string; readonly port: number } | undefined
	/** Patterns of tags that keep what they name. */
	readonly immutable?: readonly string[] | undefined
	/** What goes by itself. What Applications of `cluster` name stays, where one is given. */
	readonly retention?: RetentionOptions | undefined
	/** Between two looks for damage, in milliseconds. Default seven days; 0: none. */
	readonly scrubIntervalMs?: number | undefined
	readonly onPush?: ((event: PushEvent) => void) | undefined
	/** Told of every request that was answered. */
	readonly onAccess?: ((entry: AccessEntry) => void) | undefined
	readonly log?: ((entry: LogEntry) => void) | undefined
}

export interface RunningRegistryServer extends RunningServer {
	/** Path of the CA that clients must trust; absent with `plainHttp`, and with a certificate of somebody else's. */
	readonly ca?: string | undefined
	/** Where health and metrics are without a password. */
	readonly metricsUrl?: string | undefined
}

export async function serveRegistry(options: ServeRegistryOptions): Promise<RunningRegistryServer> {
	return await inProject(options, async (project) => {
		const { host, port: asked, names, tls, plainHttp, limits, events, metrics } = options
		const { immutable, retention, scrubIntervalMs, onPush, onAccess, log } = options
		const { session, at } = project
		const dataDirectory = directoryOf(project, options.dataDirectory)
		const served = await serveFrom({
			dataDirectory,
			host,
			port: asked,
			names,
			plainHttp,
			limits,
			events,
			metrics,
			immutable,
			retention,
			scrubIntervalMs,
			onPush,
			onAccess,
			log,
			tls: tls && { cert: at(tls.cert), key: at(tls.key) },
			auth: {
				...options.auth,
				htpasswd: options.auth?.htpasswd === undefined ? undefined : at(options.auth.htpasswd),
			},
			digestsInUse:
				options.cluster === undefined
					? undefined
					: async () => await registryInUse(session, { dataDirectory, choice: project.cluster(options) }),
			signal: session.signal,
			env: session.env,
		})
		const { port, url, caPem, metricsUrl } = served
		const ca = caPem === undefined ? undefined : join(dataDirectory, 'ca.crt')
		return { port, url, ca, metricsUrl, close: async () => await served.close() }
	})
}

function directoryOf({ at, session }: Project, given: string | undefined): string {
	return given === undefined ? session.workspace.paths.registry : at(given)
}

export interface RegistryDataOptions extends ProjectOptions {
	/** Default: that of the project's local registry. */
	readonly dataDirectory?: string | undefined
}

/** A token of a registry, without what lets anybody in. */
export interface RegistryToken {
	readonly id: string
	/** Whose it is, as events and the log name it. */
	readonly name: string
	readonly right: Right
	/** ISO 8601. */
	readonly createdAt: string
	/** ISO 8601; absent: never. */
	readonly expiresAt?: string | undefined
}

export interface CreateTokenOptions extends RegistryDataOptions {
	/** Whose it is: up to 63 letters, digits, ".", "_", "@" and "-". */
	readonly name: string
	readonly right: Right
	/** Milliseconds. Default: it does not expire. */
	readonly lifetimeMs?: number | undefined
}

export interface CreatedToken {
	/** The token itself: the password of any user name. It is not stored, and cannot be had again. */
	readonly secret: string
	readonly token: RegistryToken
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9._@-]{0,62}$/

export async function createRegistryToken(options: CreateTokenOptions): Promise<CreatedToken> {
	return await inProject(options, async (project) => {
		const { name, right, lifetimeMs } = options
		if (!NAME.test(name))
			throw new UserError('USAGE', 'that is no name for a token', {
				hint: 'Up to 63 letters, digits, ".", "_", "@" and "-".',
			})
		const directory = directoryOf(project, options.dataDirectory)
		const { text, stored } = await createToken(directory, { name, right, now: new Date(), lifetimeMs })
		return { secret: text, token: shown(stored) }
	})
}

export async function listRegistryTokens(
	options: RegistryDataOptions = {},
): Promise<readonly RegistryToken[]> {
	return await inProject(options, async (project) =>
		listTokens(directoryOf(project, options.dataDirectory)).map(shown),
	)
}

export interface RevokeTokensOptions extends RegistryDataOptions {
	/** Id of a token, or the name of several. */
	readonly token: string
}

export async function revokeRegistryTokens(options: RevokeTokensOptions): Promise<readonly RegistryToken[]> {
	return await inProject(options, async (project) => {
		const revoked = await revokeTokens(directoryOf(project, options.dataDirectory), options.token)
		if (revoked.length === 0)
			throw new RemoteError('NOT_FOUND', 'there is no such token', { hint: 'lading registry token list' })
		return revoked.map(shown)
	})
}

function shown({ sha256: _, ...token }: StoredToken): RegistryToken {
	return token
}
