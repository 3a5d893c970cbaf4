import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import {
	type Anonymous,
	type EventEndpointSettings,
	type LimitSettings,
	readConfig,
	readRegistrySettings,
	type RegistrySettings,
} from '../../config/index.ts'
import { isSystemError, UserError } from '../../errors/index.ts'
import { type PushFollower, refreshOnPush, registryInUse, serveUntilStopped } from '../../flows/index.ts'
import {
	type EventEndpoint,
	formatAccess,
	type LogEntry,
	type RetentionOptions,
	type RunningRegistry,
	type ServeLimits,
	serveRegistry,
	type ServeRegistryOptions,
} from '../../registry/server/index.ts'
import type { CommonFlags, Invocation } from '../invocation.ts'
import { clusterOf, sessionOf } from '../session.ts'

export interface RegistryServeFlags extends CommonFlags {
	readonly config?: string
	readonly host?: string
	readonly port?: number
	readonly data?: string
	readonly htpasswd?: string
	readonly reader?: readonly string[]
	readonly anonymous?: Anonymous
	readonly name?: readonly string[]
	readonly tlsCert?: string
	readonly tlsKey?: string
	readonly plainHttp?: boolean
	readonly metrics?: string
	readonly accessLog?: boolean
	readonly immutable?: readonly string[]
	readonly grace?: number
	readonly scrubInterval?: number
	readonly cluster?: string
	readonly kubeconfig?: string
	readonly argocdNamespace?: string
	readonly instance?: string
}

const DEFAULT_PORT = 5000

export async function registryServe(invocation: Invocation, flags: RegistryServeFlags): Promise<void> {
	const { output, cwd, signal, context, workspace } = invocation
	const settings = flags.config === undefined ? {} : await readRegistrySettings(resolve(cwd, flags.config))
	const dataDirectory = dataDirectoryOf(cwd, { flag: flags.data, settings })
	const options = optionsOf(invocation, { flags, settings, dataDirectory })
	const follower = dataDirectory === workspace.paths.registry ? followerOf(invocation) : undefined
	// What a request makes is gone with it: there is no need for the 48 MiB that V8 would come to keep for it under load,
	setFlagsFromString('--semi-space-growth-factor=1')
	// nor to let several times what is there pile up before it is collected.
	setFlagsFromString('--heap-growing-percent=50')
	// V8 takes code that was kept only under the same flags: at the end, when it is kept, they are what they were at the start.
	process.prependOnceListener('exit', () => {
		setFlagsFromString('--semi-space-growth-factor=2')
		setFlagsFromString('--heap-growing-percent=0')
	})
	const isAccessLogged = flags.accessLog ?? settings.log?.access ?? false
	const stopped = serveUntilStopped({
		dataDirectory,
		instance: flags.instance,
		signal,
		now: () => new Date(),
		open: (instance) =>
			serveRegistry({
				...options,
				instance,
				onPush: follower?.onPush,
				digestsInUse: inUsePort(invocation, { flags, dataDirectory }),
				log: ({ level, message }: LogEntry) => {
					if (level === 'info') output.progress.note(message)
					else output.progress.warn(message)
				},
				...(isAccessLogged && { onAccess: (entry) => void context.stderr.write(formatAccess(entry)) }),
			}),
		onReady: (served) => {
			const ca = served.caPem === undefined ? undefined : join(dataDirectory, 'ca.crt')
			output.answer({
				text: describe(served, ca),
				document: { registry: { url: served.url, ca, metrics: served.metricsUrl } },
			})
		},
	})
	try {
		await stopped
	} finally {
		await follower?.close()
	}
}

/** The registry of a project tells the project's cluster what is pushed into it. */
function followerOf(invocation: Invocation): PushFollower {
	return refreshOnPush(sessionOf(invocation), {
		// It may change while this runs.
		choice: async () => clusterOf(invocation, {}, await readConfig(invocation.cwd)),
		log: (message) => invocation.output.progress.note(message),
	})
}

/** Where a registry keeps its content: flag, then settings, then that of the project. */
export function dataDirectoryOf(
	cwd: string,
	{ flag, settings }: { readonly flag: string | undefined; readonly settings: RegistrySettings },
): string {
	return resolve(cwd, flag ?? settings.data ?? join('.lading', 'registry'))
}

function describe({ url, metricsUrl }: RunningRegistry, ca: string | undefined): string {
	return [
		`Registry at ${url}`,
		...(ca === undefined ? [] : [`CA at ${ca}`]),
		...(metricsUrl === undefined ? [] : [`Metrics at ${metricsUrl}/metrics`]),
	].join('\n')
}

