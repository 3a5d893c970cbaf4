import { isIP } from 'node:net'
import { LadingError, UserError } from '../../errors/index.ts'
import { type Certificates, ensureCertificates, listen, type Listener } from '../../http/server/index.ts'
import type { Digest } from '../../oci/index.ts'
import type { Log, PushEvent } from './context.ts'
import { lockDirectory } from './directory-lock.ts'
import { createStorage } from './file-storage.ts'
import { createRegistry } from './registry.ts'
import type { RegistryStorage } from './storage.ts'

export interface ServeRegistryOptions {
	/** Content, and the certificate authority at `ca.crt`. Made where missing. */
	readonly dataDirectory: string
	/** Address to listen on. Default `127.0.0.1`. */
	readonly host?: string | undefined
	/** 0 takes any free port. */
	readonly port: number
	/** Further DNS names and addresses for the certificate. */
	readonly names?: readonly string[] | undefined
	/** Password file (bcrypt). Without it everybody may read and write. */
	readonly htpasswd?: string | undefined
	/** Takes requests from other machines without a password. Default: refused. */
	readonly allowAnonymous?: boolean | undefined
	/** HTTP instead of TLS. */
	readonly plainHttp?: boolean | undefined
	/** See `RegistryOptions.instance`. */
	readonly instance?: string | undefined
	readonly onPush?: ((event: PushEvent) => void) | undefined
	readonly digestsInUse?: (() => Promise<ReadonlySet<Digest>>) | undefined
	readonly signal?: AbortSignal | undefined
	readonly log?: Log | undefined
}

export interface RunningRegistry {
	readonly host: string
	readonly port: number
	readonly url: string
	/** What clients must trust; `undefined` with `plainHttp`. */
	readonly caPem: string | undefined
	readonly storage: RegistryStorage
	/** Lets requests under way finish, for up to ten seconds. */
	close(): Promise<void>
}

/** Names the certificate always has: this machine's, and the one a kind cluster uses. */
const CERTIFICATE_NAMES: readonly string[] = ['localhost', 'kind-registry', '127.0.0.1', '::1']
const CLOSE_GRACE_MS = 10_000
const RENEWAL_MS = 12 * 60 * 60 * 1000

/**
 * Serves a registry from a directory, over TLS with a certificate of its own authority.
 * @throws UserError `PORT_TAKEN`, `ALREADY_RUNNING`, `FILE_UNWRITABLE`, `CA_UNREADABLE`,
 *   `CREDENTIALS_UNREADABLE`, `USAGE` for an open door to the network
 */
export async function serveRegistry(options: ServeRegistryOptions): Promise<RunningRegistry> {
	const { dataDirectory, host = '127.0.0.1', port, log = () => undefined } = options
	if (!isLoopback(host) && options.htpasswd === undefined && options.allowAnonymous !== true) {
		throw new UserError('USAGE', `on ${host} other machines could write to the registry without a password`, {
			hint: 'Give it a password file with --htpasswd FILE, or listen on 127.0.0.1.',
		})
	}
	const lock = lockDirectory(dataDirectory)
	let storage: RegistryStorage | undefined
	try {
		const names = certificateNames(host, options.names ?? [])
		const certificates =
			options.plainHttp === true ? undefined : await ensureCertificates(dataDirectory, { names })
		storage = createStorage(dataDirectory, { onWarning: (message) => log({ level: 'warning', message }) })
		const registry = createRegistry({
			storage,
			auth: options.htpasswd === undefined ? undefined : { htpasswd: options.htpasswd },
			onPush: options.onPush,
			digestsInUse: options.digestsInUse,
			instance: options.instance,
			log,
		})
		const listener = await listen(registry, {
			host,
			port,
			...(certificates && { tls: { cert: certificates.certPem, key: certificates.keyPem } }),
			onError: (error, request) =>
				log({ level: 'error', message: `${request.method} ${request.path}: ${String(error)}` }),
		})
		return running({ options, listener, certificates, storage, names, release: lock.release, log })
	} catch (error) {
		await storage?.close()
		lock.release()
		throw error
	}
}

interface Parts {
	readonly options: ServeRegistryOptions
	readonly listener: Listener
	readonly certificates: Certificates | undefined
	readonly storage: RegistryStorage
	readonly names: readonly string[]
	readonly release: () => void
	readonly log: Log
}

function running({ options, listener, certificates, storage, names, release, log }: Parts): RunningRegistry {
	const renewal = certificates && setInterval(() => void renew(), RENEWAL_MS)
	renewal?.unref()
	const renew = async (): Promise<void> => {
		try {
			const { certPem, keyPem } = await ensureCertificates(options.dataDirectory, { names })
			listener.reloadTls({ cert: certPem, key: keyPem })
		} catch (error) {
			const why = error instanceof LadingError ? error.message : String(error)
			log({ level: 'error', message: `the certificate was not renewed: ${why}` })
		}
	}
	let closed: Promise<void> | undefined
	const close = (): Promise<void> => {
		closed ??= (async () => {
			clearInterval(renewal)
			try {
				await listener.close({ graceMs: CLOSE_GRACE_MS })
				await storage.close()
			} finally {
				release()
			}
		})()
		return closed
	}
	if (options.signal?.aborted === true) void close()
	options.signal?.addEventListener('abort', () => void close(), { once: true })
	const { host, port, url } = listener
	return { host, port, url, caPem: certificates?.caPem, storage, close }
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
