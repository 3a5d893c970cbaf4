import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { isIP } from 'node:net'
import { LadingError, printable, UserError } from '../../errors/index.ts'
import {
	type CertificatePaths,
	listen,
	type Listener,
	type ListenLimits,
	type ServerRequest,
} from '../../http/server/index.ts'
import type { AccessOptions, Anonymous } from './access/access.ts'
import { readTokens, tokensExist } from './access/token-file.ts'
import { CertificateKeeper } from './certificate-keeper.ts'
import type { Log, PushEvent } from './context.ts'
import { lockDirectory } from './directory-lock.ts'
import type { EventEndpoint } from './events/endpoint.ts'
import { Notifier } from './events/notifier.ts'
import { createStorage } from './open-storage.ts'
import type { AccessEntry } from './observe/exchange.ts'
import { Health } from './observe/health.ts'
import { openRegistry } from './registry.ts'
import { DEFAULT_SHUTDOWN_MS, EVENTS_GRACE_MS } from './stop-times.ts'
import type { RegistryStorage } from './storage.ts'
import { createUpkeep, type UpkeepOptions } from './upkeep.ts'

export interface ServeRegistryOptions extends UpkeepOptions {
	/** Content, tokens, and the certificate authority at `ca.crt`. Made where missing. */
	readonly dataDirectory: string
	/** Address to listen on. Default `127.0.0.1`. */
	readonly host?: string | undefined
	/** 0 takes any free port. */
	readonly port: number
	/** Further DNS names and addresses for the certificate. */
	readonly names?: readonly string[] | undefined
	/** A certificate of somebody else's, instead of one by its own authority. Read again when it changes. */
	readonly tls?: CertificatePaths | undefined
	/** HTTP instead of TLS. */
	readonly plainHttp?: boolean | undefined
	/** Who may do what; see {@link AccessOptions}. The tokens are those of the data directory. */
	readonly auth?: ServeAuth | undefined
	readonly limits?: ServeLimits | undefined
	/** Who is told of what happens, by HTTP. */
	readonly events?: readonly EventEndpoint[] | undefined
	/** Where health and metrics are served by HTTP, without a password. */
	readonly metrics?: { readonly host: string; readonly port: number } | undefined
	/** See `RegistryOptions.instance`. */
	readonly instance?: string | undefined
	readonly onPush?: ((event: PushEvent) => void) | undefined
	/** Told of every request that was answered. */
	readonly onAccess?: ((entry: AccessEntry) => void) | undefined
	readonly signal?: AbortSignal | undefined
	/** Read for the endpoints of events: proxies and certificates. */
	readonly env?: Readonly<Record<string, string | undefined>> | undefined
	/** See `LockOptions.namespace`. */
	readonly namespace?: string | undefined
	/** Milliseconds since 1970. Default: the clock. */
	readonly now?: (() => number) | undefined
	readonly log?: Log | undefined
}

export interface ServeAuth extends Pick<
	AccessOptions,
	'htpasswd' | 'readers' | 'failures' | 'trustedProxies'
> {
	/**
	 * What may be done without credentials. Default: nothing; but on a loopback address, without
	 * a password file and for as long as no token was made, everything.
	 */
	readonly anonymous?: Anonymous | undefined
}

/** Sizes in bytes, times in milliseconds. */
export interface ServeLimits {
	/** Default 10 GiB. */
	readonly blobBytes?: number | undefined
	/** Default 4 MiB. */
	readonly manifestBytes?: number | undefined
	/** Of a request's headers together. Default 16 KiB. */
	readonly headerBytes?: number | undefined
	/** Begun and not ended. Default 10,000. */
	readonly uploads?: number | undefined
	/** At a time. Default 2000. */
	readonly connections?: number | undefined
	/** For a client to send its headers. Default 10 s. */
	readonly headersMs?: number | undefined
	/** For which an unused connection is kept. Default 60 s. */
	readonly idleMs?: number | undefined
	/** For which a body may make no progress. Default 60 s. */
	readonly stallMs?: number | undefined
	/** For which requests may go on when it stops. Default 30 s. */
	readonly shutdownMs?: number | undefined
	/** With less free space it says that it is not ready. Default 64 MiB. */
	readonly freeBytes?: number | undefined
	/** With more the journal is written anew, unless most of it still counts. Default 16 MiB. */
	readonly journalBytes?: number | undefined
}