interface Given {
	readonly flags: RegistryServeFlags
	readonly settings: RegistrySettings
	readonly dataDirectory: string
}

/** Flags go before what the file says. */
function optionsOf(
	{ cwd, env }: Invocation,
	{ flags, settings, dataDirectory }: Given,
): ServeRegistryOptions {
	const { listen, auth, limits, events } = settings
	const pathOf = (flag: string | undefined): string | undefined =>
		flag === undefined ? undefined : resolve(cwd, flag)
	const [cert, key] = [pathOf(flags.tlsCert), pathOf(flags.tlsKey)]
	if ((cert === undefined) !== (key === undefined)) {
		throw new UserError('USAGE', 'a certificate has a key: --tls-cert and --tls-key go together')
	}
	const tls = cert !== undefined && key !== undefined ? { cert, key } : settings.tls
	const plainHttp = flags.plainHttp ?? listen?.plainHttp ?? false
	if (plainHttp && tls) {
		throw new UserError('USAGE', 'a certificate is given, and HTTP is asked for, which has none')
	}
	const metrics = flags.metrics ?? listen?.metrics
	return {
		dataDirectory,
		host: flags.host ?? listen?.host ?? '127.0.0.1',
		port: flags.port ?? listen?.port ?? DEFAULT_PORT,
		names: [...(listen?.names ?? []), ...(flags.name ?? [])],
		tls,
		plainHttp,
		auth: {
			htpasswd: pathOf(flags.htpasswd) ?? auth?.htpasswd,
			readers: [...(auth?.readers ?? []), ...(flags.reader ?? [])],
			anonymous: flags.anonymous ?? auth?.anonymous,
			failures: auth?.failures,
			trustedProxies: listen?.trustedProxies,
		},
		limits: limitsOf(limits ?? {}),
		events: events?.map(endpointOf),
		metrics: metrics === undefined ? undefined : parseAddress(metrics),
		immutable: [...(settings.immutable ?? []), ...(flags.immutable ?? [])],
		retention: retentionOf(settings, flags),
		scrubIntervalMs: flags.scrubInterval ?? settings.scrub?.interval,
		env,
	}
}

function limitsOf(limits: LimitSettings): ServeLimits {
	return {
		blobBytes: limits.blob,
		manifestBytes: limits.manifest,
		headerBytes: limits.headers,
		uploads: limits.uploads,
		connections: limits.connections,
		headersMs: limits.headersTimeout,
		idleMs: limits.idleTimeout,
		stallMs: limits.stallTimeout,
		shutdownMs: limits.shutdown,
		freeBytes: limits.freeSpace,
	}
}

/** @throws UserError `CONFIG_INVALID` for a CA that cannot be read */
function endpointOf({ ca, timeout, ...endpoint }: EventEndpointSettings): EventEndpoint {
	if (ca === undefined) return { ...endpoint, timeoutMs: timeout }
	try {
		return { ...endpoint, timeoutMs: timeout, ca: readFileSync(ca, 'utf8') }
	} catch (error) {
		if (!isSystemError(error)) throw error
		throw new UserError('CONFIG_INVALID', `cannot read the CA of ${endpoint.name}: ${error.message}`, {
			hint: 'events[].ca is the path of PEM certificates, relative to the file of settings; leave it out to trust the system’s.',
			cause: error,
		})
	}
}

/** @throws UserError `USAGE` */
function parseAddress(text: string): { readonly host: string; readonly port: number } {
	const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:]+)):(\d{1,5})$/.exec(text)
	const host = match?.[1] ?? match?.[2]
	const port = Number(match?.[3])
	if (host !== undefined && port <= 65_535) return { host, port }
	throw new UserError('USAGE', `"${text}" is not HOST:PORT`, { hint: '--metrics takes 127.0.0.1:9090.' })
}

/** The rules stand in the settings; the grace period may be a flag. */
function retentionOf({ retention }: RegistrySettings, { grace }: RegistryServeFlags): RetentionOptions {
	const { rules = [], interval, grace: configured } = retention ?? {}
	return {
		rules: rules.map(({ olderThan, ...rule }) => ({ ...rule, olderThanMs: olderThan })),
		graceMs: grace ?? configured,
		intervalMs: interval,
	}
}

/** What the Applications of the cluster name that `--cluster` names; without it, nobody is asked. */
function inUsePort(
	invocation: Invocation,
	{ flags, dataDirectory }: { readonly flags: RegistryServeFlags; readonly dataDirectory: string },
): ServeRegistryOptions['digestsInUse'] {
	if (flags.cluster === undefined) return undefined
	const choice = clusterOf(invocation, flags, {})
	return async () => await registryInUse(sessionOf(invocation), { dataDirectory, choice })
}