export interface RunningRegistry {
	readonly host: string
	readonly port: number
	readonly url: string
	/** What clients must trust; `undefined` with `plainHttp`, and with a certificate of somebody else's. */
	readonly caPem: string | undefined
	/** Where health and metrics are without a password. */
	readonly metricsUrl: string | undefined
	readonly storage: RegistryStorage
	/** Aborted, with a UserError, when the directory has become another process's: it closes by itself then. */
	readonly lost: AbortSignal
	/** Looks at once whether there is a new certificate, as it does from time to time. */
	renewCertificate(): Promise<void>
	/** Lets requests under way finish; see `ServeLimits.shutdownMs`. */
	close(): Promise<void>
}

/** Names the certificate always has: this machine's, and the one a kind cluster uses. */
const CERTIFICATE_NAMES: readonly string[] = ['localhost', 'kind-registry', '127.0.0.1', '::1']
const DEFAULT_CONNECTIONS = 2000
/** Of probes and scrapers. */
const METRICS_CONNECTIONS = 100

/**
 * Serves a registry from a directory, over TLS with a certificate of its own authority.
 * @throws UserError `PORT_TAKEN`, `ALREADY_RUNNING`, `FILE_UNWRITABLE`, `CA_UNREADABLE`,
 *   `CERTIFICATE_UNREADABLE`, `CREDENTIALS_UNREADABLE`, `NOT_FOUND` where the journal is something else, `USAGE` for an open door to the network
 */
export async function serveRegistry(options: ServeRegistryOptions): Promise<RunningRegistry> {
	const { dataDirectory, host = '127.0.0.1', log = () => undefined, now = Date.now } = options
	const auth = authOf(options, host)
	for (const message of openDoors(options, host)) log({ level: 'warning', message })
	const loss = new AbortController()
	const lock = lockDirectory(dataDirectory, {
		namespace: options.namespace,
		now,
		onLost: (why) => {
			log({ level: 'error', message: `${why.message}: the registry stops` })
			loss.abort(why)
		},
	})
	const opened: { close(): unknown }[] = [{ close: lock.release }]
	const closeAll = async (): Promise<void> => {
		for (const each of opened.splice(0).reverse()) await each.close()
	}
	try {
		const keeper = keeperOf(options, { host, now })
		const certificate = await keeper?.renewed()
		const { limits } = options
		const storage = createStorage(dataDirectory, {
			maxBlobBytes: limits?.blobBytes,
			maxUploads: limits?.uploads,
			compactBytes: limits?.journalBytes,
			fence: lock,
			onWarning: (message) => log({ level: 'warning', message }),
		})
		opened.push(storage)
		const notifier = new Notifier({ endpoints: options.events ?? [], log, env: options.env })
		opened.push({ close: () => notifier.close(EVENTS_GRACE_MS) })
		const health = new Health({ directory: dataDirectory, freeBytes: limits?.freeBytes, now })
		const source = { addr: '', instanceID: options.instance ?? randomUUID() }
		const upkeep = createUpkeep({ ...options, storage, lock: lock.name, log })
		const registry = openRegistry({
			storage,
			auth,
			health,
			onPush: options.onPush,
			onEvent: (event) => notifier.tell(event, source),
			tellPulls: notifier.wants('pull'),
			endpoints: () => notifier.counts,
			digestsInUse: options.digestsInUse,
			immutable: upkeep.immutable,
			instance: options.instance,
			manifestBytes: limits?.manifestBytes,
			onAccess: options.onAccess,
			now,
			log,
		})
		opened.push(registry)
		const onError = (error: unknown, request: ServerRequest): void =>
			log({ level: 'error', message: printable(`${request.method} ${request.path}: ${String(error)}`) })
		const metrics =
			options.metrics &&
			(await listen(registry.operations, {
				...options.metrics,
				limits: { maxConnections: METRICS_CONNECTIONS },
				onError,
			}))
		if (metrics) opened.push(metrics)
		const listener = await listen(upkeep.door(registry), {
			host,
			port: options.port,
			...(certificate && { tls: { cert: certificate.certPem, key: certificate.keyPem } }),
			limits: listenLimits(limits),
			onError,
		})
		source.addr = `${hostname()}:${listener.port}`
		opened.push(
			{
				close: () =>
					listener.close({ graceMs: loss.signal.aborted ? 0 : (limits?.shutdownMs ?? DEFAULT_SHUTDOWN_MS) }),
			},
			health,
			{ close: () => upkeep.stop() },
		)
		loss.signal.throwIfAborted()
		upkeep.start(listener.url, { ownCertificate: options.tls !== undefined })
		return running({
			listener,
			keeper,
			storage,
			metrics,
			closeAll,
			log,
			signal: options.signal,
			lost: loss.signal,
		})
	} catch (error) {
		await closeAll()
		throw error
	}
}

/** One by one: of a spread the compiler does not say which limit reaches nobody. */
function listenLimits({
	headerBytes,
	headersMs,
	idleMs,
	stallMs,
	connections = DEFAULT_CONNECTIONS,
}: ServeLimits = {}): Required<Omit<ListenLimits, 'heldBytes'>> {
	return { headerBytes, headersTimeoutMs: headersMs, idleMs, stallMs, maxConnections: connections }
}

/** @throws UserError `USAGE`, `CREDENTIALS_UNREADABLE` */
function authOf({ dataDirectory, auth = {} }: ServeRegistryOptions, host: string): AccessOptions {
	const { htpasswd, anonymous } = auth
	if (htpasswd === undefined && (auth.readers ?? []).length > 0) {
		throw new UserError('USAGE', 'users that may only read are named, but no password file', {
			hint: 'Give the file they are in with --htpasswd FILE; a token has its right of its own.',
		})
	}
	// Who names a proxy lets others in through it.
	const isLocal = isLoopback(host) && (auth.trustedProxies ?? []).length === 0
	if (anonymous === undefined && !isLocal && htpasswd === undefined && !tokensExist(dataDirectory)) {
		const where = isLoopback(host) ? 'through the proxy' : `on ${host}`
		throw new UserError('USAGE', `${where} other machines could write to the registry without a password`, {
			hint: 'Give it a password file with --htpasswd FILE, make a token with "lading registry token create NAME --write", or listen on 127.0.0.1.',
		})
	}
	// A file of tokens that is damaged is told at the start.
	readTokens(dataDirectory)
	return {
		...auth,
		tokenDirectory: dataDirectory,
		openUntilTokens: anonymous === undefined && isLocal && htpasswd === undefined,
	}
}

/** What was asked for, and whoever asked may not have thought of. */
function openDoors({ auth, plainHttp }: ServeRegistryOptions, host: string): string[] {
	if (isLoopback(host)) return []
	return [
		...(auth?.anonymous === 'write'
			? [`whoever reaches ${host} may push and delete, without a password`]
			: []),
		...(plainHttp === true
			? [`passwords and tokens go to ${host} as plain text, unless a proxy speaks TLS`]
			: []),
	]
}

function keeperOf(
	{ plainHttp, tls, dataDirectory, names = [] }: ServeRegistryOptions,
	{ host, now }: { readonly host: string; readonly now: () => number },
): CertificateKeeper | undefined {
	if (plainHttp === true) return undefined
	return tls
		? new CertificateKeeper({ kind: 'given', paths: tls }, now)
		: new CertificateKeeper(
				{ kind: 'own', directory: dataDirectory, names: certificateNames(host, names) },
				now,
			)
}

interface Parts {
	readonly listener: Listener
	readonly keeper: CertificateKeeper | undefined
	readonly storage: RegistryStorage
	readonly metrics: Listener | undefined
	readonly closeAll: () => Promise<void>
	readonly signal: AbortSignal | undefined
	readonly lost: AbortSignal
	readonly log: Log
}

function running(parts: Parts): RunningRegistry {
	const { listener, keeper, storage, metrics, closeAll, log, signal, lost } = parts
	const renewCertificate = async (): Promise<void> => {
		try {
			const next = await keeper?.renewed()
			if (!next) return
			listener.reloadTls({ cert: next.certPem, key: next.keyPem })
			log({ level: 'info', message: 'the certificate was renewed' })
		} catch (error) {
			const why = error instanceof LadingError ? error.message : String(error)
			log({ level: 'error', message: `the certificate was not renewed: ${why}` })
		}
	}
	const renewal = keeper && setInterval(() => void renewCertificate(), keeper.lookMs)
	renewal?.unref()
	let closed: Promise<void> | undefined
	const close = (): Promise<void> => {
		clearInterval(renewal)
		closed ??= closeAll()
		return closed
	}
	for (const end of [signal, lost]) {
		if (end?.aborted === true) void close()
		end?.addEventListener('abort', () => void close(), { once: true })
	}
	const { host, port, url } = listener
	const { caPem } = keeper ?? {}
	return { host, port, url, caPem, metricsUrl: metrics?.url, storage, lost, renewCertificate, close }
}

function certificateNames(host: string, further: readonly string[]): string[] {
	const own = host === '0.0.0.0' || host === '::' ? [] : [host]
	return [...new Set([...CERTIFICATE_NAMES, ...own, ...further])]
}

/** Whether only this machine can reach the address. A name other than `localhost` may be anything. */
function isLoopback(host: string): boolean {
	if (host === 'localhost' || host === '::1') return true
	return isIP(host) === 4 && host.startsWith('127.')
}
